using System.Text;
using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>What no SDK sends, over both protocols' surfaces: refused before a platform is asked, in the caller's shape, with an id that the log knows.</summary>
public sealed class RefusalTests(GatewayFixture gateways)
{
    private const string AzurePath = "/openai/deployments/openai%2Fgpt-5-mini/chat/completions?api-version=2025-04-01-preview";

    private static readonly string[] Paths = ["/v1/chat/completions", "/openai/v1/chat/completions", AzurePath, "/v1/messages", "/v1/messages/count_tokens"];

    private static readonly string[] Models = ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5"];

    // Bodies, with MODEL in place of the model's name; each is refused with 400.
    private static readonly Dictionary<string, string> Bodies = new()
    {
        ["empty"] = "",
        ["blank"] = " \r\n",
        ["no JSON"] = "Hello",
        ["half"] = """{"model":"MODEL","messages":[{"role":"user","content":"Hello"}""",
        ["two documents"] = """{"model":"MODEL","messages":[]}{}""",
        ["trailing comma"] = """{"model":"MODEL","messages":[],}""",
        ["comment"] = """{"model":"MODEL",/* no */"messages":[]}""",
        ["array"] = """[{"model":"MODEL"}]""",
        ["null"] = "null",
        ["number"] = "12",
        ["model missing"] = """{"messages":[{"role":"user","content":"Hello"}]}""",
        ["model null"] = """{"model":null,"messages":[{"role":"user","content":"Hello"}]}""",
        ["model empty"] = """{"model":"","messages":[{"role":"user","content":"Hello"}]}""",
        ["model number"] = """{"model":5,"messages":[{"role":"user","content":"Hello"}]}""",
        ["messages missing"] = """{"model":"MODEL"}""",
        ["messages text"] = """{"model":"MODEL","messages":"Hello"}""",
        ["messages object"] = """{"model":"MODEL","messages":{"role":"user"}}""",
        ["stream text"] = """{"model":"MODEL","stream":"yes","messages":[{"role":"user","content":"Hello"}]}""",
        ["max_tokens text"] = """{"model":"MODEL","max_tokens":"many","messages":[{"role":"user","content":"Hello"}]}""",
        ["max_tokens broken"] = """{"model":"MODEL","max_tokens":1.5,"messages":[{"role":"user","content":"Hello"}]}""",
        ["duplicate model"] = """{"model":"MODEL","messages":[{"role":"user","content":"Hello"}],"model":"MODEL"}""",
        ["duplicate messages"] = """{"model":"MODEL","messages":[],"messages":[{"role":"user","content":"Hello"}]}""",
        ["duplicate by escape"] = """{"model":"MODEL","messages":[{"role":"user","content":"Hello"}],"mod\u0065l":"MODEL"}""",
        ["duplicate unknown"] = """{"model":"MODEL","messages":[{"role":"user","content":"Hello"}],"x":1,"x":2}""",
        ["deep"] = """{"model":"MODEL","messages":[{"role":"user","content":"Hello"}],"x":DEEP}""",
        ["deep inside"] = """{"model":"MODEL","messages":[{"role":"user","content":DEEP}]}""",
        ["control character"] = "{\"model\":\"MODEL\",\"messages\":[{\"role\":\"user\",\"content\":\"\u0001\"}]}",
    };

    private static readonly Dictionary<string, byte[]> BrokenText = new()
    {
        ["lone byte"] = [0xFF],
        ["overlong"] = [0xC0, 0xAF],
        ["surrogate"] = [0xED, 0xA0, 0x80],
        ["cut"] = [0xF0, 0x9F, 0x8C],
    };

    public static TheoryData<string, string> BodyCases => Rows([.. Bodies.Keys, .. BrokenText.Keys]);

    public static TheoryData<string> AllPaths => [.. Paths];

    [Theory]
    [MemberData(nameof(BodyCases))]
    public async Task Body_Malformed_IsRefusedInTheCallersShape(string path, string name)
    {
        using GatewayClient client = new(gateways.Fast);
        foreach (string model in Models)
        {
            byte[] body = BrokenText.TryGetValue(name, out byte[]? broken)
                ? [.. Encoding.UTF8.GetBytes($$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hello """), .. broken, .. "\"}]}"u8]
                : Encoding.UTF8.GetBytes(Bodies[name].Replace("MODEL", model, StringComparison.Ordinal)
                    .Replace("DEEP", new string('[', 70) + new string(']', 70), StringComparison.Ordinal));
            await AssertRefusedAsync(await client.SendAsync(HttpMethod.Post, path, body, Key), path, 400);
        }

        Assert.Equal(1, client.Connections);
    }

    /// <summary>Whoever gave a client one part too many of a base URL is told so, in that client's shape.</summary>
    [Theory]
    [InlineData("/v1/v1/chat/completions", "openai")]
    [InlineData("/v1/v1/messages", "anthropic")]
    [InlineData("/v1//v1/messages", "anthropic")]
    [InlineData("/v1/v1beta/models/gemini:generateContent", "gemini")]
    [InlineData("/v1/v1/batches", "openai")]
    [InlineData("/openai/v1/v1/responses/resp_1", "openai")]
    public async Task Path_OfAWrongBaseUrl_IsToldSo(string path, string shape)
    {
        using GatewayClient client = new(gateways.Fast);
        GatewayAnswer answer = await client.PostAsync(path, Good, Key);
        Assert.Equal(404, answer.Status);
        Assert.Contains("ballast_base_url", answer.Body, StringComparison.Ordinal);
        Assert.StartsWith(shape switch { "anthropic" => """{"type":"error",""", "gemini" => """{"error":{"code":404,""", _ => """{"error":{"message":""" }, answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AllPaths))]
    public async Task Body_None_IsToldSo(string path)
    {
        using GatewayClient client = new(gateways.Fast);
        Assert.Contains("has no body", (await client.PostAsync(path, "", Key)).Body, StringComparison.Ordinal);
    }

    /// <summary>Each vendor's models have bodies of their own at InvokeModel.</summary>
    [Fact]
    public async Task InvokeModel_BodyOfAnotherVendor_IsToldWhatIsTaken()
    {
        using GatewayClient client = new(gateways.Fast);
        GatewayAnswer answer = await client.PostAsync("/model/anthropic%2Fclaude-haiku-4-5/invoke", """{"inputText":"Hello"}""", Key);
        Assert.Equal(400, answer.Status);
        Assert.Contains("Claude's Messages", answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AllPaths))]
    public async Task Body_AtTheDepthThatIsTaken_IsNotRefusedForIt(string path)
    {
        using GatewayClient client = new(gateways.Fast);
        string body = Bodies["deep"].Replace("MODEL", "local/llama-4-scout", StringComparison.Ordinal);
        GatewayAnswer taken = await client.PostAsync(path, body.Replace("DEEP", new string('[', 63) + new string(']', 63), StringComparison.Ordinal), Key);
        Assert.DoesNotContain("deeper", taken.Body, StringComparison.Ordinal);
        GatewayAnswer refused = await client.PostAsync(path, body.Replace("DEEP", new string('[', 64) + new string(']', 64), StringComparison.Ordinal), Key);
        Assert.Contains("deeper than 64", refused.Body, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AllPaths))]
    public async Task Body_TooLarge_IsRefused(string path)
    {
        byte[] body = Encoding.UTF8.GetBytes(
            $$"""{"model":"openai/gpt-5-mini","max_tokens":9,"messages":[{"role":"user","content":"{{new string('x', 2 << 20)}}"}]}""");
        using GatewayClient told = new(gateways.Fast);
        await AssertRefusedAsync(await told.SendAsync(HttpMethod.Post, path, body, Key), path, 413);
        using GatewayClient untold = new(gateways.Fast);
        await AssertRefusedAsync(await untold.SendChunkedAsync(path, body, Key), path, 413);
    }

    [Theory]
    [MemberData(nameof(AllPaths))]
    public async Task Body_Compressed_IsRefused(string path)
    {
        using GatewayClient client = new(gateways.Fast);
        await AssertRefusedAsync(await client.PostAsync(path, Good, Key, ("Content-Encoding", "gzip")), path, 400);
    }

    [Theory]
    [MemberData(nameof(AllPaths))]
    public async Task Key_MissingWrongOrAmbiguous_IsRefused(string path)
    {
        using GatewayClient client = new(gateways.Fast);
        await AssertRefusedAsync(await client.PostAsync(path, Good, key: null), path, 401);
        await AssertRefusedAsync(await client.PostAsync(path, Good, "a-key-that-nobody-gave"), path, 401);
        await AssertRefusedAsync(await client.PostAsync(path, Good, new string('k', 5000)), path, 401);
        await AssertRefusedAsync(await client.PostAsync(path, Good, key: null, ("Authorization", "Basic dXNlcjpwYXNz")), path, 401);
        string other = gateways.Fast.KeyOf("strict");
        GatewayAnswer two = await client.PostAsync(path, Good, key: null, ("Authorization", $"Bearer {Key}"), ("x-api-key", other));
        await AssertRefusedAsync(two, path, 400);
        Assert.Contains("ballast_ambiguous_key", two.Body, StringComparison.Ordinal);
        await AssertRefusedAsync(await client.PostAsync(path, Good, key: null, ("api-key", other), ("x-api-key", Key)), path, 400);
    }

    [Theory]
    [InlineData("Authorization", "Bearer ")]
    [InlineData("Authorization", "bearer ")]
    [InlineData("x-api-key", "")]
    [InlineData("api-key", "")]
    public async Task Key_InAnyHeaderOfAnySurface_IsTaken(string header, string prefix)
    {
        using GatewayClient client = new(gateways.Fast);
        foreach (string path in Paths)
        {
            GatewayAnswer answer = await client.PostAsync(path, Good, key: null, (header, prefix + Key));
            Assert.True(answer.Status == 200, $"{path} with {header}: {answer.Body}");
        }

        GatewayAnswer twice = await client.PostAsync("/v1/messages", Good, key: null, ("Authorization", $"Bearer {Key}"), ("x-api-key", Key));
        Assert.Equal(200, twice.Status);
    }

    [Theory]
    [InlineData("/v1/chat/completions//", "openai")]
    [InlineData("/v1/assistants", "openai")]
    [InlineData("/v1/realtime", "openai")]
    [InlineData("/", "openai")]
    [InlineData("/v1/../etc/passwd", "openai")]
    [InlineData("/openai/deployments//chat/completions?api-version=1", "openai")]
    [InlineData("/openai/deployments/openai%2Fgpt-5-mini/chat/completions", "openai")]
    [InlineData("/v1/messages/batch", "anthropic")]
    [InlineData("/v1/messages//", "anthropic")]
    public async Task Path_Unknown_IsRefused(string path, string protocol)
    {
        using GatewayClient client = new(gateways.Fast);
        GatewayAnswer answer = await client.PostAsync(path, Good, Key);
        answer.AssertError(gateways.Fast, protocol, 404);
        Assert.NotNull(await gateways.Fast.RefusalOfAsync(answer.Id));
    }

    [Theory]
    [InlineData("GET", "/v1/chat/completions", "POST")]
    [InlineData("PUT", "/v1/chat/completions", "POST")]
    [InlineData("DELETE", "/v1/messages", "POST")]
    [InlineData("GET", "/v1/messages", "POST")]
    [InlineData("PATCH", "/v1/messages/count_tokens", "POST")]
    [InlineData("POST", "/v1/models", "GET")]
    [InlineData("OPTIONS", AzurePath, "POST")]
    public async Task Method_Wrong_IsRefusedAndTheRightOneNamed(string method, string path, string allowed)
    {
        using GatewayClient client = new(gateways.Fast);
        GatewayAnswer answer = await client.SendAsync(new HttpMethod(method), path, body: null, Key);
        await AssertRefusedAsync(answer, path, 405);
        Assert.Equal(allowed, answer.Header("allow"));
    }

    [Theory]
    [InlineData("unauthorized/gpt-5-mini", "upstream_credentials_refused")]
    [InlineData("gone/claude-haiku-4-5", "upstream_connect_failed")]
    public async Task Platform_ThatRefusesOrIsGone_IsNamedWithoutItsAddressOrKey(string model, string code)
    {
        using GatewayClient client = new(gateways.Fast);
        foreach (string path in (string[])["/v1/chat/completions", "/v1/messages"])
        {
            foreach (string stream in (string[])["", "\"stream\":true,"])
            {
                gateways.Fast.Server.Health.Reset(); // It would rest, and not be asked again so soon.
                GatewayAnswer answer = await client.PostAsync(
                    path, $$"""{"model":"{{model}}",{{stream}}"max_tokens":9,"messages":[{"role":"user","content":"Hello"}]}""", Key);
                answer.AssertError(gateways.Fast, GatewayClient.ProtocolOf(path), 502);
                Assert.Contains(code, answer.Body, StringComparison.Ordinal);
                Assert.DoesNotContain("canary", answer.Body, StringComparison.OrdinalIgnoreCase);
                Assert.Contains(code, await gateways.Fast.RefusalOfAsync(answer.Id), StringComparison.Ordinal);
                Ledger.LedgerEntry row = Assert.Single(await gateways.Fast.EntriesOfAsync(answer.Id));
                Assert.Equal(code, row.Reason);
                Assert.Equal(model, row.Deployment);
                Assert.Equal(0, row.OutputTokens);
            }
        }

        await gateways.Fast.AssertNoSecretIsKeptAsync();
    }

    private static string Good => """{"model":"openai/gpt-5-mini","messages":[{"role":"user","content":"Hello"}]}""";

    private string Key => gateways.Fast.KeyOf("raw");

    private async Task AssertRefusedAsync(GatewayAnswer answer, string path, int status)
    {
        answer.AssertError(gateways.Fast, GatewayClient.ProtocolOf(path), status);
        Assert.NotNull(await gateways.Fast.RefusalOfAsync(answer.Id));
        Assert.Empty(await gateways.Fast.EntriesOfAsync(answer.Id, TimeSpan.Zero));
    }

    private static TheoryData<string, string> Rows(IEnumerable<string> names)
    {
        TheoryData<string, string> rows = [];
        foreach (string name in names)
        {
            // The path of a deployment says which model is meant.
            foreach (string path in Paths.Where(path => name != "model missing" || !path.StartsWith("/openai/deployments/", StringComparison.Ordinal)))
            {
                rows.Add(path, name);
            }
        }

        return rows;
    }
}
