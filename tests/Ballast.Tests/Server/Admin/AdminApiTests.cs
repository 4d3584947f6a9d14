using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Ballast.Server.Admin;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Server.Admin;

public sealed class AdminApiTests : IAsyncLifetime
{
    private TestServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Token => _server.Server.FirstAdminToken!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>Every path and method of the document, without a token, with a wrong one, with a client's key, in a cookie: nothing is told.</summary>
    [Fact]
    public async Task HandleAsync_EveryPathWithoutAToken_IsRefused()
    {
        JsonElement paths = JsonDocument.Parse(await GetTextAsync("/admin/v1/openapi.json", token: null)).RootElement.GetProperty("paths");
        int tried = 0;
        foreach (JsonProperty path in paths.EnumerateObject().Where(static path => path.Name != "/admin/v1/openapi.json"))
        {
            foreach (JsonProperty method in path.Value.EnumerateObject().Where(static method => method.Name != "parameters"))
            {
                string[] authorizations = ["", "Bearer blsta_0", $"Bearer {TestServer.Key}", $"Bearer {Ballast.Tenancy.KeyText.MakeToken()}", $"Basic {Token}", Token];
                foreach (string authorization in authorizations)
                {
                    using HttpRequestMessage request = new(new HttpMethod(method.Name.ToUpperInvariant()), path.Name.Replace("{id}", "tests", StringComparison.Ordinal));
                    request.Headers.TryAddWithoutValidation("Authorization", authorization);
                    request.Headers.TryAddWithoutValidation("Cookie", $"token={Token}");
                    request.Headers.TryAddWithoutValidation("If-Match", "*");
                    using HttpResponseMessage response = await _server.Admin.SendAsync(request, Cancellation);
                    Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
                    Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.ToString());
                    Assert.False(response.Headers.Contains("access-control-allow-origin"));
                    tried++;
                }
            }
        }

        Assert.True(tried > 150);
    }

    [Fact]
    public async Task HandleAsync_AppKeyAndTheirEnd_WorkTogetherWithTheGateway()
    {
        (HttpStatusCode status, JsonElement app, string etag) = await SendAsync("POST", "/admin/v1/apps", """{"id":"mail","tier":2,"owner":"mail@example.com"}""");
        Assert.Equal((HttpStatusCode.Created, "api", 2), (status, app.GetProperty("source").GetString(), app.GetProperty("tier").GetInt32()));
        (_, JsonElement key, _) = await SendAsync("POST", "/admin/v1/keys", """{"id":"web","app":"mail"}""");
        string text = key.GetProperty("key").GetString()!;
        Assert.Equal(HttpStatusCode.OK, await ModelsAsync(text));

        (status, _, string next) = await SendAsync("PUT", "/admin/v1/apps/mail", """{"tier":3}""", etag);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.NotEqual(etag, next);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await SendAsync("PUT", "/admin/v1/apps/mail", """{"tier":1}""", etag)).Status);
        Assert.Equal((HttpStatusCode)428, (await SendAsync("PUT", "/admin/v1/apps/mail", """{"tier":1}""")).Status);

        (status, JsonElement rotated, _) = await SendAsync("POST", "/admin/v1/keys/web/rotate", """{"overlap_seconds":600}""");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (await ModelsAsync(text), await ModelsAsync(rotated.GetProperty("key").GetString()!)));
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("POST", "/admin/v1/keys/web/revoke")).Status);
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (await ModelsAsync(text), await ModelsAsync(rotated.GetProperty("key").GetString()!)));

        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync("DELETE", "/admin/v1/keys/web", match: "*")).Status);
        string audit = await GetTextAsync("/admin/v1/audit", Token);
        string[] actions = [.. JsonDocument.Parse(audit).RootElement.GetProperty("data").EnumerateArray().Select(static row => row.GetProperty("action").GetString()!)];
        Assert.Equal(["delete", "revoke", "rotate", "replace", "create", "create", "create"], actions);
        Assert.DoesNotContain(text, audit, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HandleAsync_Reports_AreForTokensThatReachEverything()
    {
        await _server.Server.Ledger.SettleAsync(SampleEntries.Completed("a1"));
        await _server.Server.Ledger.FlushAsync(Cancellation);
        string rows = await GetTextAsync("/admin/v1/export?from=2026-01-01", Token);
        Assert.Contains("a1,x-a1,1,", rows, StringComparison.Ordinal);
        Assert.StartsWith("BilledCost,", await GetTextAsync("/admin/v1/export?from=2026-01-01T00:00:00Z&to=2026-12-01&format=focus", Token), StringComparison.Ordinal);
        Assert.Empty(JsonDocument.Parse(await GetTextAsync("/admin/v1/commitments", Token)).RootElement.GetProperty("commitments").EnumerateArray());

        JsonElement usage = JsonDocument.Parse(await GetTextAsync("/admin/v1/usage?by=platform,app&from=2026-01-01", Token)).RootElement;
        Assert.Equal(("azure", "support", 2L), (usage.GetProperty("rows")[0].GetProperty("platform").GetString(), usage.GetProperty("rows")[0].GetProperty("app").GetString(), usage.GetProperty("total").GetProperty("media").GetProperty("web_searches").GetInt64()));
        Assert.Equal(0, JsonDocument.Parse(await GetTextAsync("/admin/v1/usage?app=other", Token)).RootElement.GetProperty("total").GetProperty("attempts").GetInt64());

        foreach (string wrong in (string[])["usage?by=colour", "usage?by=app,app", "usage?from=yesterday", "export", "export?from=yesterday", "export?from=2026-01-01&format=xlsx"])
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await SendAsync("GET", "/admin/v1/" + wrong)).Status);
        }

        (_, JsonElement made, _) = await SendAsync("POST", "/admin/v1/tokens", """{"id":"part","role":"viewer","app":"tests"}""");
        foreach (string path in (string[])["/admin/v1/export?from=2026-01-01", "/admin/v1/commitments", "/admin/v1/usage"])
        {
            Assert.Contains("forbidden", await GetTextAsync(path, made.GetProperty("token").GetString(), HttpStatusCode.Forbidden), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"id":"mail","teem":"x"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"mail","id":"mail2"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"mail","tier":"one"}""", HttpStatusCode.BadRequest)]
    [InlineData("""[]""", HttpStatusCode.BadRequest)]
    [InlineData("""null""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"Mail"}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"id":"mail","tier":4}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"id":"mail","team":"none"}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"id":"mail","rate_limits":{"requests_per_minute":0}}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"id":"mail","models":["a b"]}""", HttpStatusCode.UnprocessableEntity)]
    public async Task HandleAsync_DocumentThatIsNone_IsRefusedAsAProblem(string body, HttpStatusCode expected)
    {
        (HttpStatusCode status, JsonElement problem, _) = await SendAsync("POST", "/admin/v1/apps", body);

        Assert.Equal(expected, status);
        Assert.Equal((int)expected, problem.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.GetProperty("code").GetString()!);
    }

    /// <summary>A key in the wrong place is not repeated, not even as the name of what is wrong.</summary>
    [Fact]
    public async Task HandleAsync_SecretInTheWrongPlace_IsNotRepeated()
    {
        string secret = Ballast.Tenancy.KeyText.MakeKey();
        foreach (string body in new[] { $$"""{"id":"{{secret}}!"}""", $$"""{"id":"mail","tier":"{{secret}}"}""", secret })
        {
            (_, JsonElement problem, _) = await SendAsync("POST", "/admin/v1/apps", body);
            Assert.DoesNotContain(secret, problem.GetRawText(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task HandleAsync_FormOfAWebSite_IsRefused()
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/admin/v1/apps") { Content = new StringContent("""{"id":"mail"}""", Encoding.UTF8, "text/plain") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        using HttpResponseMessage response = await _server.Admin.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task HandleAsync_BodyBeyondTheLimit_IsRefused()
    {
        (HttpStatusCode status, _, _) = await SendAsync("POST", "/admin/v1/apps", $$"""{"id":"mail","owner":"{{new string('x', AdminApi.BodyBytesMax)}}"}""");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
    }

    [Fact]
    public async Task HandleAsync_List_IsPaged()
    {
        for (int i = 0; i < 5; i++)
        {
            await SendAsync("POST", "/admin/v1/teams", $$"""{"id":"team-{{i}}"}""");
        }

        JsonElement first = JsonDocument.Parse(await GetTextAsync("/admin/v1/teams?limit=3", Token)).RootElement;
        JsonElement second = JsonDocument.Parse(await GetTextAsync("/admin/v1/teams?limit=3&after=team-2", Token)).RootElement;
        Assert.Equal((3, true), (first.GetProperty("data").GetArrayLength(), first.GetProperty("has_more").GetBoolean()));
        Assert.Equal((2, false), (second.GetProperty("data").GetArrayLength(), second.GetProperty("has_more").GetBoolean()));
    }

    [Fact]
    public async Task HandleAsync_Budget_TellsWhereItStands()
    {
        (_, JsonElement budget, _) = await SendAsync("POST", "/admin/v1/budgets", """{"id":"tests-month","app":"tests","usd":12.5,"alert_at":[50]}""");

        Assert.Equal((0m, 12.5m), (budget.GetProperty("state").GetProperty("spent").GetDecimal(), budget.GetProperty("state").GetProperty("remaining").GetDecimal()));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await SendAsync("POST", "/admin/v1/budgets", """{"id":"two","app":"tests","usd":1,"tokens":1}""")).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await SendAsync("POST", "/admin/v1/budgets", """{"id":"two","app":"tests","team":"x","usd":1}""")).Status);
    }

    private async Task<(HttpStatusCode Status, JsonElement Body, string ETag)> SendAsync(string method, string path, string? body = null, string? match = null)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        if (match is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", match);
        }

        using HttpResponseMessage response = await _server.Admin.SendAsync(request, Cancellation);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        return (response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement, response.Headers.ETag?.ToString() ?? "");
    }

    private async Task<string> GetTextAsync(string path, string? token, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, path);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        using HttpResponseMessage response = await _server.Admin.SendAsync(request, Cancellation);
        Assert.Equal(expected, response.StatusCode);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private async Task<HttpStatusCode> ModelsAsync(string key)
    {
        using HttpClient client = new() { BaseAddress = _server.Server.Address };
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/models");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using HttpResponseMessage response = await client.SendAsync(request, Cancellation);
        return response.StatusCode;
    }
}
