using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Ballast.Server;
using Ballast.Server.Admin;
using Ballast.Tenancy;

namespace Ballast.Tests.Server;

/// <summary>Every route of administration, read off its own document, with every kind of caller, against a matrix made of who each of them is; and every client route with a key for each scope.</summary>
public sealed class AdminRouteMatrixTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private TenantDesk _desk = null!;
    private AdminIdentity _root = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync("failed_keys_per_minute: 1000000");
        _desk = _server.Server.Desk;
        _root = _desk.Identify(_server.Server.FirstAdminToken)!;
        await MakeAsync(TenantView.OrganisationKind, new TenantDocument { Id = "acme" });
        foreach (string team in (string[])["red", "blue"])
        {
            await MakeAsync(TenantView.TeamKind, new TenantDocument { Id = team, Organisation = "acme" });
        }

        await MakeAsync(TenantView.AppKind, new TenantDocument { Id = "red-app", Team = "red" });
        await MakeAsync(TenantView.KeyKind, new KeyDocument { Id = "red-key", App = "red-app" });
        await MakeAsync(TenantView.BudgetKind, new BudgetDocument { Id = "red-budget", Team = "red", Usd = 5 });
        await MakeAsync(TenantView.TokenKind, new TokenDocument { Id = "red-token", Role = "admin", Team = "red" });
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task HandleAsync_EveryRouteAndEveryCaller_AsTheMatrixHasIt()
    {
        string expired = await TokenAsync(new TokenDocument { Id = "expired", Role = "admin", ExpiresAt = TimeProvider.System.GetUtcNow().AddMilliseconds(100) });
        string revoked = await TokenAsync(new TokenDocument { Id = "revoked", Role = "admin" });
        await _desk.DeleteAsync(_root, TenantView.TokenKind, "revoked", null, Cancellation);
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Cancellation);
        string root = _server.Server.FirstAdminToken!;
        (string Who, Standing Standing, string[] Authorization)[] callers =
        [
            ("nobody", Standing.Unknown, []),
            ("a client's key", Standing.Unknown, [$"Bearer {TestServer.Key}"]),
            ("a made-up token", Standing.Unknown, [$"Bearer {KeyText.MakeToken()}"]),
            ("an expired token", Standing.Unknown, [$"Bearer {expired}"]),
            ("a token that was taken back", Standing.Unknown, [$"Bearer {revoked}"]),
            ("another scheme", Standing.Unknown, [$"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(root))}"]),
            ("two tokens", Standing.Unknown, [$"Bearer {root}", $"Bearer {KeyText.MakeToken()}"]),
            ("a viewer", Standing.Viewer, [$"Bearer {await TokenAsync(new TokenDocument { Id = "viewer", Role = "viewer" })}"]),
            ("another team's administrator", Standing.Foreign, [$"Bearer {await TokenAsync(new TokenDocument { Id = "blue-token", Role = "admin", Team = "blue" })}"]),
        ];
        (string Method, string Path)[] routes = [.. Routes()];
        Assert.True(routes.Length >= 30, $"{routes.Length} routes");
        foreach ((string method, string path) in routes)
        {
            foreach ((string who, Standing standing, string[] authorization) in callers)
            {
                (HttpStatusCode status, string body) = await AskAsync(method, path, authorization);
                string what = $"{who}: {method} {path} gave {(int)status} {body}";
                if (path.EndsWith("openapi.json", StringComparison.Ordinal))
                {
                    Assert.True(status == HttpStatusCode.OK, what);
                    continue;
                }

                bool isLooking = method == "GET";
                switch (standing)
                {
                    case Standing.Unknown:
                        Assert.True(status == HttpStatusCode.Unauthorized, what);
                        break;
                    case Standing.Viewer:
                        Assert.True(isLooking ? status == HttpStatusCode.OK : status == HttpStatusCode.Forbidden, what);
                        break;
                    default:
                        Assert.True(isLooking ? status is HttpStatusCode.OK or HttpStatusCode.NotFound or HttpStatusCode.Forbidden : (int)status is >= 400 and < 500, what);
                        Assert.True(!body.Contains("red-", StringComparison.Ordinal) || status != HttpStatusCode.OK, what);
                        break;
                }

                Assert.DoesNotContain(authorization, one => body.Contains(one.Split(' ')[1], StringComparison.Ordinal));
            }
        }

        // Nobody changed anything, and whoever may do everything can.
        Assert.Equal(("red-app", null), (_desk.View.Apps["red-app"].Id, _desk.View.Keys["red-key"].RevokedAt));
        Assert.True(_desk.View.Budgets.ContainsKey("red-budget") && _desk.View.Tokens.ContainsKey("red-token"));
        foreach ((string method, string path) in routes.Where(static route => route.Method == "GET"))
        {
            Assert.Equal(HttpStatusCode.OK, (await AskAsync(method, path, [$"Bearer {root}"])).Status);
        }

        Assert.Equal(HttpStatusCode.OK, (await AskAsync("POST", "/admin/v1/keys/red-key/revoke", [$"Bearer {root}"])).Status);
    }

    /// <summary>A key with one scope reaches the routes of that scope, and no other.</summary>
    [Fact]
    public async Task DispatchAsync_EveryRouteWithAKeyOfEachScope_AsTheMatrixHasIt()
    {
        string[] scopes = ["chat", "embeddings", "images", "audio", "moderations", "completions", "rerank", "files", "batches", "state"];
        foreach (string scope in scopes)
        {
            KeyDocument key = (KeyDocument)await MakeAsync(TenantView.KeyKind, new KeyDocument { App = "tests", Scopes = [scope] });
            foreach ((string method, string path) in ProtocolEndpoints.Samples("chat"))
            {
                using HttpRequestMessage request = new(new HttpMethod(method), new Uri(_server.Server.Address, path));
                request.Content = method == "POST" ? new StringContent("[]", Encoding.UTF8, "application/json") : null; // no request of any protocol: whoever is let in goes no further
                request.Headers.TryAddWithoutValidation("x-api-key", key.Key);
                using HttpResponseMessage response = await _server.Client.SendAsync(request, Cancellation);
                string body = await response.Content.ReadAsStringAsync(Cancellation);
                bool isRefused = response.StatusCode == HttpStatusCode.Forbidden && (body.Contains("ballast_scope_missing", StringComparison.Ordinal) || body.Contains("may not be used for that", StringComparison.Ordinal));
                string? needed = ScopeOf(path);
                Assert.True(isRefused == (needed is not null && needed != scope), $"{scope}: {method} {path} needs {needed ?? "nothing"}, gave {(int)response.StatusCode} {body}");
                Assert.True(response.StatusCode != HttpStatusCode.Unauthorized, $"{method} {path}");
            }
        }
    }

    /// <summary>What each path is for, by its words alone.</summary>
    private static string? ScopeOf(string path)
    {
        string plain = path.Split('?')[0].Replace("/openai/deployments/chat/", "/", StringComparison.Ordinal); // the model's name is no word of the path's
        bool Has(params string[] words) => words.Any(word => plain.Contains(word, StringComparison.OrdinalIgnoreCase));
        return Has("count", "input_tokens") || plain is "/api/tags" or "/api/show" or "/api/version" || plain.EndsWith("models", StringComparison.Ordinal)
            || (Has("models/chat") && !plain.Contains(':')) ? null
            : Has("/files") ? "files"
            : Has("/batches") ? "batches"
            : Has("embed", ":predict") ? "embeddings"
            : Has("/images/") ? "images"
            : Has("/audio/") ? "audio"
            : Has("/moderations") ? "moderations"
            : Has("/rerank") ? "rerank"
            : Has("/responses/", "/conversations") && !Has("/compact") ? "state"
            : Has("/completions") && !Has("/chat/completions") ? "completions"
            : "chat";
    }

    private static IEnumerable<(string Method, string Path)> Routes()
    {
        using Stream stream = typeof(AdminApi).Assembly.GetManifestResourceStream("Ballast.Server.Admin.openapi.json")!;
        using JsonDocument document = JsonDocument.Parse(stream);
        foreach (JsonProperty path in document.RootElement.GetProperty("paths").EnumerateObject())
        {
            string name = path.Name.Split('/')[3];
            string id = name switch { "organisations" => "acme", "teams" => "red", "apps" => "red-app", "keys" => "red-key", "budgets" => "red-budget", _ => "red-token" };
            foreach (JsonProperty method in path.Value.EnumerateObject().Where(static one => one.Name != "parameters"))
            {
                yield return (method.Name.ToUpperInvariant(), path.Name.Replace("{id}", id, StringComparison.Ordinal) + (name == "export" ? "?from=2026-01-01&to=2026-01-02" : ""));
            }
        }
    }

    private async Task<(HttpStatusCode Status, string Body)> AskAsync(string method, string path, string[] authorization)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), path);
        request.Content = method is "POST" or "PUT" ? new StringContent(BodyOf(path), Encoding.UTF8, "application/json") : null;
        request.Headers.IfMatch.Add(EntityTagHeaderValue.Any);
        foreach (string one in authorization)
        {
            request.Headers.TryAddWithoutValidation("Authorization", one);
        }

        using HttpResponseMessage response = await _server.Admin.SendAsync(request, Cancellation);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    /// <summary>What would be done, were it let through: within the red team.</summary>
    private static string BodyOf(string path) => path.Split('/')[3] switch
    {
        "organisations" => """{"id":"acme"}""",
        "teams" => """{"id":"red","organisation":"acme"}""",
        "apps" => """{"id":"red-app","team":"red"}""",
        "keys" when path.EndsWith("rotate", StringComparison.Ordinal) || path.EndsWith("revoke", StringComparison.Ordinal) => "{}",
        "keys" => """{"app":"red-app"}""",
        "budgets" => """{"id":"red-budget","team":"red","usd":1000}""",
        _ => """{"role":"admin","team":"red"}""",
    };

    private async Task<string> TokenAsync(TokenDocument wanted) => ((TokenDocument)await MakeAsync(TenantView.TokenKind, wanted)).Token!;

    private Task<TenancyDocument> MakeAsync(string kind, TenancyDocument document) => _desk.CreateAsync(_root, kind, document, Cancellation);

    private enum Standing
    {
        Unknown,
        Viewer,
        Foreign,
    }
}
