using System.Text;
using Ballast.Ledger;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>A stream that breaks after each of its events, in each way, towards each client.</summary>
[Collection("Faults")]
public sealed class AfterCommitTests : IAsyncLifetime
{
    private const string Secret = "org-of-the-gateway";

    private RawUpstream _openai = null!;
    private RawUpstream _anthropic = null!;
    private FaultGateway _gateway = null!;

    public static TheoryData<string> Breaks => ["close", "reset", "cut-in-event", "stall", "error-event", "odd-error-event", "garbage"];

    public async ValueTask InitializeAsync()
    {
        _openai = new RawUpstream(visit => BreakAsync(visit, false));
        _anthropic = new RawUpstream(visit => BreakAsync(visit, true));
        _gateway = await FaultGateway.StartAsync(new FaultSetup
        {
            Raw = [("rawo", "openai-compatible", _openai), ("rawa", "anthropic", _anthropic)],
            Models = [("o", ["rawo/m=m", "azure/m=gpt-5.2"]), ("a", ["rawa/m=m", "azure/m=gpt-5.2"])],
            Limits = ["first_token_timeout: 2500ms", "idle_timeout: 600ms", "retry_floor: 10000", "breaker_failures: 1000"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _openai.DisposeAsync();
        await _anthropic.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task Stream_BreaksAfterEachEvent_EndsInAnErrorOfTheProtocolAndNoFalseEnd(string kind)
    {
        List<Task> all = [];
        foreach (Caller caller in Caller.All)
        {
            foreach (string model in (string[])["o", "a"])
            {
                string[] events = RawWire.Events(model == "a");
                for (int sent = 0; sent < events.Length; sent++)
                {
                    all.Add(CheckAsync(caller, model, kind, sent, events));
                }
            }
        }

        await Task.WhenAll(all);
        await _gateway.ReconcileAsync();
    }

    private async Task CheckAsync(Caller caller, string model, string kind, int sent, string[] events)
    {
        ClientAnswer answer = await _gateway.AskAsync(caller, model, stream: true, prompt: $"[[{kind} {sent}]]");
        LedgerEntry[] rows = await _gateway.RowsAsync(answer);
        string what = $"{kind} after {sent} of {model} for {caller.Name}: {answer}\n{rows[0].Outcome} {rows[0].Reason} {rows[0].OutputTokens}";
        string text = string.Concat(events[..sent].Select(TextOf));
        bool isFinished = events[..sent].Any(one => one.Contains("\"stop\"", StringComparison.Ordinal) || one.Contains("end_turn", StringComparison.Ordinal));
        if (isFinished && (kind == "close" || (kind == "cut-in-event" && answer.IsComplete)))
        {
            // Servers may close after the finish reason without a terminal mark: that is an end, and the client gets its mark from the gateway.
            Assert.True(answer is { IsComplete: true, IsError: false, Attempts: "1" } && answer.Text.ToString() == text, what);
            return;
        }

        if (text.Length == 0)
        {
            Assert.True(answer is { IsComplete: true, Attempts: "2" }, what);
            Assert.True(rows is [{ Outcome: AttemptOutcome.Failed }, { Outcome: AttemptOutcome.Completed }], what);
            return;
        }

        Assert.True(answer is { Status: 200, IsComplete: false, IsError: true, Attempts: "1" }, what);
        Assert.Equal(answer.Id, answer.ErrorId);
        Assert.DoesNotContain(Secret, answer.Body, StringComparison.Ordinal);
        Assert.True(answer.Text.ToString() == text, what);
        LedgerEntry row = Assert.Single(rows);
        Assert.True(row is { Outcome: AttemptOutcome.Interrupted, IsEstimated: true, InputTokens: > 0 } && row.OutputTokens >= (text.Length + 2) / 3, what);
    }

    private static string TextOf(string one)
    {
        foreach (string mark in (string[])["\"content\":\"", "\"text\":\""])
        {
            int start = one.IndexOf(mark, StringComparison.Ordinal);
            if (start >= 0)
            {
                start += mark.Length;
                return one[start..one.IndexOf('"', start)];
            }
        }

        return "";
    }

    private static async Task BreakAsync(RawVisit visit, bool isAnthropic)
    {
        string prompt = visit.Body[(visit.Body.IndexOf("[[", StringComparison.Ordinal) + 2)..];
        string[] words = prompt[..prompt.IndexOf("]]", StringComparison.Ordinal)].Split(' ');
        string kind = words[0];
        int sent = int.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture);
        string[] events = RawWire.Events(isAnthropic);
        await visit.WriteAsync(RawWire.StreamHead + string.Concat(events[..sent]));
        switch (kind)
        {
            case "reset":
                // What was sent must have been read before a reset throws it away.
                await visit.WaitAsync(TimeSpan.FromMilliseconds(200));
                visit.Reset();
                break;
            case "cut-in-event":
                await visit.WriteAsync(events[sent][..(events[sent].Length / 2)]);
                break;
            case "stall":
                await visit.WaitForHangUpAsync();
                break;
            case "error-event":
                await visit.WriteAsync(isAnthropic
                    ? "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded: " + Secret + "\"}}\n\n"
                    : "data: {\"error\":{\"message\":\"Failed: " + Secret + "\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n");
                break;
            case "odd-error-event":
                await visit.WriteAsync(isAnthropic ? "event: error\ndata: {\"message\":\"x\"}\n\n" : "event: error\ndata: {\"error\":\"" + Secret + "\"}\n\n");
                break;
            case "garbage":
                await visit.WriteAsync([.. Encoding.ASCII.GetBytes("data: {\"x\": \n\n"), 0xff, 0, 0xfe, 10, 10]);
                break;
        }
    }
}
