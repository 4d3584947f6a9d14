using System.Net;
using System.Text;
using Ballast.Server;
using Ballast.Tenancy;

namespace Ballast.Tests.Server;

/// <summary>Every route there is, with every way of not being allowed: none answers, and each says the same.</summary>
public sealed class RouteMatrixTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _anonymous = null!;
    private TenantDesk _desk = null!;
    private AdminIdentity _root = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync("failed_keys_per_minute: 1000000");
        _anonymous = new HttpClient { BaseAddress = _server.Server.Address };
        _desk = _server.Server.Desk;
        _root = _desk.Identify(_server.Server.FirstAdminToken)!;
    }

    public ValueTask DisposeAsync()
    {
        _anonymous.Dispose();
        return _server.DisposeAsync();
    }

    [Fact]
    public async Task DispatchAsync_EveryRouteWithoutAGoodKey_IsRefused()
    {
        KeyDocument good = await MakeAsync(new KeyDocument { Id = "good", App = "tests" });
        KeyDocument revoked = await MakeAsync(new KeyDocument { Id = "revoked", App = "tests" });
        await _desk.RevokeAsync(_root, "revoked", null, Cancellation);
        KeyDocument expired = await MakeAsync(new KeyDocument { Id = "expired", App = "tests", ExpiresAt = TimeProvider.System.GetUtcNow().AddMilliseconds(200) });
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, Cancellation);
        (string? Key, string Code)[] wrong =
        [
            (null, "ballast_missing_key"), ("unknown-key", "ballast_invalid_key"), (KeyText.MakeKey(), "ballast_invalid_key"),
            (revoked.Key, "ballast_invalid_key"), (expired.Key, "ballast_invalid_key"), (_server.Server.FirstAdminToken, "ballast_invalid_key"),
        ];
        (string Method, string Path)[] routes = [.. ProtocolEndpoints.Samples("chat")];
        Assert.True(routes.Length > 150, $"{routes.Length} routes");
        foreach ((string method, string path) in routes)
        {
            foreach ((string? key, string code) in wrong)
            {
                await AssertRefusedAsync(method, path, HttpStatusCode.Unauthorized, code, ("x-api-key", key));
            }

            await AssertRefusedAsync(method, path, HttpStatusCode.BadRequest, "ballast_ambiguous_key", ("x-api-key", good.Key), ("authorization", $"Bearer {TestServer.Key}"));
        }
    }

    /// <summary>A key that may do nothing reaches nothing but the list of models and counts of tokens.</summary>
    [Fact]
    public async Task DispatchAsync_EveryRouteWithAKeyForNothing_IsRefused()
    {
        KeyDocument key = await MakeAsync(new KeyDocument { App = "tests", Scopes = [] });
        foreach ((string method, string path) in ProtocolEndpoints.Samples("chat").Where(static route => !IsFree(route.Path)))
        {
            await AssertRefusedAsync(method, path, HttpStatusCode.Forbidden, "ballast_scope_missing", ("x-api-key", key.Key));
        }
    }

    private static bool IsFree(string path) =>
        path.EndsWith("models", StringComparison.Ordinal) || path.Contains("models/chat", StringComparison.Ordinal) && !path.Contains(':')
        || path.Contains("count", StringComparison.OrdinalIgnoreCase) || path.EndsWith("input_tokens", StringComparison.Ordinal) || path is "/api/tags" or "/api/show" or "/api/version";

    private async Task AssertRefusedAsync(string method, string path, HttpStatusCode expected, string code, params (string Name, string? Value)[] headers)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), path);
        request.Content = method == "POST" ? new StringContent("""{"model":"chat","messages":[{"role":"user","content":"Hi"}]}""", Encoding.UTF8, "application/json") : null;
        foreach ((string name, string? value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value ?? "");
        }

        using HttpResponseMessage response = await _anonymous.SendAsync(request, Cancellation);
        string body = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == expected || (expected == HttpStatusCode.Unauthorized && (int)response.StatusCode is 400 or 403), $"{method} {path}: {response.StatusCode} {body}");
        Assert.True(body.Contains(code, StringComparison.Ordinal) || body.Contains(MessageOf(code), StringComparison.Ordinal), $"{method} {path}: {body}");
        foreach ((_, string? value) in headers)
        {
            Assert.True(value is null || !body.Contains(value.Replace("Bearer ", "", StringComparison.Ordinal), StringComparison.Ordinal), $"{path} repeats the key");
        }
    }

    /// <summary>Some protocols have no place for a code.</summary>
    private static string MessageOf(string code) => code switch
    {
        "ballast_missing_key" => "No API key was sent.",
        "ballast_invalid_key" => "The API key is not known here.",
        "ballast_ambiguous_key" => "Two different API keys were sent.",
        _ => "This API key may not be used for that.",
    };

    private async Task<KeyDocument> MakeAsync(KeyDocument key) => (KeyDocument)await _desk.CreateAsync(_root, TenantView.KeyKind, key, Cancellation);
}
