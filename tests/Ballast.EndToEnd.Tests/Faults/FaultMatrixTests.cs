using Ballast.Ledger;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>
/// Every fault of the sandbox × streamed and whole × both callers × passed on and translated × with and without a healthy second deployment. The sixteen cells of one
/// fault run at once, each with deployments of its own.
/// </summary>
[Collection("Faults")]
public sealed class FaultMatrixTests : IAsyncLifetime
{
    private const int RetryAfterSeconds = 7;

    private static readonly Cell[] Cells =
    [
        .. from caller in Caller.All
        from stream in (bool[])[true, false]
        from isTranslated in (bool[])[true, false]
        from hasSecond in (bool[])[true, false]
        select new Cell(caller, stream, isTranslated, hasSecond),
    ];

    private FaultGateway _gateway = null!;

    public static TheoryData<string> Faults => [.. FaultKindNames.All, "rate-limit-with-retry-after"];

    public async ValueTask InitializeAsync() => _gateway = await FaultGateway.StartAsync(new FaultSetup
    {
        Models = [.. Cells.Select(cell => (cell.Model, cell.Deployments))],
        Limits = ["first_token_timeout: 2500ms", "idle_timeout: 2500ms", "retry_floor: 10000", "breaker_failures: 1000"],
    });

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Fault_InEveryCell_EndsAsTheContractSays(string fault)
    {
        bool hasRetryAfter = fault == "rate-limit-with-retry-after";
        Assert.True(FaultKindNames.TryParse(hasRetryAfter ? "rate-limit" : fault, out FaultKind kind));
        foreach (string model in (string[])["gpt-5-mini", "claude-haiku-4-5"])
        {
            _gateway.Sandbox.Faults.Add(new FaultRule
            {
                Platform = "*", Model = model, Kind = kind, AfterEvents = 0, Delay = TimeSpan.FromSeconds(20),
                RetryAfter = hasRetryAfter ? TimeSpan.FromSeconds(RetryAfterSeconds) : null,
            });
        }

        ClientAnswer[] answers = await AskEveryCellAsync(kind);
        foreach ((Cell cell, ClientAnswer answer) in Cells.Zip(answers))
        {
            LedgerEntry[] rows = await _gateway.RowsAsync(answer);
            Expected expected = Expectation(kind, cell);
            string what = $"{fault}, {cell}: {answer}\n{string.Join('\n', rows.Select(row => $"{row.Deployment} {row.Outcome} {row.Reason}"))}";
            CheckHeaders(answer, what);
            if (expected.IsServed)
            {
                Assert.True(answer is { IsComplete: true, Attempts: "1" } && answer.Text.ToString() == Caller.Answer, what);
                Assert.True(rows is [{ Outcome: AttemptOutcome.Completed, Reason: null }], what);
                Assert.True(rows[0].IsEstimated == (kind == FaultKind.MissingUsage), what);
                continue;
            }

            if (expected.IsInterrupted)
            {
                Assert.True(answer is { Status: 200, IsComplete: false, IsError: true }, what);
                Assert.True(rows is [{ Outcome: AttemptOutcome.Interrupted, IsEstimated: true }], what);
                continue;
            }

            if (expected.IsRefused)
            {
                Assert.True(answer.Status == expected.Status && answer.ErrorId == answer.Id && answer.Attempts == "1", what);
                Assert.True(rows is [{ Outcome: AttemptOutcome.Failed }] && expected.Reasons.Contains(rows[0].Reason), what);
                continue;
            }

            Assert.True(rows.Length == (cell.HasSecond ? 2 : 1) && rows[0].Outcome == AttemptOutcome.Failed && expected.Reasons.Contains(rows[0].Reason), what);
            if (cell.HasSecond)
            {
                Assert.True(answer is { Status: 200, IsComplete: true, Attempts: "2" } && answer.Text.ToString() == Caller.Answer, what);
                Assert.True(rows[1] is { Outcome: AttemptOutcome.Completed, IsEstimated: false }, what);
            }
            else
            {
                Assert.True(answer.Status == expected.Status && answer.ErrorId == answer.Id && answer.Attempts == "1", what);
                bool tellsWait = answer.Headers.TryGetValue("Retry-After", out string? wait);
                Assert.True(kind != FaultKind.RateLimit || wait == (hasRetryAfter ? "7" : "2"), what);
                Assert.True(kind == FaultKind.RateLimit || !tellsWait, what);
                Assert.True(answer.ErrorCode is not null, what);
                CheckNothingLeaks(answer, what);
            }
        }

        await _gateway.ReconcileAsync();
    }

    private async Task<ClientAnswer[]> AskEveryCellAsync(FaultKind kind)
    {
        // Sixteen huge lines at once would be a test of the machine.
        using SemaphoreSlim atOnce = new(kind == FaultKind.HugeLine ? 2 : Cells.Length);
        return await Task.WhenAll(Cells.Select(async cell =>
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
    }

    private static Expected Expectation(FaultKind kind, Cell cell)
    {
        bool isAnthropic = cell.Caller.IsAnthropic;
        string[] broken = ["upstream_stream_cut", "upstream_malformed"];
        return kind switch
        {
            FaultKind.WrongContentType or FaultKind.MissingUsage => new Expected { IsServed = true },
            FaultKind.HugeLine when !cell.Stream => new Expected { IsServed = true },
            FaultKind.NeverFinishes when cell.Stream => new Expected { IsInterrupted = true },
            FaultKind.Refuse => new Expected { Status = 502, Reasons = ["upstream_connection_lost"] },
            FaultKind.Blackhole or FaultKind.SlowFirstByte => new Expected { Status = 504, Reasons = ["upstream_timeout_first_token"] },
            FaultKind.Stall => new Expected { Status = 504, Reasons = [cell.Stream ? "upstream_timeout_first_token" : "upstream_timeout_idle"] },
            FaultKind.RateLimit => new Expected { Status = 429, Reasons = ["upstream_status_429"] },
            FaultKind.Quota => new Expected { Status = isAnthropic ? 402 : 429, Reasons = ["upstream_status_429", "upstream_status_400", "upstream_status_402"] },
            FaultKind.Forbidden403 => new Expected { Status = 502, Reasons = ["upstream_credentials_refused"] },
            FaultKind.TooLarge413 => new Expected { IsRefused = true, Status = 413, Reasons = ["upstream_status_413"] },
            FaultKind.Error500 => new Expected { Status = 500, Reasons = ["upstream_status_500"] },
            FaultKind.Error503 => new Expected { Status = 503, Reasons = ["upstream_status_503"] },
            FaultKind.Overloaded529 => new Expected { Status = isAnthropic ? 529 : 503, Reasons = ["upstream_status_529", "upstream_status_503"] },
            FaultKind.StreamErrorFirst or FaultKind.StreamErrorAfter when cell.Stream => new Expected
            {
                // What the platform says in its stream: the one is overloaded, the other has failed.
                Status = cell.IsFaultyAnthropic ? (isAnthropic ? 529 : 503) : 500, Reasons = ["upstream_stream_error"],
            },
            FaultKind.StreamErrorFirst or FaultKind.StreamErrorAfter => new Expected { Status = 500, Reasons = ["upstream_status_500"] },
            FaultKind.HtmlError => new Expected { Status = 502, Reasons = ["upstream_status_502"] },
            FaultKind.Redirect => new Expected { Status = 502, Reasons = ["upstream_redirected"] },
            _ => new Expected { Status = 502, Reasons = broken },
        };
    }

    private static void CheckHeaders(ClientAnswer answer, string what)
    {
        string[] known =
        [
            "date", "content-type", "content-length", "transfer-encoding", "cache-control", "x-accel-buffering", "x-request-id", "request-id", "retry-after",
            "x-ballast-request-id", "x-ballast-deployment", "x-ballast-attempts", "x-ballast-upstream-request-id", "x-ballast-loss",
        ];
        foreach (string name in answer.Headers.Keys)
        {
            Assert.True(known.Contains(name.ToLowerInvariant()) || name.Contains("ratelimit", StringComparison.OrdinalIgnoreCase), $"{name} reached the client: {what}");
        }
    }

    private static void CheckNothingLeaks(ClientAnswer answer, string what)
    {
        foreach (string word in (string[])["sandbox", "org-", "nginx", "<html", "127.0.0.1", "platform.openai", "localhost", "http", "anthropic.com", "gpt-5", "claude", "key-at"])
        {
            Assert.False(answer.Body.Contains(word, StringComparison.OrdinalIgnoreCase), $"'{word}' reached the client: {what}");
        }
    }

    private sealed record Expected
    {
        /// <summary>The answer is good all the same.</summary>
        public bool IsServed { get; init; }
        public bool IsInterrupted { get; init; }

        /// <summary>The request itself is at fault: no second attempt.</summary>
        public bool IsRefused { get; init; }
        public int Status { get; init; }
        public string[] Reasons { get; init; } = [];
    }

    private sealed record Cell(Caller Caller, bool Stream, bool IsTranslated, bool HasSecond)
    {
        public string Model => $"{(Caller.IsAnthropic ? "a" : "o")}{(Stream ? "s" : "w")}{(IsTranslated ? "t" : "p")}{(HasSecond ? 2 : 1)}";
        public bool IsFaultyAnthropic => Caller.IsAnthropic != IsTranslated;

        /// <summary>The faulty one first; the second speaks the other protocol in half of the cells.</summary>
        public string[] Deployments
        {
            get
            {
                string faulty = IsFaultyAnthropic ? $"anthropic/{Model}=claude-haiku-4-5" : $"openai/{Model}=gpt-5-mini";
                string healthy = Stream == IsFaultyAnthropic ? $"azure/{Model}=gpt-5.2" : $"anthropic/{Model}-2=claude-sonnet-4-5";
                return HasSecond ? [faulty, healthy] : [faulty];
            }
        }
    }
}
