using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ballast.Sandbox.Tests.Platforms;

/// <summary>What is peculiar to each platform.</summary>
public class PlatformTests(TestSandbox sandbox) : IClassFixture<TestSandbox>
{
    [Fact]
    public async Task OpenAI_Headers_TellIdAndRates()
    {
        Reply reply = await sandbox.ChatAsync("openai", sandbox.ChatBody("openai"));
        Assert.Matches("^req_[0-9a-f]{32}$", reply.Headers["x-request-id"]);
        Assert.Equal("2020-10-01", reply.Headers["openai-version"]);
        Assert.Equal("10000", reply.Headers["x-ratelimit-limit-requests"]);
        Assert.Matches(@"^(\d+ms|\d+(\.\d+)?s|\d+m\d+s)$", reply.Headers["x-ratelimit-reset-tokens"]);
        Assert.True(
            long.Parse(reply.Headers["x-ratelimit-remaining-tokens"], CultureInfo.InvariantCulture)
            < long.Parse(reply.Headers["x-ratelimit-limit-tokens"], CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("openai", "/v1/models", "gpt-5.2")]
    [InlineData("azure", "/openai/v1/models", "gpt-5.2")]
    [InlineData("bedrock", "/v1/models", "openai.gpt-5.2")]
    [InlineData("bedrock", "/openai/v1/models", "openai.gpt-5.2")]
    [InlineData("local", "/v1/models", "llama-4-scout")]
    public async Task Models_Get_ListsAndShowsThem(string platform, string path, string first)
    {
        JsonElement list = (await sandbox.SendAsync(platform, path)).Json;
        Assert.Equal("list", list.GetProperty("object").GetString());
        Assert.Equal(first, list.GetProperty("data")[0].GetProperty("id").GetString());
        Assert.Equal(first, (await sandbox.SendAsync(platform, path + "/" + first)).Json.GetProperty("id").GetString());
        Assert.Equal(404, (int)(await sandbox.SendAsync(platform, path + "/nope")).Status);
    }

    [Theory]
    [InlineData("openai", "/v1/embeddings")]
    [InlineData("azure", "/openai/v1/embeddings")]
    [InlineData("azure", "/openai/deployments/text-embedding-3-small/embeddings?api-version=2024-10-21")]
    public async Task Embeddings_FloatAndBase64_AreTheSameVector(string platform, string path)
    {
        Reply floats = await sandbox.SendAsync(platform, path, """{"model":"text-embedding-3-small","input":"tides","dimensions":16}""");
        Reply base64 = await sandbox.SendAsync(
            platform, path, """{"model":"text-embedding-3-small","input":["tides"],"dimensions":16,"encoding_format":"base64"}""");
        float[] numbers = [.. floats.Json.GetProperty("data")[0].GetProperty("embedding").EnumerateArray().Select(number => number.GetSingle())];
        byte[] bytes = base64.Json.GetProperty("data")[0].GetProperty("embedding").GetBytesFromBase64();
        Assert.Equal(numbers, Enumerable.Range(0, 16).Select(i => BitConverter.ToSingle(bytes, i * 4)));
        Assert.InRange(numbers.Sum(number => number * number), 0.999, 1.001);
    }

    [Fact]
    public async Task Embeddings_CommonWords_LieNearer()
    {
        Reply reply = await sandbox.SendAsync(
            "openai", "/v1/embeddings", """{"model":"text-embedding-3-small","input":["the tides of the sea","tides at sea","a red bicycle"]}""");
        float[][] vectors = [.. reply.Json.GetProperty("data").EnumerateArray()
            .Select(entry => entry.GetProperty("embedding").EnumerateArray().Select(number => number.GetSingle()).ToArray())];
        Assert.Equal(1536, vectors[0].Length);
        Assert.True(Dot(vectors[0], vectors[1]) > Dot(vectors[0], vectors[2]) + 0.2);
        static double Dot(float[] one, float[] other) => one.Zip(other, (a, b) => (double)a * b).Sum();
    }

    [Theory]
    [InlineData("""{"model":"text-embedding-3-small"}""", 400)]
    [InlineData("""{"model":"text-embedding-3-small","input":""}""", 400)]
    [InlineData("""{"model":"text-embedding-3-small","input":[]}""", 400)]
    [InlineData("""{"model":"text-embedding-3-small","input":"a","dimensions":4000}""", 400)]
    [InlineData("""{"model":"text-embedding-3-small","input":"a","encoding_format":"hex"}""", 400)]
    [InlineData("""{"model":"gpt-5.2","input":"a"}""", 404)]
    public async Task Embeddings_WrongRequest_IsRefused(string body, int status) =>
        Assert.Equal(status, (int)(await sandbox.SendAsync("openai", "/v1/embeddings", body)).Status);

    [Fact]
    public async Task Azure_Deployment_AnswersWithFiltersAndItsHeaders()
    {
        const string Path = "/openai/deployments/gpt-5.2/chat/completions?api-version=2024-10-21";
        const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Tides\"}]";
        Reply whole = await sandbox.SendAsync("azure", Path, "{" + Messages + "}");
        Assert.Equal("gpt-5.2-2025-12-11", whole.Json.GetProperty("model").GetString());
        Assert.Equal(1, whole.Json.GetProperty("prompt_filter_results").GetArrayLength());
        Assert.True(whole.Json.GetProperty("choices")[0].TryGetProperty("content_filter_results", out _));
        Assert.Matches("^[0-9a-f-]{36}$", whole.Headers["apim-request-id"]);
        Assert.Equal("Sweden Central", whole.Headers["x-ms-region"]);
        Assert.Matches(@"^\d+\.\d%$", whole.Headers["azure-openai-deployment-utilization"]);
        Reply stream = await sandbox.SendAsync("azure", Path, "{\"stream\":true," + Messages + "}");
        Assert.Equal(0, stream.Chunks[0].GetProperty("choices").GetArrayLength());
        Assert.True(stream.Chunks[0].TryGetProperty("prompt_filter_results", out _));
        Assert.Equal("[DONE]", stream.Events[^1].Data);
    }

    [Theory]
    [InlineData("/openai/deployments/gpt-5.2/chat/completions", "404", "Resource not found")]
    [InlineData("/openai/deployments/nope/chat/completions?api-version=2024-10-21", "DeploymentNotFound", "does not exist")]
    [InlineData("/v1/chat/completions", "404", "Resource not found")]
    public async Task Azure_WrongAddress_IsIts404(string path, string code, string part)
    {
        Reply reply = await sandbox.SendAsync("azure", path, sandbox.ChatBody("azure"));
        Assert.Equal(404, (int)reply.Status);
        Assert.Equal(code, reply.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.Contains(part, reply.Json.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Azure_RefusedPrompt_IsAContentFilter400()
    {
        Reply reply = await sandbox.ChatAsync("azure", sandbox.ChatBody("azure", "Please refuse this"));
        JsonElement error = reply.Json.GetProperty("error");
        Assert.Equal((400, "content_filter"), ((int)reply.Status, error.GetProperty("code").GetString()));
        JsonElement inner = error.GetProperty("innererror");
        Assert.Equal("ResponsibleAIPolicyViolation", inner.GetProperty("code").GetString());
        Assert.True(inner.GetProperty("content_filter_result").GetProperty("violence").GetProperty("filtered").GetBoolean());
    }

    [Fact]
    public async Task Azure_BearerKey_IsTakenToo()
    {
        Reply reply = await sandbox.SendAsync(
            "azure", "/openai/v1/chat/completions", sandbox.ChatBody("azure"), ("api-key", ""), ("Authorization", "Bearer sandbox-azure-key"));
        Assert.Equal(200, (int)reply.Status);
    }

    [Theory]
    [InlineData("/v1/chat/completions")]
    [InlineData("/openai/v1/chat/completions")]
    public async Task Bedrock_BothPaths_AnswerWithAmazonsId(string path)
    {
        Reply reply = await sandbox.SendAsync("bedrock", path, sandbox.ChatBody("bedrock"));
        Assert.Matches("^[0-9a-f-]{36}$", reply.Headers["x-amzn-requestid"]);
        Assert.Matches("^chatcmpl-[0-9a-f-]{36}$", reply.Json.GetProperty("id").GetString()!);
        Assert.Equal("openai.gpt-5.2", reply.Json.GetProperty("model").GetString());
    }

    [Fact]
    public async Task Bedrock_WrongKey_HasAmazonsShape()
    {
        Reply reply = await sandbox.SendAsync("bedrock", "/v1/chat/completions", "{}", ("Authorization", "Bearer x"));
        Assert.Equal(403, (int)reply.Status);
        Assert.StartsWith("AccessDeniedException:", reply.Headers["x-amzn-errortype"], StringComparison.Ordinal);
        Assert.Equal("Authentication failed: Please make sure your API Key is valid.", reply.Json.GetProperty("Message").GetString());
    }

    [Fact]
    public async Task Local_Answer_HasNoRatesAndUsageOnlyWhenAsked()
    {
        Reply reply = await sandbox.ChatAsync("local", sandbox.ChatBody("local", more: "\"stream\":true,"));
        Assert.DoesNotContain(reply.Headers.Keys, name => Regex.IsMatch(name, "ratelimit", RegexOptions.IgnoreCase));
        Assert.DoesNotContain("usage", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Local_Health_NeedsNoKeyAndIsNotBilled()
    {
        await sandbox.Host.Billing.FlushAsync();
        int before = sandbox.Host.Billing.Rows.Count(row => row.Platform == "local");
        Assert.Equal(200, (int)(await sandbox.SendAsync("local", "/health", null, ("Authorization", ""))).Status);
        await sandbox.Host.Billing.FlushAsync();
        Assert.Equal(before, sandbox.Host.Billing.Rows.Count(row => row.Platform == "local"));
    }

    [Fact]
    public async Task OpenAI_KeyMasked_IsNotToldWhole()
    {
        Reply reply = await sandbox.SendAsync("openai", "/v1/chat/completions", "{}", ("Authorization", "Bearer sk-secret-0123456789"));
        Assert.Equal("invalid_api_key", reply.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.DoesNotContain("sk-secret-0123456789", reply.Text, StringComparison.Ordinal);
    }
}
