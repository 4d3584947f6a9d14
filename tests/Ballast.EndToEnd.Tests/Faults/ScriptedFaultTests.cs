using System.IO.Compression;
using System.Text;
using Ballast.Ledger;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Faults that no simulated platform has: raw bytes of an upstream that is no HTTP server at all.</summary>
[Collection("Faults")]
public sealed class ScriptedFaultTests : IAsyncLifetime
{
    private static readonly string Errors400Kb = new('x', 400_000);

    /// <summary>What the upstream sends, and whether a good answer can be made of it.</summary>
    private static readonly Dictionary<string, (Func<RawVisit, bool, Task> Send, Fate Fate)> Scripts = new()
    {
        ["redirect-307"] = ((visit, _) => visit.RespondAsync("307 Temporary Redirect", "location: http://127.0.0.1:1/\r\ncontent-length: 0\r\n", ""), Fate.MovesOn),
        ["empty-200"] = ((visit, _) => visit.RespondAsync("200 OK", "content-type: application/json\r\ncontent-length: 0\r\n", ""), Fate.MovesOn),
        ["no-content-204"] = ((visit, _) => visit.RespondAsync("204 No Content", "", ""), Fate.MovesOn),
        ["gzip-body"] = ((visit, anthropic) => SendGzipAsync(visit, anthropic, isTold: true), Fate.MovesOn),
        ["gzip-body-untold"] = ((visit, anthropic) => SendGzipAsync(visit, anthropic, isTold: false), Fate.MovesOn),
        ["error-of-400-kB"] = ((visit, _) => visit.RespondAsync("400 Bad Request", "content-type: application/json\r\n", $$$"""{"type":"error","error":{"message":"{{{Errors400Kb}}}","type":"invalid_request_error"}}"""), Fate.Refused),
        ["error-cut"] = ((visit, _) => visit.RespondAsync("400 Bad Request", "content-type: application/json\r\n", """{"type":"error","error":{"message":"half of"""), Fate.Refused),
        ["error-of-no-protocol"] = ((visit, _) => visit.RespondAsync("400 Bad Request", "content-type: application/json\r\n", """{"detail":"something at /srv/app.py"}"""), Fate.Refused),
        ["garbage-bytes"] = ((visit, _) => visit.WriteAsync([0, 1, 2, 3, 0xff, 0xfe, .. "\r\n\r\n"u8, 4, 5]), Fate.MovesOn),
        ["garbage-body"] = ((visit, _) => visit.WriteAsync([.. Encoding.ASCII.GetBytes(RawWire.StreamHead), 0xff, 0xfe, 0, 10, 10, 0x80, 13, 10, 13, 10, 0xc3]), Fate.MovesOn),
        ["json-under-event-stream"] = ((visit, _) => visit.WriteAsync(RawWire.StreamHead + """{"error":{"message":"no"}}"""), Fate.MovesOn),
        ["html-200"] = ((visit, _) => visit.RespondAsync("200 OK", "content-type: text/html\r\n", "<html>Sign in</html>"), Fate.MovesOn),
        ["pings-then-close"] = ((visit, anthropic) => visit.WriteAsync(RawWire.StreamHead + RawWire.Ping(anthropic) + RawWire.Ping(anthropic)), Fate.MovesOn),
        ["end-without-content"] = ((visit, anthropic) => visit.WriteAsync(RawWire.StreamHead + Without(anthropic, "Hello", "there", "world", "\".\"", "stop\"", "stop_reason\":\"end_turn")), Fate.MovesOn),
        ["header-bomb"] = ((visit, _) => visit.WriteAsync("HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Range(0, 2000).Select(i => $"x-{i}: {new string('y', 100)}\r\n")) + "\r\n{}"), Fate.MovesOn),
        ["endless-header"] = ((visit, _) => visit.WriteAsync("HTTP/1.1 200 OK\r\nx: " + new string('y', 4 * 1024 * 1024)), Fate.MovesOn),
        ["duplicate-terminal"] = ((visit, anthropic) => visit.WriteAsync(RawWire.Answer(visit, anthropic) + (visit.IsStream ? RawWire.Events(anthropic)[^1] : "")), Fate.Served),
        ["data-after-end"] = ((visit, anthropic) => visit.WriteAsync(RawWire.Answer(visit, anthropic) + (visit.IsStream ? string.Concat(RawWire.Events(anthropic)) : "")), Fate.Served),
        ["no-blank-line-at-end"] = ((visit, anthropic) => visit.WriteAsync(RawWire.Answer(visit, anthropic).TrimEnd('\n')), Fate.Served),
    };

    private RawUpstream _openai = null!;
    private RawUpstream _anthropic = null!;
    private FaultGateway _gateway = null!;
    private string _script = "";

    private enum Fate
    {
        MovesOn,

        /// <summary>The request is at fault: no second attempt.</summary>
        Refused,
        Served,
    }

    public static TheoryData<string> Names => [.. Scripts.Keys];

    public async ValueTask InitializeAsync()
    {
        _openai = new RawUpstream(visit => Scripts[_script].Send(visit, false));
        _anthropic = new RawUpstream(visit => Scripts[_script].Send(visit, true));
        _gateway = await FaultGateway.StartAsync(new FaultSetup
        {
            Raw = [("rawo", "openai-compatible", _openai), ("rawa", "anthropic", _anthropic)],
            Models =
            [
                ("o2", ["rawo/m=m", "azure/m=gpt-5.2"]), ("o1", ["rawo/m=m"]),
                ("a2", ["rawa/m=m", "anthropic/m=claude-sonnet-4-5"]), ("a1", ["rawa/m=m"]),
            ],
            Limits = ["first_token_timeout: 3s", "idle_timeout: 3s", "retry_floor: 10000", "breaker_failures: 1000"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _openai.DisposeAsync();
        await _anthropic.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task RawFault_InEveryCell_EndsAsTheContractSays(string name)
    {
        _script = name;
        Fate fate = Scripts[name].Fate;
        foreach (Caller caller in Caller.All)
        {
            foreach (bool stream in (bool[])[true, false])
            {
                foreach (string model in (string[])["o2", "o1", "a2", "a1"])
                {
                    ClientAnswer answer = await _gateway.AskAsync(caller, model, stream);
                    LedgerEntry[] rows = await _gateway.RowsAsync(answer);
                    string what = $"{name} {caller.Name} {model} stream={stream}: {answer.Status} {answer.Body[..Math.Min(answer.Body.Length, 600)]} {rows[0].Reason}";
                    Check(stream && name == "json-under-event-stream" ? Fate.MovesOn : fate, model.EndsWith('2'), answer, rows, what);
                }
            }
        }

        await _gateway.ReconcileAsync();
    }

    private static void Check(Fate fate, bool hasSecond, ClientAnswer answer, LedgerEntry[] rows, string what)
    {
        switch (fate)
        {
            case Fate.Served:
                Assert.True(answer is { IsComplete: true, Attempts: "1" } && answer.Text.ToString() == RawWire.Text, what);
                Assert.True(rows is [{ Outcome: AttemptOutcome.Completed, OutputTokens: 5, IsEstimated: false }], what);
                break;
            case Fate.Refused:
                Assert.True(answer is { Status: 400, IsError: true, Attempts: "1" } && answer.Body.Length < 10_000 && answer.ErrorId == answer.Id, what);
                Assert.True(rows is [{ Outcome: AttemptOutcome.Failed, OutputTokens: 0 }], what);
                break;
            case Fate.MovesOn when hasSecond:
                Assert.True(answer is { Status: 200, IsComplete: true, Attempts: "2" } && answer.Text.ToString() == Caller.Answer, what);
                Assert.True(rows is [{ Outcome: AttemptOutcome.Failed }, { Outcome: AttemptOutcome.Completed }], what);
                break;
            default:
                Assert.True(answer is { Status: >= 500, IsError: true } && answer.ErrorId == answer.Id, what);
                Assert.True(rows is [{ Outcome: AttemptOutcome.Failed }], what);
                break;
        }
    }

    /// <summary>The events of a stream but for those that hold one of the words.</summary>
    private static string Without(bool isAnthropic, params string[] words) =>
        string.Concat(RawWire.Events(isAnthropic).Where(one => !words.Any(word => one.Contains(word, StringComparison.Ordinal))));

    private static async Task SendGzipAsync(RawVisit visit, bool isAnthropic, bool isTold)
    {
        string answer = RawWire.Answer(visit, isAnthropic);
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(Encoding.UTF8.GetBytes(answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]));
        }

        string type = visit.IsStream ? "text/event-stream" : "application/json";
        string told = isTold ? "content-encoding: gzip\r\n" : "";
        await visit.WriteAsync([.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\ncontent-type: {type}\r\n{told}connection: close\r\n\r\n"), .. packed.ToArray()]);
    }
}
