using Ballast.Ledger;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>
/// Every fault of the sandbox at Bedrock's runtime, by Converse and by InvokeModel, streamed and whole, for two callers, alone and with a healthy second deployment; and every
/// exception that can break a stream, before its first content and after it.
/// </summary>
[Collection("Faults")]
public sealed class BedrockFaultTests : IAsyncLifetime
{
    private const string Faulty = "eu.anthropic.claude-haiku-4-5-20251001-v1:0";

    private static readonly Cell[] s_cells =
    [
        .. from caller in Caller.All
        from api in (string[])["converse", "invoke"]
        from stream in (bool[])[true, false]
        from hasSecond in (bool[])[true, false]
        select new Cell(caller, api, stream, hasSecond),
    ];

    private FaultGateway _gateway = null!;

    /// <summary>All that another platform may heal: what is too large is told to the caller at once (<see cref="FaultMatrixTests"/>).</summary>
    public static TheoryData<string> Kinds => [.. FaultKindNames.All.Where(static name => name != "too-large-413")];

    public static TheoryData<string, int> Exceptions => new()
    {
        { "internalServerException", 500 }, { "modelStreamErrorException", 500 }, { "serviceUnavailableException", 503 }, { "throttlingException", 429 },
        { "modelTimeoutException", 504 }, { "aNewException", 500 },
    };

    public async ValueTask InitializeAsync() => _gateway = await FaultGateway.StartAsync(new FaultSetup
    {
        Models = [.. s_cells.Select(static cell => (cell.Model, cell.Deployments))],
        Limits = ["first_token_timeout: 2500ms", "idle_timeout: 2500ms", "retry_floor: 10000", "breaker_failures: 1000"],
    });

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Fault_OfEveryKind_IsAnsweredByTheSecondOrToldInTheCallersWay(string fault)
    {
        Assert.True(FaultKindNames.TryParse(fault, out FaultKind kind));
        _gateway.Sandbox.Faults.Add(new FaultRule { Platform = "bedrock", Model = Faulty, Kind = kind, AfterEvents = 0, Delay = TimeSpan.FromSeconds(20) });
        using SemaphoreSlim atOnce = new(kind == FaultKind.HugeLine ? 2 : s_cells.Length);
        ClientAnswer[] answers = await Task.WhenAll(s_cells.Select(async cell =>
        {
            await atOnce.WaitAsync(TestContext.Current.CancellationToken);
            try
            {
                return await _gateway.AskAsync(cell.Caller, cell.Model, cell.Stream);
            }
            finally
            {
                atOnce.Release();
            }
        }));
        foreach ((Cell cell, ClientAnswer answer) in s_cells.Zip(answers))
        {
            string what = $"{fault}, {cell}: {answer}";
            bool isServed = kind is FaultKind.WrongContentType or FaultKind.MissingUsage || (kind == FaultKind.HugeLine && !cell.Stream);
            if (isServed || cell.HasSecond && !(kind == FaultKind.NeverFinishes && cell.Stream))
            {
                Assert.True(answer is { Status: 200, IsComplete: true } && answer.Text.ToString() == Caller.Answer && (answer.Attempts == (isServed ? "1" : "2") || (GoogleFaultTests.Rests(kind) && answer.Attempts == "1")), what);
            }
            else if (kind == FaultKind.NeverFinishes && cell.Stream)
            {
                Assert.True(answer is { Status: 200, IsComplete: false, IsError: true, Attempts: "1" }, what);
            }
            else
            {
                Assert.True(answer.Status >= 400 && answer.ErrorId == answer.Id && answer.ErrorCode is not null && (answer.Attempts == "1" || GoogleFaultTests.Rests(kind)), what);
            }
        }

        await _gateway.ReconcileAsync();
    }

    [Theory]
    [MemberData(nameof(Exceptions))]
    public async Task Exception_BeforeContent_MovesOnOrIsTheCallersStatus(string exception, int status)
    {
        _gateway.Sandbox.Faults.Add(BreakAfter(1, exception));
        foreach (Cell cell in s_cells.Where(static cell => cell.Stream))
        {
            ClientAnswer answer = await _gateway.AskAsync(cell.Caller, cell.Model, stream: true);
            string what = $"{exception} before content, {cell}: {answer}";
            Assert.True(cell.HasSecond
                ? answer is { Status: 200, IsComplete: true, Attempts: "2" } && answer.Text.ToString() == Caller.Answer
                : answer.Status == status && answer.ErrorId == answer.Id, what);
        }

        await _gateway.ReconcileAsync();
    }

    [Theory]
    [MemberData(nameof(Exceptions))]
    public async Task Exception_AfterContent_IsAnErrorInTheCallersStream(string exception, int status)
    {
        _gateway.Sandbox.Faults.Add(BreakAfter(6, exception));
        foreach (Cell cell in s_cells.Where(static cell => cell.Stream))
        {
            ClientAnswer answer = await _gateway.AskAsync(cell.Caller, cell.Model, stream: true);
            LedgerEntry[] rows = await _gateway.RowsAsync(answer);
            string what = $"{exception} ({status}) after content, {cell}: {answer}";
            Assert.True(answer is { Status: 200, IsComplete: false, IsError: true, Attempts: "1" } && answer.Text.Length > 0, what);
            Assert.StartsWith(answer.Text.ToString(), Caller.Answer, StringComparison.Ordinal);
            Assert.True(rows is [{ Outcome: AttemptOutcome.Interrupted, IsEstimated: true }], what);
        }

        await _gateway.ReconcileAsync();
    }

    private static FaultRule BreakAfter(int events, string exception) =>
        new() { Platform = "bedrock", Model = Faulty, Kind = FaultKind.StreamErrorAfter, AfterEvents = events, Error = exception };

    private sealed record Cell(Caller Caller, string Api, bool Stream, bool HasSecond)
    {
        public string Model => $"{(Caller.IsAnthropic ? "a" : "o")}{Api[0]}{(Stream ? "s" : "w")}{(HasSecond ? 2 : 1)}";

        public string[] Deployments => HasSecond ? [$"{Api}/{Model}={Faulty}", $"anthropic/{Model}-2=claude-sonnet-4-5"] : [$"{Api}/{Model}={Faulty}"];
    }
}
