using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.EndToEnd.Tests.Tenancy;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>One <c>Idempotency-Key</c>, one call of a platform, whatever the client repeats; on every surface, against the platform's own bill.</summary>
public sealed class IdempotencyTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Surfaces, whole and streamed, with the body that asks there.</summary>
    public static TheoryData<string, string> Surfaces => new()
    {
        { "/v1/chat/completions", """{"model":"priced","max_tokens":40,"messages":[{"role":"user","content":"The tide?"}]}""" },
        { "/v1/chat/completions", """{"model":"priced","stream":true,"max_tokens":40,"messages":[{"role":"user","content":"The tide?"}]}""" },
        { "/v1/messages", """{"model":"priced","max_tokens":40,"messages":[{"role":"user","content":"The tide?"}]}""" },
        { "/v1/messages", """{"model":"priced","stream":true,"max_tokens":40,"messages":[{"role":"user","content":"The tide?"}]}""" },
        { "/v1/responses", """{"model":"priced","max_output_tokens":40,"input":"The tide?"}""" },
        { "/v1/responses", """{"model":"priced","stream":true,"max_output_tokens":40,"input":"The tide?"}""" },
        { "/v1beta/models/priced:generateContent", """{"contents":[{"role":"user","parts":[{"text":"The tide?"}]}]}""" },
        { "/v1beta/models/priced:streamGenerateContent", """{"contents":[{"role":"user","parts":[{"text":"The tide?"}]}]}""" },
        { "/v1beta/models/priced:streamGenerateContent?alt=sse", """{"contents":[{"role":"user","parts":[{"text":"The tide?"}]}]}""" },
        { "/model/priced/converse", """{"messages":[{"role":"user","content":[{"text":"The tide?"}]}]}""" },
        { "/model/priced/converse-stream", """{"messages":[{"role":"user","content":[{"text":"The tide?"}]}]}""" },
        { "/api/chat", """{"model":"priced","messages":[{"role":"user","content":"The tide?"}]}""" },
        { "/v2/chat", """{"model":"priced","messages":[{"role":"user","content":"The tide?"}]}""" },
        { "/v1/embeddings", """{"model":"openai/text-embedding-3-small","input":"the tide"}""" },
        { "/v1/images/generations", """{"model":"openai/gpt-image-1-mini","prompt":"a boat"}""" },
    };

    [Theory]
    [MemberData(nameof(Surfaces))]
    public async Task Repeated_OnAnySurface_GetsTheSameAnswerAndIsNotSentAgain(string path, string body)
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("");

        Answer first = await AskAsync(gateway, path, body, "k-1");
        Answer second = await AskAsync(gateway, path, body, "k-1");
        Answer other = await AskAsync(gateway, path, body.Replace("ide", "ime", StringComparison.Ordinal).Replace("boat", "ship", StringComparison.Ordinal), "k-1");
        await gateway.RestartAsync();
        Answer third = await AskAsync(gateway, path, body, "k-1");

        Assert.Equal((200, false), (first.Status, first.IsReplayed));
        Assert.True(first.Body.Length > 20);
        Assert.Equal(first with { IsReplayed = true }, second);
        Assert.Equal(first with { IsReplayed = true }, third);
        Assert.InRange(other.Status, 400, 422);
        Assert.Contains("Idempotency-Key", Encoding.UTF8.GetString(Convert.FromBase64String(other.Body)), StringComparison.Ordinal);
        Assert.Single(gateway.Sandbox.Billing.Rows);
    }

    [Fact]
    public async Task Form_WithAnotherBoundary_IsTheSameRequest()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("");

        Answer first = await EditAsync(gateway, "one", "a boat");
        Answer second = await EditAsync(gateway, "another-boundary", "a boat");
        Answer other = await EditAsync(gateway, "one", "a ship");

        Assert.Equal(200, first.Status);
        Assert.Equal(first with { IsReplayed = true }, second);
        Assert.Equal(422, other.Status);
        Assert.Single(gateway.Sandbox.Billing.Rows);
    }

    [Fact]
    public async Task Error_OfThePlatform_IsGivenAgain()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("");
        gateway.Sandbox.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.Error500 });

        Answer first = await AskAsync(gateway, "/v1/chat/completions", Chat("The tide?"), "k");
        gateway.Sandbox.Faults.Clear();
        Answer second = await AskAsync(gateway, "/v1/chat/completions", Chat("The tide?"), "k");

        Assert.True(first.Status >= 500);
        Assert.Equal(first with { IsReplayed = true }, second);
        Assert.Equal(first.ExchangeId, Assert.Single(gateway.Sandbox.Billing.Rows.Select(static row => row.ClientRequestId![..36]).Distinct()));
    }

    /// <summary>What was refused before anything was sent used nothing up, as with Stripe.</summary>
    [Fact]
    public async Task Request_ThatWasNeverSent_LeavesItsKeyFree()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("");

        Assert.Equal(404, (await AskAsync(gateway, "/v1/chat/completions", Chat("The tide?", model: "unknown"), "k")).Status);
        Answer second = await AskAsync(gateway, "/v1/chat/completions", Chat("The tide?"), "k");

        Assert.Equal((200, false), (second.Status, second.IsReplayed));
    }

    [Fact]
    public async Task Stream_ThatBrokeOff_IsGivenAgainAsItWas()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("");
        gateway.Sandbox.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.Cut, AfterEvents = 4 });

        Answer first = await AskAsync(gateway, "/v1/chat/completions", Chat("The tide?", stream: true), "k");
        gateway.Sandbox.Faults.Clear();
        Answer second = await AskAsync(gateway, "/v1/chat/completions", Chat("The tide?", stream: true), "k");

        Assert.Contains("upstream_stream_cut", Encoding.UTF8.GetString(Convert.FromBase64String(first.Body)), StringComparison.Ordinal);
        Assert.Equal(first with { IsReplayed = true }, second);
    }

    /// <summary>Who loses its connection is the one that repeats: the request goes on without it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Client_ThatHangsUp_FindsTheAnswerWhenItReturns(bool stream)
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("", latencyScale: 2);
        gateway.Sandbox.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.SlowFirstByte, Delay = TimeSpan.FromSeconds(1) });
        string body = Chat("Count from 1 to 60.", stream);
        using (CancellationTokenSource hangUp = new())
        {
            using HttpRequestMessage request = NewRequest("/v1/chat/completions", body, "k");
            Task<HttpResponseMessage> asking = gateway.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, hangUp.Token);
            Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(gateway.Sandbox.Billing.OpenCount == 1), Patience));
            if (stream)
            {
                using HttpResponseMessage response = await asking;
                await (await response.Content.ReadAsStreamAsync(Cancellation)).ReadAtLeastAsync(new byte[200], 200, cancellationToken: Cancellation);
            }

            await hangUp.CancelAsync();
        }

        Answer? answer = null;
        Assert.True(await GatewayHost.UntilAsync(async () => (answer = await AskAsync(gateway, "/v1/chat/completions", body, "k")).Status != 409, Patience));

        Assert.Equal((200, true), (answer!.Status, answer.IsReplayed));
        Assert.NotNull(Assert.Single(gateway.Sandbox.Billing.Rows).Finish);
    }

    [Theory]
    [InlineData("/v1/chat/completions", 409, "ballast_idempotency_running")]
    [InlineData("/v1/messages", 409, "conflict_error")]
    public async Task Repeated_WhileItRuns_IsAskedToWait(string path, int status, string word)
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("limits: { drain_timeout: 0s }");
        gateway.Sandbox.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.Blackhole });
        using CancellationTokenSource hangUp = new();
        Task<Answer> first = AskAsync(gateway, path, Chat("The tide?"), "k", cancellation: hangUp.Token);
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(gateway.Sandbox.Billing.OpenCount == 1), Patience));

        (int told, string body, HttpResponseHeaders headers) = await RawAsync(gateway, path, Chat("The tide?"), "k");
        (int mismatch, _, _) = await RawAsync(gateway, path, Chat("The time?"), "k");

        Assert.Equal((status, 422), (told, mismatch));
        Assert.Contains(word, body, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(1), headers.RetryAfter?.Delta);
        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
    }

    [Fact]
    public async Task Keys_OfTwoClients_DoNotMeet()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("");
        (_, JsonElement made) = await gateway.AdministerAsync("POST", "/admin/v1/keys", """{"id":"other","app":"tests"}""");

        Answer first = await AskAsync(gateway, "/v1/chat/completions", Chat("The tide?"), "k");
        Answer second = await AskAsync(gateway, "/v1/chat/completions", Chat("Another's question"), "k", made.GetProperty("key").GetString());

        Assert.Equal((200, 200, false), (first.Status, second.Status, second.IsReplayed));
        Assert.NotEqual(first.ExchangeId, second.ExchangeId);
    }

    [Theory]
    [InlineData("idempotency_keys_max: 2", 429, "ballast_idempotency_full")]
    [InlineData("idempotency_answer_max: 1KiB", 409, "ballast_idempotency_not_kept")]
    public async Task Limits_WhenReached_NeverLeadToASecondCall(string limit, int status, string code)
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync($"limits: {{ {limit} }}");
        string body = """{"model":"priced","max_tokens":400,"messages":[{"role":"user","content":"Count from 1 to 400."}]}""";
        bool isOfCount = status == 429;

        Assert.Equal(200, (await AskAsync(gateway, "/v1/chat/completions", body, "a")).Status);
        Assert.Equal(200, (await AskAsync(gateway, "/v1/chat/completions", body, "b")).Status);
        (int told, string text, HttpResponseHeaders headers) = await RawAsync(gateway, "/v1/chat/completions", body, isOfCount ? "c" : "a");

        Assert.Equal(status, told);
        Assert.Contains(code, text, StringComparison.Ordinal);
        Assert.Equal(!isOfCount, headers.Contains("x-should-retry"));
        Assert.Equal(2, gateway.Sandbox.Billing.Rows.Count);
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("")]
    public async Task Key_ThatIsNone_IsRefused(string key)
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("");

        (int status, string body, _) = await RawAsync(gateway, "/v1/chat/completions", Chat("The tide?"), key);

        Assert.Equal(400, status);
        Assert.Contains("ballast_idempotency_key_invalid", body, StringComparison.Ordinal);
        Assert.Empty(gateway.Sandbox.Billing.Rows);
    }

    /// <summary>Many keys, each used by several callers at once, some for another request, some hung up on, with restarts between: one call for each key.</summary>
    [Fact]
    public Task Run_Hundreds_OneCallForEachKey() => RunAsync(keys: 250, rounds: 3, seed: 25);

    [LongFact]
    public Task Run_TenThousand_OneCallForEachKey() => RunAsync(keys: 2_500, rounds: 5, seed: Environment.TickCount);

    private static async Task RunAsync(int keys, int rounds, int seed)
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("");
        Random dice = new(seed);
        Dictionary<string, string> exchanges = new(StringComparer.Ordinal);
        int runs = 0;
        for (int round = 0; round < rounds; round++)
        {
            List<(string Key, int Delay, int Kind)> asked = [.. Enumerable.Range(0, keys).Select(_ => ($"k{dice.Next(keys)}", dice.Next(8) == 0 ? dice.Next(1, 20) : 0, dice.Next(12)))];
            await Parallel.ForEachAsync(asked, new ParallelOptions { MaxDegreeOfParallelism = 48, CancellationToken = Cancellation }, async (one, _) =>
            {
                Answer? answer = await TryAsync(gateway, one.Key, one.Delay, one.Kind);
                Interlocked.Increment(ref runs);
                if (answer is { Status: 200 })
                {
                    lock (exchanges)
                    {
                        Assert.True(exchanges.TryAdd(one.Key, answer.ExchangeId) || exchanges[one.Key] == answer.ExchangeId, $"seed {seed}: {one.Key} has two answers");
                    }
                }
            });
            Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(gateway.Server.Guard.Running == 0), Patience));
            await gateway.RestartAsync();
        }

        // A second call under a key would have taken the place of the first one's exchange.
        await gateway.Sandbox.Billing.FlushAsync();
        IReadOnlyList<BillingRow> bill = gateway.Sandbox.Billing.Rows;
        HashSet<string> kept = KeptExchanges.In(gateway.Files.Single(static file => file.EndsWith(".idempotency.db", StringComparison.Ordinal)));
        Assert.DoesNotContain(bill, row => !kept.Contains(KeptExchanges.Of(row)));
        Assert.Equal(kept.Count, bill.Count);
        Assert.Empty(exchanges.Values.Except(kept));
        TestContext.Current.SendDiagnosticMessage($"{runs} runs, {exchanges.Count} keys, {bill.Count} calls");
    }

    private static string BodyOf(string key) => Chat($"The tide of {key}?", stream: key[^1] % 2 == 0);

    private static async Task<Answer?> TryAsync(TenantGateway gateway, string key, int hangUpAfter, int kind)
    {
        using CancellationTokenSource hangUp = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        if (hangUpAfter > 0)
        {
            hangUp.CancelAfter(hangUpAfter);
        }

        try
        {
            // A key's first use decides what it is for: one in twelve asks for something else, after the first.
            Answer answer = await AskAsync(gateway, "/v1/chat/completions", BodyOf(key), key, cancellation: hangUp.Token);
            if (kind == 0)
            {
                Assert.Contains((await AskAsync(gateway, "/v1/chat/completions", Chat("Something else"), key, cancellation: hangUp.Token)).Status, (int[])[422, 409]);
            }

            Assert.Contains(answer.Status, (int[])[200, 409]);
            return answer;
        }
        catch (OperationCanceledException) when (!Cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    private static string Chat(string text, bool stream = false, string model = "priced") =>
        $$"""{"model":"{{model}}","max_tokens":100,"stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"{{text}}"}]}""";

    private static async Task<Answer> EditAsync(TenantGateway gateway, string boundary, string prompt)
    {
        using MultipartFormDataContent form = new(boundary)
        {
            { new StringContent("openai/gpt-image-1-mini"), "\"model\"" },
            { new StringContent(prompt), "\"prompt\"" },
            { new ByteArrayContent([1, 2, 3]), "\"image\"", "boat.png" },
        };
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/images/edits") { Content = form };
        request.Headers.TryAddWithoutValidation("x-api-key", TenantGateway.Key);
        request.Headers.TryAddWithoutValidation("Idempotency-Key", "k");
        return await SendAsync(gateway, request, Cancellation);
    }

    private static HttpRequestMessage NewRequest(string path, string body, string key, string? apiKey = null)
    {
        HttpRequestMessage request = TenantGateway.NewRequest(path, body, apiKey);
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        return request;
    }

    private static async Task<(int Status, string Body, HttpResponseHeaders Headers)> RawAsync(TenantGateway gateway, string path, string body, string key)
    {
        using HttpRequestMessage request = NewRequest(path, body, key);
        using HttpResponseMessage response = await gateway.Http.SendAsync(request, Cancellation);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation), response.Headers);
    }

    private static async Task<Answer> AskAsync(TenantGateway gateway, string path, string body, string key, string? apiKey = null, CancellationToken? cancellation = null)
    {
        using HttpRequestMessage request = NewRequest(path, body, key, apiKey);
        return await SendAsync(gateway, request, cancellation ?? Cancellation);
    }

    private static async Task<Answer> SendAsync(TenantGateway gateway, HttpRequestMessage request, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await gateway.Http.SendAsync(request, cancellation);
        return new Answer(
            (int)response.StatusCode,
            response.Headers.TryGetValues("idempotent-replayed", out IEnumerable<string>? told) && told.Single() == "true",
            response.Headers.GetValues("x-ballast-request-id").Single(),
            response.Content.Headers.ContentType?.ToString() ?? "",
            Convert.ToBase64String(await response.Content.ReadAsByteArrayAsync(cancellation)));
    }

    private sealed record Answer(int Status, bool IsReplayed, string ExchangeId, string MediaType, string Body);
}
