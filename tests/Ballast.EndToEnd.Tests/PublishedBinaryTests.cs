using System.Diagnostics;
using System.Text.Json;

namespace Ballast.EndToEnd.Tests;

/// <summary>Publishes the NativeAOT binary with <c>./publish</c>, once, and runs it: the only proof that nothing in it needs the just-in-time compiler.</summary>
public sealed class PublishedBinaryTests(PublishedBinaryTests.Publication publication) : IClassFixture<PublishedBinaryTests.Publication>
{
    [LongFact]
    public async Task Help_OfPublishedBinary_NamesEveryCommand()
    {
        Result result = await RunAsync(publication.Binary, ["--help"], TimeSpan.FromSeconds(20));

        Assert.Equal(0, result.ExitCode);
        Assert.All(["demo", "serve", "check", "sandbox", "usage", "exposure", "compare"], command => Assert.Contains(command, result.Output, StringComparison.Ordinal));
    }

    [LongFact]
    public void Publication_ForLinux_IsOneFile()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "on other systems SQLite's library lies beside the program");
        Assert.Equal([publication.Binary], Directory.GetFiles(Path.GetDirectoryName(publication.Binary)!));
    }

    [LongFact]
    public async Task Demo_OfPublishedBinary_FailsNoRequestWhileAzureDisappears()
    {
        Result result = await RunAsync(publication.Binary, ["demo", "--headless", "--seconds", "25", "--json"], TimeSpan.FromSeconds(90));

        Assert.True(result.ExitCode == 0, result.Errors);
        string line = Assert.Single(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        using JsonDocument summary = JsonDocument.Parse(line);
        JsonElement root = summary.RootElement;
        Assert.True(root.GetProperty("requests").GetInt64() >= 100, line);
        Assert.True(root.GetProperty("failovers").GetInt64() >= 1, line);
        Assert.Equal(0, root.GetProperty("failed").GetInt64());
        Assert.True(root.GetProperty("by_platform").EnumerateObject().Count() >= 4, line);
        Assert.Equal(root.GetProperty("billed_rows").GetInt64(), root.GetProperty("ledger_rows").GetInt64());
    }

    private static async Task<Result> RunAsync(string program, IEnumerable<string> arguments, TimeSpan limit)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        using CancellationTokenSource timeout = new(limit);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            Task<string> errors = process.StandardError.ReadToEndAsync(timeout.Token);
            await process.WaitForExitAsync(timeout.Token);
            return new Result(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} did not end within {limit.TotalSeconds} s.");
        }
    }

    /// <summary>What a program left behind.</summary>
    private sealed record Result(int ExitCode, string Output, string Errors);

    /// <summary>The published binary, built once for the class. A class whose tests all skip never publishes.</summary>
    public sealed class Publication : IAsyncLifetime
    {
        public string Binary { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            string root = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(root, "Ballast.slnx")))
            {
                root = Path.GetDirectoryName(root) ?? throw new DirectoryNotFoundException("Ballast.slnx is in no folder above the tests.");
            }

            Result result = await RunAsync(Path.Combine(root, "publish"), [], TimeSpan.FromMinutes(15));
            Assert.True(result.ExitCode == 0, result.Errors);
            Binary = Path.Combine(root, "artifacts", "publish", "ballast");
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
