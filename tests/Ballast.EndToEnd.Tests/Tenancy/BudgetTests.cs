using System.Globalization;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Guards;
using Ballast.Ledger;

namespace Ballast.EndToEnd.Tests.Tenancy;

/// <summary>Budgets under fire, against the platform's own bill.</summary>
public sealed class BudgetTests
{
    private const decimal Usd = 0.05m;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// A thousand requests of every kind at once, with random limits, hang-ups and refusals, against a budget for a part of them: settled and reserved together never
    /// exceed it, the platform's bill does not, and nothing stays reserved.
    /// </summary>
    [Fact]
    public Task Budget_AThousandRequestsOfEveryKindAtOnce_IsNeverOverspent() => RunAsync(requests: 1000, seed: 11);

    [LongFact]
    public async Task Budget_TwoThousandRequestsOfEveryKindAtOnce_AreNeverOverspent()
    {
        for (int round = 0; round < 5; round++)
        {
            await RunAsync(requests: 2000, Environment.TickCount + round);
        }
    }

    private static async Task RunAsync(int requests, int seed)
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync(
            $$"""
            budgets:
              tests-month: { app: tests, usd: {{Usd.ToString(CultureInfo.InvariantCulture)}}, unpriced_request_usd: 0.0005 }
              key-tokens: { key: client, tokens: 100000000 }
            """);
        using CancellationTokenSource watching = new();
        Task<decimal> most = WatchAsync(gateway.Budget("tests-month"), watching.Token);
        Random random = new(seed);
        int[] statuses = await Task.WhenAll(Enumerable.Range(0, requests).Select(number => AskAsync(gateway, number, random.Next())));

        IReadOnlyList<LedgerEntry> rows = await gateway.EntriesAsync();
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(gateway.Budget("tests-month").Standing.Reserved == 0 && gateway.Budget("key-tokens").Standing.Reserved == 0), TimeSpan.FromSeconds(5)), "something stays reserved");
        await watching.CancelAsync();
        await gateway.Sandbox.Billing.FlushAsync();
        decimal billed = gateway.Sandbox.Billing.Rows.Where(static row => row.Model == "gpt-5-mini").Sum(static row => ((row.InputTokens + row.CacheReadTokens) * 1m + row.OutputTokens * 10m) / 1_000_000m);
        decimal spent = gateway.Budget("tests-month").Standing.Spent;
        Assert.True(await most <= Usd, $"at most {await most}");
        Assert.True(billed <= Usd && spent <= Usd, $"billed {billed}, spent {spent}");
        Assert.True(rows.Sum(static row => row.CostUsd ?? 0) <= spent, "the ledger has more than the budget");
        Assert.Contains(429, statuses);
        Assert.True(statuses.Count(static status => status == 200) > 20, $"{statuses.Count(static status => status == 200)} answered");
        Assert.True(gateway.Budget("key-tokens").Standing.Spent > 0);
    }

    /// <summary>What was spent is known again after an end and a start, from the ledger alone.</summary>
    [Fact]
    public async Task Budget_AfterARestart_KnowsWhatWasSpent()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync(
            """
            teams: { research: {} }
            apps: { tests: { team: research } }
            budgets:
              app: { app: tests, usd: 1 }
              team: { team: research, usd: 1 }
              key: { key: client, tokens: 1000000 }
            """);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(200, (await gateway.AskAsync("/v1/chat/completions", Chat("priced", 50))).Status);
        }

        decimal cost = (await gateway.EntriesAsync()).Sum(static row => row.CostUsd!.Value);
        string[] budgets = ["app", "team", "key"];
        decimal[] before = [.. budgets.Select(id => gateway.Budget(id).Standing.Spent)];
        await gateway.RestartAsync();

        Assert.Equal(before, budgets.Select(id => gateway.Budget(id).Standing.Spent));
        Assert.Equal((cost, cost), (before[0], before[1]));
        Assert.All(budgets, id => Assert.Equal(0, gateway.Budget(id).Standing.Reserved));
    }

    /// <summary>An answer in the background may cost what it may until somebody sees its end; where nobody does before the gateway ends, it has cost that.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Budget_AnswerInTheBackground_StaysReservedUntilItsEnd(bool isSeen)
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("budgets: { b: { app: tests, usd: 0.05 } }");
        const string body = """{"model":"openai/behind","background":true,"max_output_tokens":500,"input":"Hello"}""";
        (int status, string begun, _) = await gateway.AskAsync("/v1/responses", body);
        Assert.True(status == 200, begun);
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(gateway.Server.Guard.Running == 0), TimeSpan.FromSeconds(5)), "it still runs");
        decimal bound = gateway.Budget("b").Standing.Reserved;
        Assert.True(bound > 500 * 10 / 1_000_000m, $"{bound}");
        Assert.Equal(0, gateway.Budget("b").Standing.Spent);
        if (!isSeen)
        {
            await gateway.RestartAsync();
            LedgerEntry row = Assert.Single(await gateway.EntriesAsync());
            Assert.Equal(("background_unseen", true, bound), (row.Reason, row.IsEstimated, row.CostUsd));
            Assert.Equal((bound, 0m), (gateway.Budget("b").Standing.Spent, gateway.Budget("b").Standing.Reserved));
            return;
        }

        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(begun);
        string path = "/v1/responses/" + document.RootElement.GetProperty("id").GetString();
        Assert.True(await GatewayHost.UntilAsync(async () => (await LookAsync(gateway, path)).Contains("\"status\":\"completed\"", StringComparison.Ordinal), TimeSpan.FromSeconds(20)), "it does not end");
        decimal cost = (await gateway.EntriesAsync()).Sum(static row => row.CostUsd!.Value);
        Assert.True(cost > 0 && cost < bound / 2, $"{cost}");
        Assert.Equal((cost, 0m), (gateway.Budget("b").Standing.Spent, gateway.Budget("b").Standing.Reserved));
    }

    private static async Task<string> LookAsync(TenantGateway gateway, string path)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, path);
        request.Headers.Add("x-api-key", TenantGateway.Key);
        using HttpResponseMessage response = await gateway.Http.SendAsync(request, Cancellation);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    [Fact]
    public async Task Budget_RequestWithoutAPrice_IsRefusedOrTakenForItsAmount()
    {
        const string image = """{"model":"openai/gpt-image-1-mini","prompt":"a boat"}""";
        await using (TenantGateway strict = await TenantGateway.StartAsync("budgets: { b: { app: tests, usd: 1 } }"))
        {
            (int status, string body, _) = await strict.AskAsync("/v1/images/generations", image);
            Assert.Equal(429, status);
            Assert.Contains("ballast_unpriced", body, StringComparison.Ordinal);
            Assert.Empty(strict.Sandbox.Billing.Rows);
        }

        await using TenantGateway gateway = await TenantGateway.StartAsync("budgets: { b: { app: tests, usd: 1, unpriced_request_usd: 0.4 } }");
        int[] statuses = [(await gateway.AskAsync("/v1/images/generations", image)).Status, (await gateway.AskAsync("/v1/images/generations", image)).Status, (await gateway.AskAsync("/v1/images/generations", image)).Status];

        Assert.Equal([200, 200, 429], statuses);
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(gateway.Budget("b").Standing is { Spent: 0.8m, Reserved: 0 }), TimeSpan.FromSeconds(10)), $"{gateway.Budget("b").Standing}");
    }

    /// <summary>A picture has a price by tokens, and no limit of them: it is taken for the most that its deployment is said to write.</summary>
    [Fact]
    public async Task Budget_PictureWithAPrice_IsReservedAndBookedAsItWas()
    {
        const string image = """{"model":"openai/pictures","prompt":"a boat"}""";
        await using TenantGateway gateway = await TenantGateway.StartAsync("budgets: { small: { app: tests, usd: 0.01 }, large: { key: client, usd: 10 } }");
        Assert.Equal(429, (await gateway.AskAsync("/v1/images/generations", image)).Status);
        Assert.Empty(gateway.Sandbox.Billing.Rows);

        await using TenantGateway wide = await TenantGateway.StartAsync("budgets: { large: { key: client, usd: 10 } }");
        Assert.Equal(200, (await wide.AskAsync("/v1/images/generations", image)).Status);
        decimal cost = (await wide.EntriesAsync()).Single().CostUsd!.Value;
        Assert.True(cost > 0);
        Assert.Equal((cost, 0m), (wide.Budget("large").Standing.Spent, wide.Budget("large").Standing.Reserved));
    }

    /// <summary>Pictures by the piece: as many are booked as were asked for, and reserved at the dearest service that they may be answered with.</summary>
    [Fact]
    public async Task Budget_PicturesByThePiece_AreReservedAndBookedByTheirNumber()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("budgets: { b: { app: tests, usd: 0.25 } }");
        int[] statuses =
        [
            (await gateway.AskAsync("/v1/images/generations", """{"model":"openai/painted","prompt":"a boat","n":3}""")).Status,
            (await gateway.AskAsync("/v1/images/generations", """{"model":"openai/painted","prompt":"a boat","n":2}""")).Status,
            (await gateway.AskAsync("/v1/images/generations", """{"model":"openai/painted","prompt":"a boat","n":2}""")).Status,
        ];

        Assert.Equal([429, 200, 429], statuses);
        LedgerEntry row = Assert.Single(await gateway.EntriesAsync());
        Assert.Equal((0.08m, 2L), (row.CostUsd, row.Media?.Images));
        Assert.Equal((0.08m, 0m), (gateway.Budget("b").Standing.Spent, gateway.Budget("b").Standing.Reserved));
    }

    /// <summary>Each share and the first refusal are told once in a period, whatever the process does meanwhile.</summary>
    [Fact]
    public async Task Alerts_OverRestarts_AreToldOnce()
    {
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync();
        await using TenantGateway gateway = await TenantGateway.StartAsync(
            $$"""
            budgets: { b: { app: tests, usd: 0.01, alert_at: [10, 40] } }
            alerts: { webhook: "{{receiver.Address}}", secret_env: ALERT_SECRET, allow_private_addresses: true }
            """);
        for (int start = 0; start < 3; start++)
        {
            int status = 200;
            for (int i = 0; i < 60 && status == 200; i++)
            {
                status = (await gateway.AskAsync("/v1/chat/completions", Chat("priced", 200))).Status;
            }

            Assert.Equal(429, status);
            Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(receiver.Bodies.Count >= 3), TimeSpan.FromSeconds(60)), string.Join('\n', receiver.Bodies));
            await gateway.RestartAsync();
        }

        Assert.Equal(
            ["\"event\":\"budget.refused\"", "\"share_percent\":10", "\"share_percent\":40"],
            receiver.Bodies.Select(static body => body.Contains("refused", StringComparison.Ordinal) ? "\"event\":\"budget.refused\"" : body.Split(',').Single(static part => part.StartsWith("\"share_percent\"", StringComparison.Ordinal))).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("/v1/chat/completions", 429, "insufficient_quota")]
    [InlineData("/v1/messages", 402, "billing_error")]
    public async Task Budget_UsedUp_IsSaidInTheCallersProtocol(string path, int expected, string word)
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("budgets: { small: { app: tests, usd: 0.000001 } }");

        (int status, string body, _) = await gateway.AskAsync(path, Chat("priced", 50));

        Assert.Equal(expected, status);
        Assert.Contains(word, body, StringComparison.Ordinal);
        Assert.Contains("'small'", body, StringComparison.Ordinal);
        Assert.Empty(gateway.Sandbox.Billing.Rows);
    }

    private static string Chat(string model, int maxTokens, bool stream = false) =>
        $$"""{"model":"{{model}}","max_tokens":{{maxTokens}},"stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"Tell me about the tide, number {{maxTokens}}."}]}""";

    private static async Task<int> AskAsync(TenantGateway gateway, int number, int seed)
    {
        Random random = new(seed);
        int tokens = random.Next(1, 200);
        (string path, string body) = (number % 12) switch
        {
            0 => ("/v1/chat/completions", Chat("priced", tokens)),
            1 => ("/v1/chat/completions", Chat("priced", tokens, stream: true)),
            2 => ("/v1/messages", Chat("priced", tokens)),
            3 => ("/v1/messages", Chat("openai/gpt-5-mini", tokens, stream: true)),
            4 => ("/v1/embeddings", """{"model":"openai/text-embedding-3-small","input":"the tide"}"""),
            5 => ("/v1/responses", $$"""{"model":"priced","max_output_tokens":{{tokens + 16}},"input":"The tide, number {{tokens}}?","stream":{{(number % 24 < 12 ? "true" : "false")}}}"""),
            6 => ("/v1beta/models/priced:generateContent", $$$"""{"contents":[{"role":"user","parts":[{"text":"The tide?"}]}],"generationConfig":{"maxOutputTokens":{{{tokens}}}}}"""),
            7 => ("/model/priced/converse-stream", $$$"""{"messages":[{"role":"user","content":[{"text":"The tide?"}]}],"inferenceConfig":{"maxTokens":{{{tokens}}}}}"""),
            8 => ("/v1/audio/speech", """{"model":"openai/gpt-4o-mini-tts","input":"The tide.","voice":"alloy"}"""),
            9 => ("/v1/moderations", """{"model":"openai/omni-moderation-latest","input":"The tide."}"""),
            10 => ("/v1/completions", """{"model":"openai/gpt-3.5-turbo-instruct","prompt":"The tide"}"""),
            _ => ("/v1/images/generations", """{"model":"openai/gpt-image-1-mini","prompt":"a boat"}"""),
        };
        using CancellationTokenSource hangUp = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        if (random.Next(8) == 0)
        {
            hangUp.CancelAfter(random.Next(1, 40));
        }

        try
        {
            using HttpRequestMessage request = TenantGateway.NewRequest(path, body);
            using HttpResponseMessage response = await gateway.Http.SendAsync(request, hangUp.Token);
            await response.Content.ReadAsStringAsync(hangUp.Token);
            return (int)response.StatusCode;
        }
        catch (OperationCanceledException) when (!Cancellation.IsCancellationRequested)
        {
            return 0;
        }
    }

    private static async Task<decimal> WatchAsync(BudgetMeter budget, CancellationToken stop)
    {
        decimal most = 0;
        while (!stop.IsCancellationRequested)
        {
            (decimal spent, decimal reserved, _) = budget.Standing;
            most = Math.Max(most, spent + reserved);
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }

        return most;
    }
}
