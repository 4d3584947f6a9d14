using Ballast.Ledger;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Connect, first token, idle, total and the hold's grace: each runs out at its limit, and only at it.</summary>
[Collection("Faults")]
public sealed class TimerTests
{
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(10);

    private static readonly Caller[] Callers = Caller.All;

    [Fact]
    public Task FirstToken_PingsOnly_EndsAtTheLimitBeforeAndAfterTheGrace() => RunAsync(
        ["first_token_timeout: 900ms", "idle_timeout: 600ms", "hold_grace: 300ms"],
        async (visit, isAnthropic) =>
        {
            await visit.WriteAsync(RawWire.StreamHead + RawWire.Events(isAnthropic)[0]);
            while (true)
            {
                await visit.WriteAsync(RawWire.Ping(isAnthropic));
                await visit.WaitAsync(TimeSpan.FromMilliseconds(100));
            }
        },
        TimeSpan.FromMilliseconds(900),
        (caller, answer, row) =>
        {
            // The grace has committed the answer, so nobody else may be asked: the error comes in the stream.
            Assert.True(answer is { Status: 200, IsError: true, IsComplete: false, Attempts: "1" }, answer.ToString());
            Assert.Equal((AttemptOutcome.Interrupted, "upstream_timeout_first_token"), (row.Outcome, row.Reason));
        });

    [Fact]
    public Task FirstToken_Silence_IsAnErrorBeforeTheGrace() => RunAsync(
        ["first_token_timeout: 500ms", "idle_timeout: 5s", "hold_grace: 5s"],
        (visit, _) => visit.WaitForHangUpAsync(),
        TimeSpan.FromMilliseconds(500),
        (_, answer, row) =>
        {
            Assert.True(answer is { Status: 504, ErrorCode: "upstream_timeout_first_token" }, answer.ToString());
            Assert.Equal((AttemptOutcome.Failed, "upstream_timeout_first_token"), (row.Outcome, row.Reason));
        });

    [Fact]
    public Task Idle_DripFasterThanTheLimit_IsNoSilence() => RunAsync(
        ["first_token_timeout: 5s", "idle_timeout: 450ms"],
        async (visit, isAnthropic) =>
        {
            await visit.WriteAsync(RawWire.StreamHead);
            foreach (string one in RawWire.Events(isAnthropic))
            {
                // Half an event is a sign of life, too.
                await visit.WriteAsync(one[..(one.Length / 2)]);
                await visit.WaitAsync(TimeSpan.FromMilliseconds(100));
                await visit.WriteAsync(one[(one.Length / 2)..]);
                await visit.WaitAsync(TimeSpan.FromMilliseconds(100));
            }
        },
        TimeSpan.FromMilliseconds(1600),
        (_, answer, row) =>
        {
            Assert.True(answer.IsComplete, answer.ToString());
            Assert.Equal(AttemptOutcome.Completed, row.Outcome);
        });

    [Fact]
    public Task Idle_SilenceAfterContent_EndsAtTheLimit() => RunAsync(
        ["first_token_timeout: 5s", "idle_timeout: 500ms"],
        async (visit, isAnthropic) =>
        {
            await visit.WriteAsync(RawWire.StreamHead + string.Concat(RawWire.Events(isAnthropic)[..4]));
            await visit.WaitForHangUpAsync();
        },
        TimeSpan.FromMilliseconds(500),
        (_, answer, row) =>
        {
            Assert.True(answer is { Status: 200, ErrorCode: "upstream_timeout_idle", IsComplete: false }, answer.ToString());
            Assert.Equal((AttemptOutcome.Interrupted, "upstream_timeout_idle"), (row.Outcome, row.Reason));
        });

    [Fact]
    public Task Total_EndlessStream_EndsAtTheLimitAndIsNotTriedAgain() => RunAsync(
        ["first_token_timeout: 700ms", "idle_timeout: 700ms", "total_timeout: 1s", "connect_timeout: 200ms"],
        async (visit, isAnthropic) =>
        {
            string[] events = RawWire.Events(isAnthropic);
            await visit.WriteAsync(RawWire.StreamHead + string.Concat(events[..2]));
            while (true)
            {
                await visit.WriteAsync(events[2]);
                await visit.WaitAsync(TimeSpan.FromMilliseconds(50));
            }
        },
        TimeSpan.FromSeconds(1),
        (_, answer, row) =>
        {
            Assert.True(answer is { Status: 200, ErrorCode: "upstream_timeout_total", IsComplete: false }, answer.ToString());
            Assert.Equal((AttemptOutcome.Interrupted, "upstream_timeout_total"), (row.Outcome, row.Reason));
        });

    [Fact]
    public async Task Total_RunsOutBeforeContent_BlamesNobodyAndTriesNobodyElse()
    {
        await using RawUpstream silent = new(visit => visit.WaitForHangUpAsync());
        await using FaultGateway gateway = await StartAsync(silent, silent, ["total_timeout: 600ms", "first_token_timeout: 600ms", "idle_timeout: 600ms"], "azure/m=gpt-5.2");

        ClientAnswer answer = await gateway.AskAsync(Caller.OpenAI, "o", stream: true);

        LedgerEntry row = Assert.Single(await gateway.RowsAsync(answer));
        Assert.True(answer.Status == 504 && row.Reason is "upstream_timeout_total" or "upstream_timeout_first_token", answer + row.Reason);
    }

    [Fact]
    public async Task Connect_NobodyAccepts_EndsAtTheLimitAndMovesOn()
    {
        // A listener whose queue is full takes no further connect, and refuses none either.
        using System.Net.Sockets.Socket full = new(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        full.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        full.Listen(0);
        List<System.Net.Sockets.Socket> queue = [];
        for (int i = 0; i < 4; i++)
        {
            System.Net.Sockets.Socket waiting = new(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp) { Blocking = false };
            queue.Add(waiting);
            try
            {
                waiting.Connect(full.LocalEndPoint!);
            }
            catch (System.Net.Sockets.SocketException)
            {
                // In progress, for ever.
            }
        }

        await using RawUpstream upstream = new(visit => visit.WriteAsync(RawWire.Answer(visit, isAnthropic: false))) { AddressTold = new Uri($"http://{full.LocalEndPoint}") };
        await using FaultGateway gateway = await StartAsync(upstream, upstream, ["connect_timeout: 400ms"], "azure/m=gpt-5.2");
        long start = TimeProvider.System.GetTimestamp();

        ClientAnswer answer = await gateway.AskAsync(Caller.OpenAI, "o", stream: false);

        TimeSpan took = TimeProvider.System.GetElapsedTime(start);
        LedgerEntry[] rows = await gateway.RowsAsync(answer);
        Assert.True(answer is { IsComplete: true, Attempts: "2" }, answer.ToString());
        Assert.True(rows[0] is { Reason: "upstream_connect_failed", Reached: false, InputTokens: 0 }, rows[0].Reason);
        Assert.InRange(took, TimeSpan.FromMilliseconds(380), TimeSpan.FromMilliseconds(400) + Slack);
        queue.ForEach(waiting => waiting.Dispose());
    }

    [Fact]
    public async Task WholeAnswer_StallsInItsBody_EndsAtTheIdleLimit()
    {
        await using RawUpstream upstream = new(async visit =>
        {
            await visit.WriteAsync(RawWire.JsonHead + RawWire.Whole(false)[..40]);
            await visit.WaitForHangUpAsync();
        });
        await using FaultGateway gateway = await StartAsync(upstream, upstream, ["first_token_timeout: 20s", "idle_timeout: 400ms"]);
        long start = TimeProvider.System.GetTimestamp();

        ClientAnswer answer = await gateway.AskAsync(Caller.OpenAI, "o", stream: false);

        Assert.True(answer is { Status: 504, ErrorCode: "upstream_timeout_idle" }, answer.ToString());
        Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.FromMilliseconds(390), TimeSpan.FromMilliseconds(400) + Slack);
    }

    private static Task<FaultGateway> StartAsync(RawUpstream openai, RawUpstream anthropic, string[] limits, params string[] second) =>
        FaultGateway.StartAsync(new FaultSetup
        {
            Raw = [("rawo", "openai-compatible", openai), ("rawa", "anthropic", anthropic)],
            Models = [("o", ["rawo/m=m", .. second]), ("a", ["rawa/m=m", .. second])],
            Limits = limits,
        });

    /// <summary>Both callers at both protocols at once; each must end at <paramref name="at"/>.</summary>
    private static async Task RunAsync(string[] limits, Func<RawVisit, bool, Task> answerWith, TimeSpan at, Action<Caller, ClientAnswer, LedgerEntry> check)
    {
        await using RawUpstream openai = new(visit => answerWith(visit, false));
        await using RawUpstream anthropic = new(visit => answerWith(visit, true));
        await using FaultGateway gateway = await StartAsync(openai, anthropic, limits);
        await Task.WhenAll(Callers.SelectMany(caller => (string[])["o", "a"], async (caller, model) =>
        {
            long start = TimeProvider.System.GetTimestamp();
            ClientAnswer answer = await gateway.AskAsync(caller, model, stream: true);
            TimeSpan took = TimeProvider.System.GetElapsedTime(start);
            check(caller, answer, Assert.Single(await gateway.RowsAsync(answer)));
            Assert.InRange(took, at - TimeSpan.FromMilliseconds(20), at + Slack);
        }));
    }
}
