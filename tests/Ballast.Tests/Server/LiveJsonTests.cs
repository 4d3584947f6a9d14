using System.Net;
using System.Text.Json;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Server;

public sealed class LiveJsonTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Write_NothingHappenedYet_KnowsTheCatalogAndLeavesTheRestNull()
    {
        JsonElement live = await LiveAsync();

        Assert.Equal(0, live.GetProperty("requests").GetInt64());
        Assert.Equal(JsonValueKind.Null, live.GetProperty("ttft_p50_ms").ValueKind);
        Assert.Equal(["aws", "azure"], Names(live.GetProperty("platforms")));
        Assert.Equal(["meta", "openai"], Names(live.GetProperty("vendors")));
        Assert.Equal(["azure/gpt", "bedrock/gpt", "bedrock/llama"], Names(live.GetProperty("deployments")));
        Assert.All(live.GetProperty("deployments").EnumerateArray(), deployment => Assert.Equal("untried", deployment.GetProperty("health").GetString()));
        Assert.Equal(DateTimeKind.Utc, live.GetProperty("now").GetDateTime().Kind);
        Assert.True(live.GetProperty("ready").GetBoolean());
        Assert.Equal(["chat", "llama"], live.GetProperty("models").EnumerateArray().Select(model => model.GetString()).Take(2));
    }

    [Fact]
    public async Task Write_AfterTraffic_CountsExactly()
    {
        await _server.Server.Ledger.SettleAsync(SampleEntries.Completed("a1") with { CostUsd = 0.000_000_000_123m, Deployment = "azure/gpt" });
        await _server.Server.Ledger.SettleAsync(SampleEntries.Completed("a2") with { CostUsd = 1_234_567.1m, Deployment = "azure/gpt" });
        await _server.Server.Ledger.SettleAsync(SampleEntries.Failed("a3") with { ExchangeId = "x3", Deployment = "azure/gpt" });
        await _server.Server.Ledger.SettleAsync(SampleEntries.Completed("a4", "aws") with { ExchangeId = "x3", AttemptNumber = 2, EndsExchange = true });

        JsonElement live = await LiveAsync();

        Assert.Equal("1234567.100500000123", live.GetProperty("cost_usd").GetRawText());
        Assert.Equal((3, 1, 0), (live.GetProperty("requests").GetInt64(), live.GetProperty("failovers").GetInt64(), live.GetProperty("requests_failed").GetInt64()));
        JsonElement azure = live.GetProperty("platforms").EnumerateArray().Single(platform => platform.GetProperty("name").GetString() == "azure");
        Assert.Equal((2, 3, 1), (azure.GetProperty("answered").GetInt64(), azure.GetProperty("attempts").GetInt64(), azure.GetProperty("attempts_failed").GetInt64()));
        JsonElement deployment = live.GetProperty("deployments")[0];
        Assert.Equal(("azure/gpt", 2L), (deployment.GetProperty("name").GetString(), deployment.GetProperty("answered").GetInt64()));
        Assert.Equal("swedencentral", deployment.GetProperty("region").GetString());
    }

    [Fact]
    public async Task Write_Exposure_SaysWhatStopsWithoutEach()
    {
        JsonElement live = await LiveAsync();

        string[] lines =
        [
            .. live.GetProperty("exposure").EnumerateArray().Select(component =>
                $"{component.GetProperty("kind").GetString()} {component.GetProperty("name").GetString()}: "
                + string.Join(' ', component.GetProperty("stops").EnumerateArray().Select(stop => stop.GetProperty("model").GetString()))
                + $" ({component.GetProperty("stops_in_all").GetInt32()}, {component.GetProperty("thinned_in_all").GetInt32()})"),
        ];
        Assert.Equal(
            [
                "vendor meta: llama (1, 0)", "vendor openai: chat gpt (2, 0)", "platform aws: llama (1, 2)", "platform azure:  (0, 2)",
                "region eu-west-1: llama (1, 2)", "region swedencentral:  (0, 2)",
            ],
            lines);
    }

    /// <summary>Nothing listens behind this gateway: the first requests fail, then the breaker opens and the next are turned away untried.</summary>
    [Fact]
    public async Task Write_EverythingIsGone_TellsFailedFromTurnedAwayAndShowsTheBreaker()
    {
        HttpStatusCode first = await _server.AskAsync("llama");
        HttpStatusCode second = await _server.AskAsync("llama");
        HttpStatusCode third = await _server.AskAsync("llama");
        HttpStatusCode unknown = await _server.AskAsync("no-such-model");

        JsonElement live = await LiveAsync();

        Assert.Equal((HttpStatusCode.BadGateway, HttpStatusCode.BadGateway), (first, second));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.NotFound), (third, unknown));
        Assert.Equal((2, 2, 1), (live.GetProperty("requests").GetInt64(), live.GetProperty("requests_failed").GetInt64(), live.GetProperty("requests_turned_away").GetInt64()));
        JsonElement llama = live.GetProperty("deployments").EnumerateArray().Single(deployment => deployment.GetProperty("name").GetString() == "bedrock/llama");
        Assert.Equal("open", llama.GetProperty("health").GetString());
        Assert.InRange(llama.GetProperty("ready_in_seconds").GetDouble(), 1, 60);
    }

    /// <summary>A failover that ends well is no failed request, however many of its attempts failed.</summary>
    [Fact]
    public async Task Write_TwoCandidatesBothGone_CountsOneFailedRequestOfTwoAttempts()
    {
        await _server.AskAsync("chat");

        JsonElement live = await LiveAsync();

        Assert.Equal((1, 1, 2), (live.GetProperty("requests").GetInt64(), live.GetProperty("requests_failed").GetInt64(), live.GetProperty("attempts_failed").GetInt64()));
    }

    [Fact]
    public async Task Write_WithoutPolicyOrBudgets_SaysNullAndKeepsTheTimeline()
    {
        await _server.Server.Ledger.SettleAsync(SampleEntries.Completed("a1") with { CostUsd = 0.25m, Deployment = "azure/gpt" });
        await _server.Server.Ledger.SettleAsync(SampleEntries.Failed("a2", "aws"));

        JsonElement live = await LiveAsync();

        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (live.GetProperty("policy").ValueKind, live.GetProperty("by_weights").ValueKind));
        Assert.Equal(0, live.GetProperty("suspensions").GetArrayLength() + live.GetProperty("budgets").GetArrayLength());
        Assert.Equal(0.25m, live.GetProperty("cost_usd_today").GetDecimal());
        JsonElement platforms = live.GetProperty("timeline").GetProperty("platforms");
        Assert.Equal(["aws", "azure"], Names(platforms));
        Assert.Equal(0, platforms[0].GetProperty("tokens").EnumerateArray().Sum(static slot => slot.GetInt64()));
        Assert.Equal(178, platforms[1].GetProperty("tokens").EnumerateArray().Sum(static slot => slot.GetInt64()));
    }

    private async Task<JsonElement> LiveAsync()
    {
        using HttpResponseMessage response = await _server.SendAsync(HttpMethod.Get, "/live.json");
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
    }

    private static IEnumerable<string?> Names(JsonElement components) => components.EnumerateArray().Select(component => component.GetProperty("name").GetString());
}
