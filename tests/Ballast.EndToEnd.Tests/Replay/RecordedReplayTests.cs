using System.Diagnostics;
using System.Text.Json;
using Ballast.Cli.Replay;
using Ballast.EndToEnd.Tests.Sdk;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Replay;

/// <summary>All recorded exchanges through the gateway, and their translations through the vendors' own clients. Skipped where there are no recordings.</summary>
public sealed class RecordedReplayTests
{
    private const int FaultsShown = 40;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Replay_EveryRecording_FailsNowhereAndIsReadByTheVendorsClients()
    {
        string? recordings = RecordedFolder.Find(null);
        Assert.SkipUnless(recordings is not null, $"No recordings: set {RecordedFolder.Variable} to their folder.");
        string folder = Directory.CreateTempSubdirectory("ballast-replay-test-").FullName;
        try
        {
            ReplayTally tally = await new ReplayRun(new ReplayRequest(recordings!) { KeepFolder = folder }).RunAsync(null, TestContext.Current.CancellationToken);

            IEnumerable<string> failures = tally.Failed.SelectMany(result => result.Failures.Select(failure => $"{result.Id}: {failure.Where}: {failure.Pointer}: {failure.What}"));
            Assert.True(tally.Failed.Count == 0, $"{tally.Failed.Count} of {tally.All.All} failed:\n{string.Join('\n', failures.Take(FaultsShown))}");
            Assert.True(tally.All.Of(ReplayVerdict.Passed) > 0 && tally.All.Of(ReplayVerdict.DeclaredLoss) > 0, "Nothing was replayed.");
            await AssertReadAsync(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The unmodified clients of both vendors read every translated answer and find in it the text and the calls that were recorded.</summary>
    private static async Task AssertReadAsync(string folder)
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable(NodeRun.SkipVariable) is { Length: > 0 }, $"{NodeRun.SkipVariable} is set.");
        const string script = "replay.mjs";
        ProcessStartInfo start = new("node", [script, folder])
        {
            WorkingDirectory = NodeRun.FolderOf(script),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using Process node = Process.Start(start)!;
        using CancellationTokenSource late = new(Patience);
        Task<string> errors = node.StandardError.ReadToEndAsync(late.Token);
        string output = await node.StandardOutput.ReadToEndAsync(late.Token);
        await node.WaitForExitAsync(late.Token);
        Assert.True(node.ExitCode == 0, $"node {script} ended with {node.ExitCode}: {await errors}");
        using JsonDocument told = JsonDocument.Parse(output);
        string[] faults = [.. told.RootElement.GetProperty("faults").EnumerateArray().Select(fault => fault.GetString()!)];
        Assert.True(faults.Length == 0, $"{faults.Length} translated answers are not read as they were meant:\n{string.Join('\n', faults.Take(FaultsShown))}");
        Assert.Equal(File.ReadLines(Path.Combine(folder, RecordedFolder.IndexFile)).Count(), told.RootElement.GetProperty("read").GetInt32());
    }
}
