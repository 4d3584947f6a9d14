using System.Globalization;
using System.Text;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Gateway;
using Ballast.Guards;
using Ballast.Prices;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Operations;
using Ballast.Tests.Tenancy;

namespace Ballast.Tests.Gateway;

/// <summary>
/// What is reserved of a budget before a request is sent: each byte for a token at the dearest price that it may have, each search and picture that it may come to. A budget that holds exactly as
/// much lets it in, and one that holds a millionth of a dollar less refuses it before anything is sent. The bounds are worked out here from the prices, apart from the code: in each the factor 2.5 is
/// that of priority service, which any answer may turn out to be.
/// </summary>
public sealed class CostBoundTests
{
    private const string Text = "input: 1, cache_write: 1, cache_write_1h: 1, output: 2";
    private const string Sound = "input: 1, cache_write: 1, cache_write_1h: 1, output: 2, input_audio: 40, output_audio: 80";
    private const string Pictures = "input: 1, cache_write: 1, cache_write_1h: 1, output: 2, input_image: 10, output_image: 30";
    private const string Cached = "input: 1, cache_write: 1, cache_write_1h: 1, output: 2, input_image: 10, cache_read_image: 16";
    private const string Search = "input: 1, cache_write: 1, cache_write_1h: 1, output: 2, per_search: 0.01";
    private const string Grounded = "input: 1, cache_write: 1, cache_write_1h: 1, output: 2, per_searching_request: 0.035";

    private const string Tide = "\"messages\":[{\"role\":\"user\",\"content\":\"How high is the tide?\"}]";
    private const string Heard = "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"UklGRg==\",\"format\":\"wav\"}}]}]";
    private const string Seen = "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,iVBORw0K\"}}]}]";

    /// <summary>Prices, rest of the body, dollars for a million of its tokens in and out, and for what is counted by the piece.</summary>
    public static TheoryData<string, string, string, int, int, string> Requests => new()
    {
        { "text at a price of text", Text, Tide, 1, 2, "0" },
        { "text where sound is dear", Sound, Tide, 1, 2, "0" },
        { "sound", Sound, Heard, 40, 80, "0" },
        { "a film, with sound in it", Sound, "\"video_url\":\"clip\"," + Tide, 40, 80, "0" },
        { "sound asked for, its name in disguise", Sound, "\"modalities\":[\"text\",\"\\u0061udio\"]," + Tide, 40, 80, "0" },
        { "a letter that clients write as an escape", Sound, Tide.Replace("tide", "tide \\u003c \\u00e9", StringComparison.Ordinal), 1, 2, "0" },
        { "a picture", Pictures, Seen, 10, 30, "0" },
        { "a picture that is dearer from the cache", Cached, Seen, 16, 2, "0" },
        { "a picture where only sound is dear", Sound, Seen, 1, 2, "0" },
        { "no tool for searches", Search, Tide, 1, 2, "0" },
        { "searches in what is said alone", Search, Tide.Replace("tide", "search, \\\"web_search\\\" and \\\"google_search\\\"", StringComparison.Ordinal), 1, 2, "0" },
        { "a tool that says nothing: ten", Search, "\"tools\":[{\"type\":\"web_search\"}]," + Tide, 1, 2, "0.1" },
        { "a tool that may be used three times", Search, "\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"max_uses\":3}]," + Tide, 1, 2, "0.03" },
        { "two such tools", Search, "\"tools\":[{\"type\":\"web_search_1\",\"max_uses\":3},{\"max_uses\":14,\"type\":\"web_search_2\"},{\"type\":\"function\"}]," + Tide, 1, 2, "0.17" },
        { "two tools of which one says nothing", Search, "\"tools\":[{\"type\":\"web_search_1\",\"max_uses\":3},{\"type\":\"web_search_2\"}]," + Tide, 1, 2, "0.1" },
        { "two calls of all tools", Search, "\"max_tool_calls\":2,\"tools\":[{\"type\":\"web_search\"}]," + Tide, 1, 2, "0.02" },
        { "a number that is not the tool's", Search, "\"metadata\":{\"max_uses\":1,\"max_tool_calls\":1},\"tools\":[{\"type\":\"web_search\",\"input\":{\"max_uses\":1}}]," + Tide, 1, 2, "0.1" },
        { "options of a model that searches", Search, "\"web_search_options\":{}," + Tide, 1, 2, "0.1" },
        { "the same beside a function that has such a field", Search, "\"web_search_options\":{},\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"properties\":{\"max_uses\":{}}}}}]," + Tide, 1, 2, "0.1" },
        { "Google's tool beside such a function", Search, "\"tools\":[{\"google_search\":{}},{\"functionDeclarations\":[{\"name\":\"f\",\"parameters\":{\"properties\":{\"max_uses\":{}}}}]}]," + Tide, 1, 2, "0.1" },
        { "Google's tool, paid once for each answer", Grounded, "\"tools\":[{\"google_search\":{}}]," + Tide, 1, 2, "0.035" },
        { "Google's tool, by its other name", Search, "\"tools\":[{\"googleSearch\":{}}]," + Tide, 1, 2, "0.1" },
        { "Google's search for companies", Search, "\"tools\":[{\"enterpriseWebSearch\":{}}]," + Tide, 1, 2, "0.1" },
        { "Google's search for companies, by its other name", Search, "\"tools\":[{\"enterprise_web_search\":{}}]," + Tide, 1, 2, "0.1" },
        { "xAI's field", Search, "\"search_parameters\":{\"mode\":\"auto\"}," + Tide, 1, 2, "0.1" },
        { "a tool whose name is in disguise", Search, "\"tools\":[{\"type\":\"web\\u005fsearch\"}]," + Tide, 1, 2, "0.1" },
    };

    /// <summary>A gateway runs for weeks, and is asked for one day after the other: what was the dearest yesterday is not held for today's, and an answer may come on the next day.</summary>
    [Fact]
    public void Dearest_PriceThatRises_IsThatOfTheDayAsked()
    {
        DateOnly rise = new(2026, 3, 10);
        PriceRow before = new()
        {
            Platform = "openai", Model = "m", Patterns = [], ServiceTier = ServiceTier.Priority, ValidTo = rise, KnownFrom = default,
            Price = new Price(Input: 1, CacheRead: 0, CacheWrite: 0, CacheWriteLong: 0, Output: 2, Source: null),
        };
        PriceSchedule prices = new([before, before with { ValidFrom = rise, ValidTo = null, Price = before.Price.Times(10, "raised") }]);
        decimal On(int day) => CostBound.Dearest(prices, rise.AddDays(day), 1_000_000, 1_000_000);

        Assert.Equal(3, On(-2));
        Assert.Equal(30, On(-1)); // it may be answered on the next
        Assert.Equal(30, On(0));
        Assert.Equal(3, On(-2));
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Reserve_SoundPicturesAndSearches_IsTheBoundWorkedOutApart(string what, string prices, string rest, int input, int output, string pieces)
    {
        byte[] body = Encoding.UTF8.GetBytes("{\"model\":\"chat\",\"max_tokens\":300," + rest + "}");
        decimal bound = 2.5m * ((((body.Length * input) + (300 * output)) / 1_000_000m) + decimal.Parse(pieces, CultureInfo.InvariantCulture));

        decimal? reserved = await ReserveAsync(prices, body, Operation.Chat, bound);
        Assert.True(reserved == bound, $"{what}: {reserved} instead of {bound}");
        Assert.True(await ReserveAsync(prices, body, Operation.Chat, bound - 0.000_001m) is null, $"{what}: let in with too little");
    }

    /// <summary>Speech is of sound whatever its body says, and pictures are asked for by their number; their answers may be as long as the deployment is taken to write, 8,192 tokens for each.</summary>
    [Theory]
    [InlineData(Operation.Speech, "input: 1, cache_write: 1, cache_write_1h: 1, output: 2, output_audio: 12", "{\"model\":\"chat\",\"input\":\"the tide\"}", 1, 12, 1, "0")]
    [InlineData(Operation.ImageGenerations, "input: 5, cache_write: 5, cache_write_1h: 5, output: 2, input_image: 10, output_image: 40", "{\"model\":\"chat\",\"prompt\":\"a boat\",\"n\":2}", 10, 40, 2, "0")]
    [InlineData(Operation.ImageGenerations, "input: 0, output: 0, per_image: 0.04", "{\"model\":\"chat\",\"prompt\":\"a boat\",\"n\":3}", 0, 0, 3, "0.12")]
    public async Task Reserve_WhatIsOfSoundOrPicturesAnyway_IsTakenForThem(Operation operation, string prices, string text, int input, int output, int answers, string pieces)
    {
        byte[] body = Encoding.UTF8.GetBytes(text);
        decimal bound = 2.5m * ((((body.Length * input) + (8192 * answers * output)) / 1_000_000m) + decimal.Parse(pieces, CultureInfo.InvariantCulture));

        Assert.Equal(bound, await ReserveAsync(prices, body, operation, bound));
        Assert.Null(await ReserveAsync(prices, body, operation, bound - 0.000_001m));
    }

    /// <summary>A batch: all of its searches, and once for each request that may search. It is never of another tier, so nothing is dearer than the standard price.</summary>
    [Fact]
    public async Task Reserve_BatchWithSearches_HoldsAllOfThem()
    {
        const string prices = "input: 1, cache_write: 1, cache_write_1h: 1, output: 2, per_search: 0.01, per_searching_request: 0.035";
        BatchShare share = new("chat", 3, 6000, 0, 900) { Searches = 13, SearchingRequests = 2 };
        decimal bound = (((6000 * 1) + (900 * 2)) / 1_000_000m) + (13 * 0.01m) + (2 * 0.035m);

        Assert.Equal(bound, await ReserveAsync(prices, "{\"model\":\"chat\"}"u8.ToArray(), Operation.MessageBatchCreate, bound, [share]));
        Assert.Null(await ReserveAsync(prices, "{\"model\":\"chat\"}"u8.ToArray(), Operation.MessageBatchCreate, bound - 0.000_001m, [share]));
    }

    /// <summary>What is reserved of a budget of so many dollars; null where it refuses.</summary>
    /// <summary>Key, limits, budget, price: nothing is made for the request but the request itself.</summary>
    [Fact]
    public async Task Admit_WithABudgetInMoney_AllocatesNothing()
    {
        await using TenantHouse house = await TenantHouse.OpenAsync(
            $$"""
            price_book: none
            prices: { azure/gpt: { {{Text}} } }
            budgets: { month: { app: support, usd: 1000000 } }
            """);
        Exchange exchange = new(ProtocolList.OpenAIChat, Operation.Chat, house.Catalog.Current, house.Time);
        exchange.Envelope = exchange.Protocol.Peek(Encoding.UTF8.GetBytes("{\"model\":\"chat\",\"max_tokens\":300," + Tide + "}"));
        Model model = exchange.Model = exchange.Catalog.FindModel("chat")!;
        decimal reserved = 0;
        long least = long.MaxValue;
        for (int round = 0; round < 10; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
            {
                exchange.Reservation = default;
                house.Guard.Admit(exchange, TenantHouse.DeclaredKey.AsMemory());
                Guard.Check(exchange, model, 100, 300);
                CostBound.Reserve(exchange, model.Candidates[0].Deployment);
                reserved = exchange.Reservation.Usd;
                house.Guard.Settle(exchange, new Spending(0.0001m, 100, 50, 50));
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
        Assert.True(reserved > 0);
    }

    private static async Task<decimal?> ReserveAsync(string prices, byte[] body, Operation operation, decimal budget, BatchShare[]? shares = null)
    {
        await using TenantHouse house = await TenantHouse.OpenAsync(
            $$"""
            price_book: none
            prices: { azure/gpt: { {{prices}} } }
            budgets: { month: { app: support, usd: {{budget.ToString(CultureInfo.InvariantCulture)}}, unpriced_request_usd: 0 } }
            """);
        Exchange exchange = new(operation == Operation.Chat ? ProtocolList.OpenAIChat : ProtocolList.Opaque, operation, house.Catalog.Current, house.Time);
        house.Guard.Admit(exchange, TenantHouse.DeclaredKey.AsMemory());
        exchange.Envelope = exchange.Protocol.Peek(body);
        exchange.BatchShares = shares;
        Deployment deployment = exchange.Catalog.FindModel("chat")!.Candidates[0].Deployment;
        try
        {
            CostBound.Reserve(exchange, deployment);
            return exchange.Reservation.Usd;
        }
        catch (GatewayException refused) when (refused.Code == "ballast_budget_exceeded")
        {
            return null;
        }
        finally
        {
            house.Guard.Settle(exchange);
        }
    }
}
