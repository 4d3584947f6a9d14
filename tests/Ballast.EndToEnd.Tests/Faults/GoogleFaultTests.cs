using Ballast.Ledger;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Every fault of the sandbox at Google's platforms, streamed and whole, for callers of two protocols: the next platform answers, and the ledger is the bill.</summary>
[Collection("Faults")]
public sealed class GoogleFaultTests : IAsyncLifetime
{
    private static readonly string[] s_targets = ["gemini/g=gemini-3.5-flash", "vertex/g=gemini-2.5-flash", "vertex/c=claude-haiku-4-5@20251001"];

    private static readonly (Caller Caller, bool Stream, int Target)[] s_cells =
        [.. from caller in Caller.All from stream in (bool[])[true, false] from target in (int[])[0, 1, 2] select (caller, stream, target)];

    private FaultGateway _gateway = null!;

    /// <summary>All that another platform may heal: what is too large is told to the caller at once (<see cref="FaultMatrixTests"/>).</summary>
    public static TheoryData<string> Faults => [.. FaultKindNames.All.Where(static name => name != "too-large-413")];

    public async ValueTask InitializeAsync() => _gateway = await FaultGateway.StartAsync(new FaultSetup
    {
        Models = [.. s_targets.Select((target, i) => ($"m{i}", (string[])[target, "azure/second=gpt-5.2"]))],
        Limits = ["first_token_timeout: 2500ms", "idle_timeout: 2500ms", "retry_floor: 10000", "breaker_failures: 1000"],
    });

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Fault_BeforeAnyContent_IsHealedByTheNextPlatform(string fault)
    {
        Assert.True(FaultKindNames.TryParse(fault, out FaultKind kind));
        foreach (string platform in (string[])["gemini", "vertex"])
        {
            _gateway.Sandbox.Faults.Add(new FaultRule { Platform = platform, Kind = kind, AfterEvents = 0, Delay = TimeSpan.FromSeconds(20) });
        }

        using SemaphoreSlim atOnce = new(kind == FaultKind.HugeLine ? 2 : s_cells.Length);
        ClientAnswer[] answers = await Task.WhenAll(s_cells.Select(async cell =>
        {
            await atOnce.WaitAsync(TestContext.Current.CancellationToken);
            try
            {
                return await _gateway.AskAsync(cell.Caller, $"m{cell.Target}", cell.Stream);
            }
            finally
            {
                atOnce.Release();
            }
        }));
        foreach (((Caller caller, bool stream, int target), ClientAnswer answer) in s_cells.Zip(answers))
        {
            LedgerEntry[] rows = await _gateway.RowsAsync(answer);
            string what = $"{fault}, {caller.Name} {(stream ? "streamed" : "whole")} at {s_targets[target]}: {answer}\n{string.Join('\n', rows.Select(row => $"{row.Deployment} {row.Outcome} {row.Reason}"))}";
            if (kind == FaultKind.NeverFinishes && stream)
            {
                Assert.True(answer is { Status: 200, IsComplete: false, IsError: true }, what);
                continue;
            }

            bool isHarmless = kind is FaultKind.MissingUsage or FaultKind.WrongContentType || (kind == FaultKind.HugeLine && !stream);
            Assert.True(answer.IsComplete && answer.Text.ToString() == Caller.Answer && (answer.Attempts == (isHarmless ? "1" : "2") || (Rests(kind) && answer.Attempts == "1" && rows[0].Deployment == "azure/second")), what);
        }

        Assert.True(!Rests(kind) || answers.Any(static answer => answer.Attempts == "2"), fault);

        // What a model thought and did not show can be estimated by nobody.
        await (kind == FaultKind.MissingUsage ? Task.CompletedTask : _gateway.ReconcileAsync());
    }

    /// <summary>After one such answer a platform is left alone for a while: whoever comes a moment later goes to the next at once.</summary>
    internal static bool Rests(FaultKind kind) => kind is FaultKind.RateLimit or FaultKind.Quota or FaultKind.Forbidden403;

    [Fact]
    public async Task RateLimit_TellsItsTimeInTheBody_AndTheCallerHearsOfIt()
    {
        await using FaultGateway alone = await FaultGateway.StartAsync(new FaultSetup { Models = [("m", [s_targets[0]])], Limits = ["breaker_failures: 1000"] });
        alone.Sandbox.Faults.Add(new FaultRule { Platform = "gemini", Kind = FaultKind.RateLimit, RetryAfter = TimeSpan.FromSeconds(7) });
        foreach (Caller caller in Caller.All)
        {
            ClientAnswer answer = await alone.AskAsync(caller, "m", stream: true);
            Assert.Equal(429, answer.Status);
            alone.Server.Health.Reset();
            Assert.InRange(int.Parse(answer.Headers["Retry-After"], System.Globalization.CultureInfo.InvariantCulture), 1, 7);
        }
    }

    [Fact]
    public async Task Cut_AfterContent_EndsInAnErrorAndIsEstimatedNoLowerThanTheBill()
    {
        await using FaultGateway slow = await FaultGateway.StartAsync(
            new FaultSetup { Models = [.. s_targets.Select((target, i) => ($"m{i}", (string[])[target]))], Limits = ["breaker_failures: 1000"], LatencyScale = 0.2 });
        slow.Sandbox.Faults.Add(new FaultRule { Platform = "*", Kind = FaultKind.Cut, AfterEvents = 4 });
        for (int target = 0; target < s_targets.Length; target++)
        {
            ClientAnswer answer = await slow.AskAsync(Caller.OpenAI, $"m{target}", stream: true);
            Assert.True(answer is { Status: 200, IsComplete: false, IsError: true } && answer.Text.Length > 0, answer.ToString());
        }

        await slow.ReconcileAsync();
    }
}
