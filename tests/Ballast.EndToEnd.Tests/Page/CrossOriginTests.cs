using System.Net;
using System.Text.Json;
using Microsoft.Playwright;

namespace Ballast.EndToEnd.Tests.Page;

/// <summary>Scripts of web pages at the port for clients: a real browser asks, from a page of another origin.</summary>
public sealed class CrossOriginTests
{
    private const string Ask = """
        async ([address, key, model, body]) => {
          try {
            const answer = await fetch(address + '/v1/chat/completions', {
              method: 'POST', headers: { authorization: 'Bearer ' + key, 'content-type': 'application/json', 'x-stainless-lang': 'js' },
              body: body || JSON.stringify({ model, stream: true, max_completion_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] }),
            });
            return JSON.stringify({ status: answer.status, deployment: answer.headers.get('x-ballast-deployment'), id: answer.headers.get('x-ballast-request-id'), text: await answer.text() });
          } catch (error) { return JSON.stringify({ status: 0, text: String(error) }); }
        }
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Browser_FromAPageThatIsNamed_ReadsStreamsAndErrors(bool isAny)
    {
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await Chromium.LaunchAsync(playwright);
        await using PageHouse house = await PageHouse.StartAsync(cors: static page => page, isAnyOrigin: isAny);
        IPage page = await browser.NewPageAsync();
        await page.GotoAsync(house.Sandbox.Platforms["openai"].Address.ToString());

        JsonElement answer = await AskAsync(page, house, PageHouse.Key, "chat");
        Assert.True(answer.GetProperty("status").GetInt32() == 200, answer.ToString());
        Assert.Equal("azure/gpt-5-mini", answer.GetProperty("deployment").GetString());
        Assert.EndsWith("data: [DONE]\n\n", answer.GetProperty("text").GetString(), StringComparison.Ordinal);

        JsonElement wrongKey = await AskAsync(page, house, "a-key-that-is-none", "chat");
        Assert.Equal(401, wrongKey.GetProperty("status").GetInt32());
        Assert.Contains("ballast_invalid_key", wrongKey.GetProperty("text").GetString(), StringComparison.Ordinal);

        JsonElement broken = await AskAsync(page, house, PageHouse.Key, "chat", "{");
        Assert.Equal(400, broken.GetProperty("status").GetInt32());
        Assert.Contains(broken.GetProperty("id").GetString()!, broken.GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Browser_FromAPageThatIsNotNamed_ReadsNothing(bool isAnotherNamed)
    {
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await Chromium.LaunchAsync(playwright);
        await using PageHouse house = await PageHouse.StartAsync(cors: isAnotherNamed ? static _ => "https://app.example.com" : null);
        IPage page = await browser.NewPageAsync();
        await page.GotoAsync(house.Sandbox.Platforms["openai"].Address.ToString());

        JsonElement answer = await AskAsync(page, house, PageHouse.Key, "chat");
        Assert.Equal((0, "TypeError: Failed to fetch"), (answer.GetProperty("status").GetInt32(), answer.GetProperty("text").GetString()));
        Assert.Equal(0, house.Server.Totals.Snapshot().Requests);
    }

    /// <summary>What browsers go by, in both versions of HTTP: asked without a key, and never with credentials.</summary>
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Preflight_WithoutAKey_NamesThisOriginAndNoCredentials(string version)
    {
        await using PageHouse house = await PageHouse.StartAsync(cors: static _ => "https://app.example.com");
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = house.Server.Address };

        using HttpResponseMessage allowed = await PreflightAsync(client, version, "https://app.example.com", "authorization, x-stainless-os");
        Assert.Equal(HttpStatusCode.NoContent, allowed.StatusCode);
        Assert.Equal("https://app.example.com", allowed.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Equal("authorization, x-stainless-os", string.Join(", ", allowed.Headers.GetValues("Access-Control-Allow-Headers")));
        Assert.Contains("POST", string.Join(",", allowed.Headers.GetValues("Access-Control-Allow-Methods")), StringComparison.Ordinal);
        Assert.Contains("Origin", allowed.Headers.Vary);
        Assert.False(allowed.Headers.Contains("Access-Control-Allow-Credentials"));
        Assert.Empty(await allowed.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));

        using HttpResponseMessage tooMuch = await PreflightAsync(client, version, "https://app.example.com", new string('x', 5000));
        Assert.False(tooMuch.Headers.Contains("Access-Control-Allow-Headers"));

        foreach (string other in (string[])["https://app.example.com.evil.example", "http://app.example.com", "null", "https://app.example.com:8443"])
        {
            using HttpResponseMessage refused = await PreflightAsync(client, version, other, "authorization");
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            Assert.False(refused.Headers.Contains("Access-Control-Allow-Origin"));
            string body = await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Contains("ballast_origin_not_allowed", body, StringComparison.Ordinal);
            Assert.Contains("server.cors.origins", body, StringComparison.Ordinal);
        }
    }

    private static async Task<HttpResponseMessage> PreflightAsync(HttpClient client, string version, string origin, string headers)
    {
        using HttpRequestMessage request = new(HttpMethod.Options, "/v1/messages") { Version = Version.Parse(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", headers);
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task<JsonElement> AskAsync(IPage page, PageHouse house, string key, string model, string? body = null) =>
        JsonElement.Parse(await page.EvaluateAsync<string>(Ask, (string?[])[house.Server.Address.ToString().TrimEnd('/'), key, model, body]));
}
