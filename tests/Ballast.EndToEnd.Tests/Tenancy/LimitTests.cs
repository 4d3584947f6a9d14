using System.Net.Http.Headers;
using System.Text.Json;

namespace Ballast.EndToEnd.Tests.Tenancy;

/// <summary>Limits and keys over the wire, in the caller's own protocol.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task Requests_BeyondTheLimit_AreRefusedWithTheVendorsHeaders()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("", ", rate_limits: { requests_per_minute: 4, output_tokens_per_minute: 1000000 }");

        (int status, _, HttpResponseHeaders headers) = await gateway.AskAsync("/v1/chat/completions", Chat);
        Assert.Equal((200, "4", "3"), (status, One(headers, "x-ratelimit-limit-requests"), One(headers, "x-ratelimit-remaining-requests")));
        Assert.Matches("^(1m)?[0-9.]+s$", One(headers, "x-ratelimit-reset-requests"));
        (status, _, headers) = await gateway.AskAsync("/v1/messages", Chat);
        Assert.Equal((200, "4", "2"), (status, One(headers, "anthropic-ratelimit-requests-limit"), One(headers, "anthropic-ratelimit-requests-remaining")));
        Assert.Equal("1000000", One(headers, "anthropic-ratelimit-output-tokens-limit"));
        await gateway.AskAsync("/v1/chat/completions", Chat);
        await gateway.AskAsync("/v1/chat/completions", Chat);

        (status, string body, headers) = await gateway.AskAsync("/v1/chat/completions", Chat);
        Assert.Equal((429, "0"), (status, One(headers, "x-ratelimit-remaining-requests")));
        Assert.InRange(headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 61);
        Assert.Equal(("ballast_rate_limited", "rate_limit_exceeded"), (Error(body).GetProperty("code").GetString(), Error(body).GetProperty("type").GetString()));
        (status, body, headers) = await gateway.AskAsync("/v1/messages", Chat);
        Assert.Equal((429, "rate_limit_error"), (status, Error(body).GetProperty("type").GetString()));
        Assert.Equal("0", One(headers, "anthropic-ratelimit-requests-remaining"));
        Assert.NotNull(headers.RetryAfter);
    }

    /// <summary>However many come at once, no more than the limit reaches the platform; the tokens that were reserved and not used come back.</summary>
    [Fact]
    public async Task Requests_ManyAtOnce_ReachThePlatformOnlyUpToTheLimit()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("apps: { tests: { rate_limits: { requests_per_minute: 50 } } }");

        int[] statuses = await Task.WhenAll(Enumerable.Range(0, 300).Select(async _ => (await gateway.AskAsync("/v1/chat/completions", Chat)).Status));

        await gateway.Sandbox.Billing.FlushAsync();
        Assert.Equal((50, 250), (statuses.Count(static status => status == 200), statuses.Count(static status => status == 429)));
        Assert.Equal(50, gateway.Sandbox.Billing.Rows.Count);
    }

    [Fact]
    public async Task OutputTokens_Reserved_ComeBackWhenTheAnswerWasShorter()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("", ", rate_limits: { output_tokens_per_minute: 1000 }");
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(200, (await gateway.AskAsync("/v1/chat/completions", Chat.Replace("\"max_tokens\":20", "\"max_tokens\":800", StringComparison.Ordinal).Replace("Hello", "Reply with exactly \\\"Yes.\\\"", StringComparison.Ordinal))).Status);
            await gateway.EntriesAsync();
        }

        Assert.Equal(429, (await gateway.AskAsync("/v1/chat/completions", Chat.Replace("\"max_tokens\":20", "\"max_tokens\":1001", StringComparison.Ordinal))).Status);
    }

    /// <summary>Keys come and go while the gateway is hammered: once the revocation is answered, not one more request is let in.</summary>
    [Fact]
    public async Task Revocation_WhileHammered_TakesEffectWithItsAnswer()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("");
        for (int round = 0; round < 5; round++)
        {
            (int made, JsonElement key) = await gateway.AdministerAsync("POST", "/admin/v1/keys", $$"""{"id":"round-{{round}}","app":"tests"}""");
            Assert.Equal(201, made);
            string text = key.GetProperty("key").GetString()!;
            using CancellationTokenSource stop = new();
            Task[] hammers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    await gateway.AskAsync("/v1/chat/completions", Chat, text);
                }
            }))];
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TestContext.Current.CancellationToken);
            Assert.Equal(200, (await gateway.AskAsync("/v1/chat/completions", Chat, text)).Status);
            Assert.Equal(200, (await gateway.AdministerAsync("POST", $"/admin/v1/keys/round-{round}/revoke")).Status);
            Assert.Contains((await gateway.AskAsync("/v1/chat/completions", Chat, text)).Status, (int[])[401, 429]); // 429: so many tries with a key that is no more
            await stop.CancelAsync();
            await Task.WhenAll(hammers);
        }
    }

    /// <summary>Neither log nor ledger nor store nor any answer holds the text of a key or a token.</summary>
    [Fact]
    public async Task Keys_OfAllSorts_AreNowhereToBeRead()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("budgets: { b: { app: tests, usd: 1 } }");
        (_, JsonElement key) = await gateway.AdministerAsync("POST", "/admin/v1/keys", """{"id":"canary","app":"tests"}""");
        string text = key.GetProperty("key").GetString()!;
        string unknown = Ballast.Tenancy.KeyText.MakeKey();
        List<string> told = [];
        foreach (string one in new[] { text, unknown, gateway.AdminToken })
        {
            told.Add((await gateway.AskAsync("/v1/chat/completions", Chat, one)).Body);
            told.Add((await gateway.AskAsync("/v1/messages", "{", one)).Body);
            told.Add((await gateway.AskAsync("/v1/nothing", "{}", one)).Body);
        }

        foreach (string path in new[] { "keys", "keys/canary", "tokens", "audit", "budgets" })
        {
            told.Add((await gateway.AdministerAsync("GET", "/admin/v1/" + path)).Body.GetRawText());
        }

        using HttpResponseMessage metrics = await gateway.Http.GetAsync(new Uri(gateway.Server.AdminAddress, "/metrics"), TestContext.Current.CancellationToken);
        told.Add(await metrics.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        await gateway.EntriesAsync();
        told.AddRange(gateway.Log.All);
        foreach (string file in gateway.Files)
        {
            using FileStream open = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using StreamReader reader = new(open, System.Text.Encoding.Latin1);
            told.Add(await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
        }

        Assert.True(told.Count > 15);
        foreach (string secret in new[] { text, unknown, gateway.AdminToken, TenantGateway.Key })
        {
            Assert.All(told, one => Assert.DoesNotContain(secret[5..], one, StringComparison.OrdinalIgnoreCase));
        }
    }

    /// <summary>Three tenants and all things that are known by a name of theirs: nobody finds another's.</summary>
    [Fact]
    public async Task Handles_OfAnotherApp_AreNotThere()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("apps: { one: {}, two: {}, three: {} }");
        Dictionary<string, string> keys = [];
        foreach (string app in new[] { "one", "two", "three" })
        {
            keys[app] = (await gateway.AdministerAsync("POST", "/admin/v1/keys", $$"""{"id":"key-{{app}}","app":"{{app}}"}""")).Body.GetProperty("key").GetString()!;
        }

        List<(string Owner, string Path)> things = [];
        foreach ((string app, string key) in keys)
        {
            for (int i = 0; i < 3; i++)
            {
                string answer = (await gateway.AskAsync("/v1/responses", """{"model":"priced","input":"Hello","max_output_tokens":20}""", key)).Body;
                things.Add((app, "/v1/responses/" + JsonDocument.Parse(answer).RootElement.GetProperty("id").GetString()));
                string talk = (await gateway.AskAsync("/v1/conversations", "{}", key)).Body;
                things.Add((app, "/v1/conversations/" + JsonDocument.Parse(talk).RootElement.GetProperty("id").GetString()));
            }
        }

        Random random = new(5);
        for (int i = 0; i < 300; i++)
        {
            (string owner, string path) = things[random.Next(things.Count)];
            string who = keys.Keys.ElementAt(random.Next(3));
            using HttpRequestMessage request = new(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("x-api-key", keys[who]);
            using HttpResponseMessage response = await gateway.Http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(who == owner ? 200 : 404, (int)response.StatusCode);
        }
    }

    private const string Chat = """{"model":"priced","max_tokens":20,"messages":[{"role":"user","content":"Hello"}]}""";

    private static string One(HttpResponseHeaders headers, string name) => Assert.Single(headers.GetValues(name));

    private static JsonElement Error(string body) => JsonDocument.Parse(body).RootElement.GetProperty("error");
}
