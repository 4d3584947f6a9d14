using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>One Node process that runs one SDK's script against all its targets; started once, by whoever asks first for a result.</summary>
/// <param name="script">File within <c>node/</c>.</param>
/// <param name="targets">What to run against.</param>
/// <param name="check">Looks at a case that passed from this side; returns what is wrong, or null.</param>
internal sealed class NodeRun(string script, IReadOnlyList<SdkTarget> targets, Func<SdkTarget, NodeResult, Task<string?>> check)
{
    private readonly IReadOnlyList<SdkTarget> _targets = SdkTier.Kept(targets);

    /// <summary>The variable that lets these tests be left out on purpose.</summary>
    public const string SkipVariable = "BALLAST_SKIP_NODE";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(400);

    /// <summary>A certificate that Node trusts beside its own; null adds none.</summary>
    public string? TrustedFile { get; init; }

    private readonly Lock _lock = new();
    private Task<Dictionary<(string Target, string Case), NodeResult>>? _results;

    /// <summary>Fails where the case failed, skips only where it was asked for.</summary>
    public async Task AssertPassedAsync(string target, string name)
    {
        Dictionary<(string Target, string Case), NodeResult> results = await EndAsync();
        Assert.True(results.TryGetValue((target, name), out NodeResult? result), $"{script} told nothing of case '{name}' at '{target}'.");
        Assert.True(result.Error is null, result.Error);
    }

    /// <summary>Every case at every target has ended; starts them where nobody has yet.</summary>
    public Task<Dictionary<(string Target, string Case), NodeResult>> EndAsync()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable(SkipVariable) is { Length: > 0 }, $"{SkipVariable} is set.");
        lock (_lock)
        {
            return _results ??= Task.Run(RunAsync);
        }
    }

    private async Task<Dictionary<(string Target, string Case), NodeResult>> RunAsync()
    {
        string folder = FolderOf(script);
        ProcessStartInfo start = new("node", [script])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["BALLAST_TARGETS"] = new JsonArray([.. _targets.Select(target => (JsonNode)target.ToJson())]).ToJsonString();
        foreach (string ambient in start.Environment.Keys.Where(IsAmbient).ToList())
        {
            start.Environment.Remove(ambient);
        }

        if (TrustedFile is not null)
        {
            start.Environment["NODE_EXTRA_CA_CERTS"] = TrustedFile;
        }

        using Process node = Start(start);
        using CancellationTokenSource late = new(Patience);
        Task<string> errors = node.StandardError.ReadToEndAsync(late.Token);
        List<Task<NodeResult>> checks = [];
        try
        {
            while (await node.StandardOutput.ReadLineAsync(late.Token) is { } line)
            {
                checks.Add(CheckAsync(NodeResult.Parse(line)));
            }

            await node.WaitForExitAsync(late.Token);
        }
        finally
        {
            if (!node.HasExited)
            {
                node.Kill(entireProcessTree: true);
            }
        }

        Assert.True(node.ExitCode == 0, $"node {script} ended with {node.ExitCode}: {await errors}");
        return (await Task.WhenAll(checks)).ToDictionary(result => (result.Target, result.Case));
    }

    private async Task<NodeResult> CheckAsync(NodeResult result)
    {
        SdkTarget target = _targets.First(candidate => candidate.Name == result.Target);
        return result.Error is null ? result with { Error = await check(target, result) } : result;
    }

    // An SDK must not take its address, key or proxy from the environment of whoever runs the tests.
    private static bool IsAmbient(string name) =>
        name.StartsWith("OPENAI_", StringComparison.Ordinal) || name.StartsWith("AZURE_", StringComparison.Ordinal)
        || name.StartsWith("ANTHROPIC_", StringComparison.Ordinal) || name.StartsWith("AI_", StringComparison.Ordinal) || name.StartsWith("GOOGLE_", StringComparison.Ordinal)
        || name.StartsWith("GEMINI_", StringComparison.Ordinal) || name.StartsWith("AWS_", StringComparison.Ordinal)
        || name == "NODE_OPTIONS";

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new InvalidOperationException(
                $"Node.js is not installed. Install Node.js 20 or newer (apt-get install nodejs npm), run ./test, or set {SkipVariable}=1.");
        }
    }

    internal static string FolderOf(string script)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string scripts = Path.Combine(folder.FullName, "tests", "Ballast.EndToEnd.Tests", "node");
            if (File.Exists(Path.Combine(scripts, script)))
            {
                return Directory.Exists(Path.Combine(scripts, "node_modules"))
                    ? scripts
                    : throw new InvalidOperationException(
                        $"The npm packages are not installed. Run ./test, or 'npm ci' in tests/Ballast.EndToEnd.Tests/node, or set {SkipVariable}=1.");
            }
        }

        throw new InvalidOperationException($"{script} was not found above {AppContext.BaseDirectory}.");
    }
}
