using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Tests.Google;

/// <summary>Google's token endpoints: what each grant needs, how it is refused, and what its tokens are worth at the platform.</summary>
public sealed class GoogleTokenTests : IAsyncLifetime
{
    private const string JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

    private readonly TestSandbox _sandbox = new();

    public ValueTask InitializeAsync() => _sandbox.InitializeAsync();

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task Assertion_OfTheServiceAccount_OpensVertexUntilTheTokenEnds()
    {
        _sandbox.Host.Google.TokenLifetime = TimeSpan.FromSeconds(1);
        (HttpStatusCode status, JsonNode answer) = await GrantAsync(Assertion());
        Assert.Equal(HttpStatusCode.OK, status);
        string token = answer["access_token"]!.GetValue<string>();
        Assert.Equal(HttpStatusCode.OK, await CountAsync(token));
        Assert.Equal(HttpStatusCode.Unauthorized, await CountAsync(token[..^2] + "xx"));
        await Task.Delay(TimeSpan.FromSeconds(1.1), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Unauthorized, await CountAsync(token));
        Assert.Equal((1, 1), (_sandbox.Host.Google.Calls, _sandbox.Host.Google.Issued));
    }

    [Fact]
    public async Task Assertion_WithAFault_IsRefusedInGooglesWords()
    {
        using RSA other = RSA.Create(2048);
        Assert.Equal("Invalid JWT Signature.", await RefusalAsync(Assertion(key: other)));
        Assert.Equal("Invalid JWT: Failed audience check.", await RefusalAsync(Assertion(audience: "https://else")));
        Assert.StartsWith("Invalid JWT: Token must be a short-lived token", await RefusalAsync(Assertion(ageSeconds: 4000)), StringComparison.Ordinal);
        Assert.StartsWith("Invalid JWT: Token must be a short-lived token", await RefusalAsync(Assertion(ageSeconds: -300)), StringComparison.Ordinal);
        Assert.Equal("Invalid grant: account not found", await RefusalAsync(Assertion(email: "someone@else")));
        Assert.Equal("Bad Request", await RefusalAsync("a.b"));
        Assert.Equal(0, _sandbox.Host.Google.Issued);
    }

    [Fact]
    public async Task Assertion_ByTheEndpointsClock_IsJudgedByIt()
    {
        _sandbox.Host.Google.ClockOffset = TimeSpan.FromHours(2);
        Assert.StartsWith("Invalid JWT: Token must be", await RefusalAsync(Assertion()), StringComparison.Ordinal);
        (HttpStatusCode status, _) = await GrantAsync(Assertion(ageSeconds: -7200));
        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Theory]
    [InlineData(SandboxGoogle.RefreshToken, SandboxGoogle.ClientSecret, 200, null)]
    [InlineData("1//wrong", SandboxGoogle.ClientSecret, 400, "invalid_grant")]
    [InlineData(SandboxGoogle.RefreshToken, "wrong", 401, "invalid_client")]
    public async Task Refresh_OfAUser_NeedsAllThree(string token, string secret, int status, string? error)
    {
        (HttpStatusCode got, JsonNode answer) = await PostAsync(
            "/token", ("grant_type", "refresh_token"), ("client_id", SandboxGoogle.ClientId), ("client_secret", secret), ("refresh_token", token));
        Assert.Equal((status, error), ((int)got, answer["error"]?.GetValue<string>()));
    }

    [Fact]
    public async Task Exchange_OfAnotherPartysToken_GivesOneThatMayActAsTheServiceAccount()
    {
        (HttpStatusCode status, JsonNode answer) = await ExchangeAsync("https:" + SandboxGoogle.FederationAudience, 600);
        Assert.Equal(HttpStatusCode.OK, status);
        string federated = answer["access_token"]!.GetValue<string>();
        Assert.Equal(HttpStatusCode.OK, await CountAsync(federated));
        Assert.Equal(HttpStatusCode.OK, await ImpersonateAsync(federated));
        Assert.Equal(HttpStatusCode.Forbidden, await ImpersonateAsync(_sandbox.Host.Google.IssueToken()));
        Assert.Equal("invalid_grant", (await ExchangeAsync("https://else", 600)).Answer["error"]!.GetValue<string>());
        Assert.Equal("invalid_grant", (await ExchangeAsync("https:" + SandboxGoogle.FederationAudience, -600)).Answer["error"]!.GetValue<string>());
    }

    [Fact]
    public async Task Machine_AskedWithItsHeader_GivesATokenAndElseNone()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(_sandbox.Host.Google.Address, "/computeMetadata/v1/instance/service-accounts/default/token"));
        using HttpResponseMessage refused = await _sandbox.Http.GetAsync(request.RequestUri, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        request.Headers.Add("Metadata-Flavor", "Google");
        using HttpResponseMessage given = await _sandbox.Http.SendAsync(request, TestContext.Current.CancellationToken);
        JsonNode answer = JsonNode.Parse(await given.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Equal(HttpStatusCode.OK, await CountAsync(answer["access_token"]!.GetValue<string>()));
    }

    private async Task<string> RefusalAsync(string assertion)
    {
        (HttpStatusCode status, JsonNode answer) = await GrantAsync(assertion);
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_grant"), (status, answer["error"]!.GetValue<string>()));
        return answer["error_description"]!.GetValue<string>();
    }

    private Task<(HttpStatusCode Status, JsonNode Answer)> GrantAsync(string assertion) => PostAsync("/token", ("grant_type", JwtBearer), ("assertion", assertion));

    private Task<(HttpStatusCode Status, JsonNode Answer)> ExchangeAsync(string audience, int seconds)
    {
        string claims = $$"""{"aud":"{{audience}}","iss":"https://i","sub":"s","exp":{{Now + seconds}}}""";
        return PostAsync(
            "/v1/token",
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("audience", SandboxGoogle.FederationAudience), ("scope", "https://www.googleapis.com/auth/cloud-platform"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"), ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("subject_token", $"{Base64Url.EncodeToString("""{"alg":"RS256"}"""u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.c2ln"));
    }

    private async Task<HttpStatusCode> ImpersonateAsync(string token)
    {
        using HttpRequestMessage request = new(
            HttpMethod.Post, new Uri(_sandbox.Host.Google.Address, $"/v1/projects/-/serviceAccounts/{SandboxGoogle.ServiceAccountEmail}:generateAccessToken"))
        {
            Content = new StringContent("""{"scope":["https://www.googleapis.com/auth/cloud-platform"]}"""),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using HttpResponseMessage answer = await _sandbox.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private async Task<(HttpStatusCode Status, JsonNode Answer)> PostAsync(string path, params (string Name, string Value)[] form)
    {
        using FormUrlEncodedContent content = new(form.ToDictionary(static field => field.Name, static field => field.Value));
        using HttpResponseMessage answer = await _sandbox.Http.PostAsync(new Uri(_sandbox.Host.Google.Address, path), content, TestContext.Current.CancellationToken);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!);
    }

    private async Task<HttpStatusCode> CountAsync(string token) => (await _sandbox.SendAsync(
        "vertex", "/v1/projects/sandbox-project/locations/global/publishers/google/models/gemini-2.5-flash:countTokens",
        """{"contents":[{"parts":[{"text":"a"}]}]}""", ("Authorization", "Bearer " + token))).Status;

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private string Assertion(RSA? key = null, string? audience = null, long ageSeconds = 0, string? email = null)
    {
        JsonNode file = JsonNode.Parse(_sandbox.Host.Google.ServiceAccountFile())!;
        long issued = Now - ageSeconds;
        JsonObject head = new() { ["alg"] = "RS256", ["typ"] = "JWT", ["kid"] = file["private_key_id"]!.GetValue<string>() };
        JsonObject claims = new()
        {
            ["iss"] = email ?? SandboxGoogle.ServiceAccountEmail, ["aud"] = audience ?? file["token_uri"]!.GetValue<string>(), ["iat"] = issued, ["exp"] = issued + 3600,
            ["scope"] = "https://www.googleapis.com/auth/cloud-platform",
        };
        string signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(head.ToJsonString()))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        using RSA own = RSA.Create();
        own.ImportFromPem(file["private_key"]!.GetValue<string>());
        byte[] signature = (key ?? own).SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }
}
