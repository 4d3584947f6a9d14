using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>
/// Vertex AI on the wire: tokens by a service account's assertion and by workload identity federation, Claude's bodies in the cloud's form both ways, counts at their own
/// path.
/// </summary>
[Collection("Faults")]
public sealed class VertexTests : IAsyncLifetime
{
    private const string GeminiBody = """{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}""";

    private const string ClaudeBody = """{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"zz":[1]}""";

    private const string ClaudeAnswer =
        """{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":2}}""";

    private const string GeminiAnswer =
        """{"candidates":[{"content":{"parts":[{"text":"Hello"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5}}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("ballast-vertex-").FullName;
    private readonly RSA _key = RSA.Create(2048);
    private readonly Queue<string> _faults = [];
    private RawUpstream _tokens = null!;
    private RawUpstream _vertex = null!;
    private RawUpstream _anthropic = null!;
    private FaultGateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _tokens = new RawUpstream(GiveTokenAsync);
        _vertex = new RawUpstream(visit => Path(visit).Contains("count-tokens", StringComparison.Ordinal) ? RespondAsync(visit, """{"input_tokens":17}""")
            : Path(visit).EndsWith(":countTokens", StringComparison.Ordinal) ? RespondAsync(visit, """{"totalTokens":18}""")
            : RespondAsync(visit, Path(visit).Contains("/publishers/anthropic/", StringComparison.Ordinal) ? ClaudeAnswer : GeminiAnswer));
        _anthropic = new RawUpstream(visit => RespondAsync(visit, ClaudeAnswer));
        _gateway = await FaultGateway.StartAsync(new FaultSetup
        {
            Raw = [("rawv", "vertex", _vertex), ("rawf", "vertex", _vertex), ("rawa", "anthropic", _anthropic)],
            Models = [("g", ["rawv/g=gemini-x"]), ("c", ["rawv/c=claude-x@1"]), ("f", ["rawf/f=gemini-x"]), ("own", ["rawa/own=claude-own"])],
            Credentials = new Dictionary<string, string>
            {
                ["rawv"] = $"credentials_file: {ServiceAccount()}\n    project: my-project", ["rawf"] = $"credentials_file: {Federation()}\n    project: my-project",
            },
            Limits = ["breaker_failures: 1000"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _tokens.DisposeAsync();
        await _vertex.DisposeAsync();
        await _anthropic.DisposeAsync();
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("g")]
    [InlineData("f")]
    public async Task Gemini_WithAToken_IsAskedInProjectAndLocation(string model)
    {
        for (int i = 0; i < 3; i++)
        {
            HttpResponseMessage answer = await SendAsync($"/v1beta/models/{model}:generateContent", GeminiBody);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.Empty(_faults);
        Assert.True(_vertex.Visits.TryDequeue(out RawVisit? visit));
        string provider = model == "g" ? "rawv" : "rawf";
        Assert.Equal($"/v1/projects/my-project/locations/{provider}-1/publishers/google/models/gemini-x:generateContent", Path(visit));
        Assert.Contains($"Authorization: Bearer token-of-{(model == "g" ? "account" : "robot")}\r\n", visit.Head + "\r\n", StringComparison.OrdinalIgnoreCase);
        // One token serves them all: a federated one takes two questions.
        Assert.Equal(model == "g" ? 1 : 2, _tokens.Visits.Count);
    }

    [Fact]
    public async Task Claude_FromEitherSurface_GoesWithoutModelAndWithItsVersion()
    {
        string plain = """{"model":"c","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"zz":[1]}""";
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("/v1/messages", plain)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("/v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict", ClaudeBody)).StatusCode);
        while (_vertex.Visits.TryDequeue(out RawVisit? visit))
        {
            Assert.EndsWith("/publishers/anthropic/models/claude-x%401:rawPredict", Path(visit), StringComparison.Ordinal);
            Assert.DoesNotContain("anthropic-version", visit.Head, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(ClaudeBody, visit.Body);
        }
    }

    [Fact]
    public async Task Claude_FromTheCloudsSurface_ReachesAnthropicInItsOwnForm()
    {
        HttpResponseMessage answer = await SendAsync("/v1/projects/p/locations/l/publishers/anthropic/models/own:rawPredict", ClaudeBody);
        Assert.Equal(ClaudeAnswer, await TextAsync(answer));
        Assert.True(_anthropic.Visits.TryDequeue(out RawVisit? visit));
        Assert.Equal("""{"model":"claude-own","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"zz":[1]}""", visit.Body);
        Assert.Contains("anthropic-version: 2023-06-01", visit.Head, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Count_OfBothVendors_IsAskedAtItsOwnPath()
    {
        string counted = await TextAsync(await SendAsync(
            "/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict", """{"anthropic_version":"vertex-2023-10-16","model":"c","messages":[{"role":"user","content":"Hi"}]}"""));
        Assert.Equal(17, (int)JsonNode.Parse(counted)!["input_tokens"]!);
        Assert.True(_vertex.Visits.TryDequeue(out RawVisit? claude));
        Assert.EndsWith("/publishers/anthropic/models/count-tokens:rawPredict", Path(claude), StringComparison.Ordinal);
        Assert.Equal("""{"anthropic_version":"vertex-2023-10-16","model":"claude-x@1","messages":[{"role":"user","content":"Hi"}]}""", claude.Body);
        string gemini = await TextAsync(await SendAsync("/v1beta/models/g:countTokens", $$"""{"generateContentRequest":{"model":"models/g",{{GeminiBody[1..]}}}"""));
        Assert.Equal(18, (int)JsonNode.Parse(gemini)!["totalTokens"]!);
        Assert.True(_vertex.Visits.TryDequeue(out RawVisit? google));
        Assert.Equal(GeminiBody, google.Body);
    }

    private async Task GiveTokenAsync(RawVisit visit)
    {
        if (visit.Head.StartsWith("POST /impersonate ", StringComparison.Ordinal))
        {
            bool isGood = visit.Head.Contains("Authorization: Bearer federated", StringComparison.OrdinalIgnoreCase);
            await RespondAsync(visit, isGood ? $$"""{"accessToken":"token-of-robot","expireTime":"{{TimeProvider.System.GetUtcNow().AddHours(1):O}}"}""" : "{}");
            return;
        }

        Dictionary<string, string> form = visit.Body.Split('&').Select(field => field.Split('=')).ToDictionary(field => field[0], field => Uri.UnescapeDataString(field[1].Replace('+', ' ')));
        if (form["grant_type"].EndsWith("token-exchange", StringComparison.Ordinal))
        {
            bool isGood = form["subject_token"] == "their-token" && form["audience"] == "//iam.example/pool" && form["subject_token_type"].EndsWith("jwt", StringComparison.Ordinal);
            await RespondAsync(visit, isGood ? """{"access_token":"federated","expires_in":3600,"token_type":"Bearer"}""" : "{}");
            return;
        }

        if (Fault(form) is { } fault)
        {
            _faults.Enqueue(fault);
        }

        await RespondAsync(visit, """{"access_token":"token-of-account","expires_in":3599,"token_type":"Bearer"}""");
    }

    private string? Fault(Dictionary<string, string> form)
    {
        string[] parts = form["assertion"].Split('.');
        bool isSigned = _key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using JsonDocument claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
        JsonElement root = claims.RootElement;
        return form["grant_type"] != "urn:ietf:params:oauth:grant-type:jwt-bearer" ? "grant type"
            : !isSigned ? "signature"
            : root.GetProperty("iss").GetString() != "robot@my-project.iam.gserviceaccount.com" ? "issuer"
            : root.GetProperty("aud").GetString() != Address("/token") ? "audience"
            : root.GetProperty("exp").GetInt64() - root.GetProperty("iat").GetInt64() != 3600 ? "lifetime"
            : null;
    }

    private string Address(string path) => _tokens.Address.GetLeftPart(UriPartial.Authority) + path;

    private string ServiceAccount() => Write("account.json", new JsonObject
    {
        ["type"] = "service_account", ["project_id"] = "my-project", ["private_key_id"] = "k1", ["private_key"] = _key.ExportPkcs8PrivateKeyPem(),
        ["client_email"] = "robot@my-project.iam.gserviceaccount.com", ["token_uri"] = Address("/token"),
    });

    private string Federation()
    {
        string subject = System.IO.Path.Combine(_folder, "subject.json");
        File.WriteAllText(subject, """{"id_token":"their-token"}""");
        return Write("federation.json", new JsonObject
        {
            ["type"] = "external_account", ["audience"] = "//iam.example/pool", ["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt", ["token_url"] = Address("/token"),
            ["credential_source"] = new JsonObject { ["file"] = subject, ["format"] = new JsonObject { ["type"] = "json", ["subject_token_field_name"] = "id_token" } },
            ["service_account_impersonation_url"] = Address("/impersonate"),
        });
    }

    private string Write(string name, JsonObject content)
    {
        string path = System.IO.Path.Combine(_folder, name);
        File.WriteAllText(path, content.ToJsonString());
        return path;
    }

    private static string Path(RawVisit visit) => visit.Head.Split(' ')[1];

    private static Task RespondAsync(RawVisit visit, string body) =>
        visit.RespondAsync("200 OK", $"content-type: application/json\r\ncontent-length: {Encoding.UTF8.GetByteCount(body)}\r\n", body);

    private Task<HttpResponseMessage> SendAsync(string path, string body)
    {
        HttpRequestMessage request = new(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Authorization", "Bearer " + FaultSetup.Key);
        request.Headers.Add("anthropic-version", "2023-06-01");
        return _gateway.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static Task<string> TextAsync(HttpResponseMessage answer) => answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
}
