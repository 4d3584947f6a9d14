using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Tests.Server;

/// <summary>The token endpoint as Entra ID's clients meet it, and what its tokens are worth at the platform.</summary>
public sealed class TlsAndEntraTests
{
    private const string Scope = "https://cognitiveservices.azure.com/.default";

    [Fact]
    public async Task Token_OfTheRightSecret_OpensTheAzurePlatformUntilItEnds()
    {
        await using SandboxHost sandbox = await StartAsync();
        sandbox.Entra.TokenLifetime = TimeSpan.FromSeconds(1);
        using HttpClient http = new();
        JsonNode answer = await AskAsync(http, sandbox, Form(), 200);
        string token = answer["access_token"]!.GetValue<string>();

        Assert.Equal(HttpStatusCode.OK, await ModelsAsync(http, sandbox, token));
        Assert.Equal(HttpStatusCode.Unauthorized, await ModelsAsync(http, sandbox, token[..^2] + "xx"));
        await Task.Delay(TimeSpan.FromSeconds(1.1), TimeProvider.System, Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, await ModelsAsync(http, sandbox, token));
        Assert.Equal((1, 1), (sandbox.Entra.Calls, sandbox.Entra.Issued));
    }

    [Fact]
    public async Task Token_OfAnotherSandboxOrForAnotherResource_IsRefused()
    {
        await using SandboxHost sandbox = await StartAsync();
        await using SandboxHost other = await StartAsync();
        using HttpClient http = new();
        JsonNode foreign = await AskAsync(http, other, Form(), 200);
        JsonNode wrong = await AskAsync(http, sandbox, Form(("scope", "https://graph.microsoft.com/.default")), 200);

        Assert.Equal(HttpStatusCode.Unauthorized, await ModelsAsync(http, sandbox, foreign["access_token"]!.GetValue<string>()));
        Assert.Equal(HttpStatusCode.Unauthorized, await ModelsAsync(http, sandbox, wrong["access_token"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("client_secret", "wrong", 401, 7000215)]
    [InlineData("client_id", "nobody", 400, 700016)]
    [InlineData("grant_type", "password", 400, 70003)]
    [InlineData("scope", "everything", 400, 1002012)]
    public async Task Token_OfAFaultyRequest_IsRefusedWithEntrasCode(string name, string value, int status, long code)
    {
        await using SandboxHost sandbox = await StartAsync();
        using HttpClient http = new();

        JsonNode error = await AskAsync(http, sandbox, Form((name, value)), status);

        Assert.Equal(code, error["error_codes"]![0]!.GetValue<long>());
        Assert.StartsWith($"AADSTS{code}: ", error["error_description"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal((1, 0), (sandbox.Entra.Calls, sandbox.Entra.Issued));
    }

    [Theory]
    [InlineData("api://AzureADTokenExchange", 600, 200, 0)]
    [InlineData("api://Else", 600, 401, 700212)]
    [InlineData("api://AzureADTokenExchange", -600, 401, 700024)]
    public async Task Token_OfAnAssertion_DependsOnItsClaims(string audience, int seconds, int status, long code)
    {
        await using SandboxHost sandbox = await StartAsync();
        using HttpClient http = new();
        string claims = $$"""{"aud":"{{audience}}","iss":"https://i","sub":"s","exp":{{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + seconds}}}""";
        string assertion = $"{Base64Url.EncodeToString("""{"alg":"RS256"}"""u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.c2ln";

        JsonNode answer = await AskAsync(
            http, sandbox, Form(("client_secret", ""), ("client_assertion", assertion), ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")), status);

        Assert.Equal(code, answer["error_codes"]?[0]!.GetValue<long>() ?? 0);
    }

    [Fact]
    public async Task Tls_OfAnUnknownAuthority_IsRefusedByAnOrdinaryClient()
    {
        string ca = Path.GetTempFileName();
        await using SandboxHost sandbox = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = 0, Tls = true, CaPath = ca }, Cancellation);
        using HttpClient http = new();

        Assert.All(sandbox.Platforms.Values, static platform => Assert.Equal("https", platform.Address.Scheme));
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(sandbox.Platforms["azure"].Address, Cancellation));
        string pem = await File.ReadAllTextAsync(ca, Cancellation);
        File.Delete(ca);
        Assert.Contains("BEGIN CERTIFICATE", pem, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", pem, StringComparison.Ordinal);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Task<SandboxHost> StartAsync() => SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = 0 }, Cancellation);

    private static FormUrlEncodedContent Form(params (string Name, string Value)[] changes)
    {
        Dictionary<string, string> form = new()
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = SandboxEntra.ClientId,
            ["client_secret"] = SandboxEntra.ClientSecret,
            ["scope"] = Scope,
        };
        foreach ((string name, string value) in changes)
        {
            form[name] = value;
        }

        return new FormUrlEncodedContent(form);
    }

    private static async Task<JsonNode> AskAsync(HttpClient http, SandboxHost sandbox, FormUrlEncodedContent form, int status)
    {
        using HttpResponseMessage response = await http.PostAsync(new Uri(sandbox.Entra.Authority, $"{SandboxEntra.TenantId}/oauth2/v2.0/token"), form, Cancellation);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True((int)response.StatusCode == status, text);
        return JsonNode.Parse(text)!;
    }

    private static async Task<HttpStatusCode> ModelsAsync(HttpClient http, SandboxHost sandbox, string token)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(sandbox.Platforms["azure"].Address, "openai/v1/models"));
        request.Headers.Authorization = new("Bearer", token);
        using HttpResponseMessage response = await http.SendAsync(request, Cancellation);
        return response.StatusCode;
    }
}
