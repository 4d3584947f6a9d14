using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>The built program, run as users run it: a process with its own streams, signals and exit code. Killed when disposed.</summary>
internal sealed class BallastProcess : IAsyncDisposable
{
    /// <summary>Long enough for a start on a machine that runs every other test at the same time.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();
    private readonly string _commandLine;

    private BallastProcess(Process process, string commandLine)
    {
        _process = process;
        _commandLine = commandLine;
        process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(_errors, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
    }

    /// <summary>All of standard output so far.</summary>
    public string Output => Read(_output);

    /// <summary>All of standard error so far.</summary>
    public string Errors => Read(_errors);

    /// <summary>Starts <c>ballast ARGUMENTS</c> in a folder that holds no configuration, without any of this machine's own variables for vendors.</summary>
    public static BallastProcess Start(string folder, IReadOnlyList<string> arguments, params (string Name, string Value)[] variables) => StartIn([], folder, arguments, variables);

    /// <summary>The same, started by another program that becomes it.</summary>
    /// <param name="before">That program and its arguments; none where it is started directly.</param>
    public static BallastProcess StartIn(IReadOnlyList<string> before, string folder, IReadOnlyList<string> arguments, params (string Name, string Value)[] variables)
    {
        string[] command = [.. before, Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet"];
        ProcessStartInfo start = new(command[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach (string argument in (IEnumerable<string>)[.. command.Skip(1), Path.Combine(AppContext.BaseDirectory, "ballast.dll"), .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (string name in start.Environment.Keys.Where(name => name.Contains("API_KEY", StringComparison.Ordinal) || name is "AWS_BEARER_TOKEN_BEDROCK" or "OLLAMA_HOST").ToArray())
        {
            start.Environment.Remove(name);
        }

        foreach ((string name, string value) in variables)
        {
            start.Environment[name] = value;
        }

        return new BallastProcess(Process.Start(start)!, "ballast " + string.Join(' ', arguments));
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<ProgramResult> RunAsync(string folder, IReadOnlyList<string> arguments, params (string Name, string Value)[] variables)
    {
        await using BallastProcess program = Start(folder, arguments, variables);
        int code = await program.WaitForExitAsync(Patience);
        return new ProgramResult(code, program.Output, program.Errors);
    }

    /// <summary>Asks it to end, as a service manager does.</summary>
    public void Terminate()
    {
        using Process kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>Ends it as a crash does: at once, wherever it is.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    public bool HasExited => _process.HasExited;

    public async Task<int> WaitForExitAsync(TimeSpan limit)
    {
        using CancellationTokenSource timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(limit);
        try
        {
            await _process.WaitForExitAsync(timeout.Token); // both streams have been read to their end then
            return _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"'{_commandLine}' did not end within {limit.TotalSeconds} s. It wrote:\n{Output}\n{Errors}");
        }
    }

    /// <summary>The text between two others on standard error, as soon as it stands there.</summary>
    public Task<string> FindInErrorsAsync(string before, string after) => FindAsync(() => Errors, before, after);

    /// <summary>The same on standard output.</summary>
    public Task<string> FindInOutputAsync(string before, string after) => FindAsync(() => Output, before, after);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    private async Task<string> FindAsync(Func<string> text, string before, string after)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (waited.Elapsed < Patience)
        {
            string written = text();
            int start = written.IndexOf(before, StringComparison.Ordinal);
            int end = start < 0 ? -1 : written.IndexOf(after, start + before.Length, StringComparison.Ordinal);
            if (end >= 0)
            {
                return written[(start + before.Length)..end];
            }

            Assert.False(_process.HasExited && text() == written, $"'{_commandLine}' ended without writing '{before}'. It wrote:\n{Output}\n{Errors}");
            await Task.Delay(LookEvery, TimeProvider.System, TestContext.Current.CancellationToken);
        }

        throw new TimeoutException($"'{_commandLine}' did not write '{before}' within {Patience.TotalSeconds} s. It wrote:\n{Output}\n{Errors}");
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            lock (text)
            {
                text.Append(line).Append('\n');
            }
        }
    }

    private static string Read(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}

/// <summary>What a program left behind.</summary>
internal sealed record ProgramResult(int ExitCode, string Output, string Errors)
{
    /// <summary>Standard output, which must be one line and nothing else.</summary>
    public string OneLine
    {
        get
        {
            Assert.EndsWith("\n", Output, StringComparison.Ordinal);
            return Assert.Single(Output[..^1].Split('\n'));
        }
    }
}
