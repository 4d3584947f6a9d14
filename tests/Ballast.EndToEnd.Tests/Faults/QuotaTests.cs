using System.Globalization;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Hard quotas in the real gateway, under far more load than they allow: what the platforms' own log says of it.</summary>
[Collection("Faults")]
public sealed class QuotaTests
{
    /// <summary>The gateway's minute takes so many times less on the platforms' clock.</summary>
    private const int Faster = 20;

    private const int AtOnce = 16;

    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1) / Faster;

    /// <summary>E9, and E5's last part: parallel load for three of its minutes, while one platform goes and returns. In no window is a platform asked for more than its quota.</summary>
    [Fact]
    public async Task ParallelLoad_APlatformGoesAndReturns_NoWindowIsAboveAQuota()
    {
        await using FaultGateway gateway = await StartAsync(
            [("m", ["azure/m=gpt-5-mini", "bedrock/m=openai.gpt-5-mini", "openai/m=gpt-5-mini"]), ("e", ["openai/e=text-embedding-3-small"])],
            azure: "{ requests_per_minute: 60, enforce: hard }", bedrock: "{ tokens_per_minute: 30000, enforce: hard }", openai: "{ requests_per_minute: 40, tokens_per_minute: 60000, enforce: hard }");

        long start = TimeProvider.System.GetTimestamp();
        TimeSpan Since() => TimeProvider.System.GetElapsedTime(start);
        Task<ClientAnswer[]> load = AskUntilAsync(gateway, () => Since() > 3 * s_minute);
        await Task.Delay(s_minute / 2, TimeProvider.System, TestContext.Current.CancellationToken);
        await gateway.Sandbox.DisappearAsync("azure");
        await Task.Delay(s_minute, TimeProvider.System, TestContext.Current.CancellationToken);
        await gateway.Sandbox.ReturnAsync("azure");
        ClientAnswer[] answers = await load;
        await gateway.SettleAsync();

        BillingRow[] bill = [.. gateway.Sandbox.Billing.Rows];
        long azure = Fullest(bill, "azure", static _ => 1);
        long bedrock = Fullest(bill, "bedrock", Tokens);
        long openai = Fullest(bill, "openai", static _ => 1);
        long openaiTokens = Fullest(bill, "openai", Tokens);
        Assert.True(azure <= 60 && bedrock <= 30_000 && openai <= 40 && openaiTokens <= 60_000, $"azure {azure} of 60 requests, bedrock {bedrock} of 30000 tokens, openai {openai} of 40 requests and {openaiTokens} of 60000 tokens");

        // They are kept because they bind, and are used for what they are.
        Assert.InRange(azure, 55, 60);
        Assert.InRange(openai, 36, 40);
        ClientAnswer[] refused = [.. answers.Where(static answer => answer is { Status: 429, ErrorCode: "ballast_quota_reached" })];
        Assert.NotEmpty(refused);
        Assert.All(refused, static answer => Assert.InRange(int.Parse(answer.Headers["retry-after"], CultureInfo.InvariantCulture), 1, 61));

        // Beside them only those fail for whom nobody but the platform that was away had room.
        Assert.All(answers, static answer => Assert.True(answer.IsComplete || answer.Status is 429 or 502 or 503, answer.ToString()));
        TestContext.Current.SendDiagnosticMessage(
            $"E9: {answers.Length} requests, {bill.Length} reached a platform, fullest window: azure {azure}/60 requests, bedrock {bedrock}/30000 tokens, openai {openai}/40 requests and {openaiTokens}/60000 tokens; {refused.Length} refused");
    }

    /// <summary>What comes by failover counts as well: planned while there was room, sent only where there still is.</summary>
    [Fact]
    public async Task Failovers_ManyAtOnce_StopAtTheQuota()
    {
        await using FaultGateway gateway = await StartAsync(
            [("m", ["azure/m=gpt-5-mini", "openai/m=gpt-5-mini"])], openai: "{ requests_per_minute: 5, enforce: hard }", limits: ["breaker_failures: 1000"]);
        await gateway.Sandbox.DisappearAsync("azure");

        ClientAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => gateway.AskAsync(Caller.OpenAI, "m", stream: false)));
        await gateway.SettleAsync();

        Assert.Equal(5, gateway.Sandbox.Billing.Rows.Count(static row => row.Platform == "openai"));
        Assert.Equal(5, answers.Count(static answer => answer.IsComplete));
    }

    /// <summary>With <c>quota_wait</c> whoever finds no room waits for it.</summary>
    [Fact]
    public async Task QuotaWait_ThreeWhereTwoMay_TheThirdIsAnsweredAMinuteLater()
    {
        await using FaultGateway gateway = await StartAsync([("m", ["openai/m=gpt-5-mini"])], openai: "{ requests_per_minute: 2, enforce: hard }", limits: ["quota_wait: 2m"]);

        ClientAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => gateway.AskAsync(Caller.OpenAI, "m", stream: false)));
        await gateway.SettleAsync();

        Assert.All(answers, static answer => Assert.True(answer.IsComplete, answer.ToString()));
        Assert.Equal(2, Fullest([.. gateway.Sandbox.Billing.Rows], "openai", static _ => 1));
        Assert.Equal((0, 1L), (gateway.Server.Room.Waiting, gateway.Server.Room.Served));
    }

    /// <summary>Every kind of request that is sent somewhere counts: answers, embeddings, counted tokens, what is only passed on, files and batches.</summary>
    [Fact]
    public async Task EveryOperation_AtTheAccountsQuota_IsSentNoMore()
    {
        await using FaultGateway gateway = await StartAsync(
            [("m", ["openai/m=gpt-5-mini"]), ("e", ["openai/e=text-embedding-3-small"]), ("o", ["openai/o=omni-moderation-latest"])],
            openai: "{ requests_per_minute: 4, enforce: hard }");
        (string Path, Func<HttpContent> Body)[] requests =
        [
            ("/v1/chat/completions", static () => Json("""{"model":"m","messages":[{"role":"user","content":"hello"}]}""")),
            ("/v1/embeddings", static () => Json("""{"model":"e","input":"hello"}""")),
            ("/v1/moderations", static () => Json("""{"model":"o","input":"hello"}""")),
            ("/v1/files", Upload),
        ];
        foreach ((string path, Func<HttpContent> body) in requests)
        {
            (int status, string text, _) = await SendAsync(gateway, path, body());
            Assert.True(status == 200, $"{path}: {status} {text}");
        }

        foreach ((string path, Func<HttpContent> body) in requests)
        {
            (int status, string text, string? retryAfter) = await SendAsync(gateway, path, body());
            Assert.True(status == 429 && text.Contains("ballast_quota_reached", StringComparison.Ordinal) && text.Contains("req_", StringComparison.Ordinal), $"{path}: {status} {text}");
            Assert.InRange(int.Parse(retryAfter!, CultureInfo.InvariantCulture), 1, 61);
        }

        await gateway.SettleAsync();
        Assert.Equal(4, gateway.Sandbox.Billing.Rows.Count);
    }

    /// <summary>Whoever was passed over is told: on the row of the request that went elsewhere, in the metrics and on the live page.</summary>
    [Fact]
    public async Task FirstIsAtItsQuota_IsToldInLedgerMetricsAndLivePage()
    {
        await using FaultGateway gateway = await StartAsync([("m", ["azure/m=gpt-5-mini", "openai/m=gpt-5-mini"])], azure: "{ requests_per_minute: 1, enforce: hard }");
        ClientAnswer[] answers = [await gateway.AskAsync(Caller.OpenAI, "m", stream: false), await gateway.AskAsync(Caller.OpenAI, "m", stream: true)];

        Assert.All(answers, static answer => Assert.True(answer.IsComplete, answer.ToString()));
        Assert.Empty(Assert.Single(await gateway.RowsAsync(answers[0])).Losses);
        LedgerEntry elsewhere = Assert.Single(await gateway.RowsAsync(answers[1]));
        Assert.Equal("openai/m", elsewhere.Deployment);
        Assert.Contains("quota:azure/m", elsewhere.Losses);
        using HttpClient admin = new() { BaseAddress = gateway.Server.AdminAddress };
        string metrics = await admin.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Contains("ballast_quota_turned_away_total{provider=\"azure\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("ballast_quota_requests{provider=\"azure\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("ballast_quota_requests_limit{provider=\"azure\"} 1\n", metrics, StringComparison.Ordinal);
        string live = await admin.GetStringAsync(new Uri("/live.json", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Contains("\"provider_quota\":{\"requests\":1,\"requests_per_minute\":1,\"tokens\":", live, StringComparison.Ordinal);
        Assert.Contains("\"used_up\":true", live, StringComparison.Ordinal);
    }

    private static Task<FaultGateway> StartAsync(IReadOnlyList<(string, string[])> models, string? azure = null, string? bedrock = null, string? openai = null, string[]? limits = null)
    {
        Dictionary<string, string> lines = new(StringComparer.Ordinal);
        foreach ((string name, string? quota) in (ReadOnlySpan<(string, string?)>)[("azure", azure), ("bedrock", bedrock), ("openai", openai)])
        {
            if (quota is not null)
            {
                lines[name] = $"api_key: ${{KEY_{name.ToUpperInvariant()}}}\n    quota: {quota}";
            }
        }

        return FaultGateway.StartAsync(new FaultSetup
        {
            Models = models,
            Credentials = lines,
            Limits = [.. limits ?? ["breaker_failures: 3"], "breaker_open: 2s", "ramp_up: 2s", "retry_floor: 1000", "first_token_timeout: 10m", "idle_timeout: 10m", "connect_timeout: 1m"],
            Server = static setup => setup with { Time = new FastTime(Faster) },
        });
    }

    /// <summary>Some streamed, all with a limit of output tokens.</summary>
    private static async Task<ClientAnswer[]> AskUntilAsync(FaultGateway gateway, Func<bool> isOver)
    {
        List<ClientAnswer>[] answers = [.. Enumerable.Range(0, AtOnce).Select(static _ => new List<ClientAnswer>())];
        await Task.WhenAll(answers.Select((own, index) => Task.Run(async () =>
        {
            for (int number = index; !isOver(); number++)
            {
                bool stream = number % 3 == 0;
                using HttpRequestMessage request = new(HttpMethod.Post, Caller.OpenAI.Path)
                {
                    Content = Json($$"""{"model":"m","max_completion_tokens":{{400 + (number % 7 * 100)}},"stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"{{string.Concat(Enumerable.Repeat("word ", 5 + (number * 7 % 90)))}}"}]}"""),
                };
                request.Headers.TryAddWithoutValidation("authorization", "Bearer " + FaultSetup.Key);
                own.Add(await ClientAnswer.SendAsync(gateway.Http, Caller.OpenAI, stream, request));
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
            }
        })));
        return [.. answers.SelectMany(static own => own)];
    }

    private static StringContent Json(string body) => new(body, System.Text.Encoding.UTF8, "application/json");

    private static MultipartFormDataContent Upload() => new()
    {
        { new StringContent("assistants"), "purpose" },
        { new StringContent("some words"), "file", "words.txt" },
    };

    private static async Task<(int Status, string Text, string? RetryAfter)> SendAsync(FaultGateway gateway, string path, HttpContent body)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, path) { Content = body };
        request.Headers.TryAddWithoutValidation("authorization", "Bearer " + FaultSetup.Key);
        request.Headers.TryAddWithoutValidation("x-ballast-model", "m");
        using HttpResponseMessage response = await gateway.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), response.Headers.TryGetValues("retry-after", out IEnumerable<string>? values) ? values.First() : null);
    }

    private static long Tokens(BillingRow row) => row.InputTokens + row.CacheReadTokens + row.CacheWriteTokens + row.OutputTokens;

    /// <summary>The most that a platform was asked for in any minute before one of its requests, by its own log.</summary>
    private static long Fullest(BillingRow[] bill, string platform, Func<BillingRow, long> amount)
    {
        BillingRow[] rows = [.. bill.Where(row => row.Platform == platform).OrderBy(static row => row.Time)];
        long sum = 0, most = 0;
        for (int last = 0, first = 0; last < rows.Length; last++)
        {
            sum += amount(rows[last]);
            for (; rows[last].Time - rows[first].Time >= s_minute; first++)
            {
                sum -= amount(rows[first]);
            }

            most = Math.Max(most, sum);
        }

        return most;
    }
}
