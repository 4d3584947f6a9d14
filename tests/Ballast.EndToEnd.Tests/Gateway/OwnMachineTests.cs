using System.Text;
using System.Text.Json;
using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>What clients of Ollama and Cohere ask for beside chat.</summary>
public sealed class OwnMachineTests(GatewayFixture gateways)
{
    private async Task<GatewayAnswer> SendAsync(HttpMethod method, string path, string? body = null)
    {
        using GatewayClient client = new(gateways.Fast);
        return await client.SendAsync(method, path, body is null ? null : Encoding.UTF8.GetBytes(body), gateways.Fast.KeyOf("raw"));
    }

    [Theory]
    [InlineData("""{"model":"ollama/qwen3"}""", 200)]
    [InlineData("""{"name":"assistant","verbose":true}""", 200)]
    [InlineData("""{"model":"nowhere/none"}""", 404)]
    [InlineData("""{"model":""}""", 400)]
    [InlineData("""{"model":7}""", 400)]
    [InlineData("[]", 400)]
    [InlineData("nothing", 400)]
    public async Task Show_AModel_TellsWhatItCan(string body, int status)
    {
        GatewayAnswer answer = await SendAsync(HttpMethod.Post, "/api/show", body);
        Assert.True(answer.Status == status, answer.Body);
        Assert.Equal(status == 200, answer.Json.TryGetProperty("capabilities", out _));
        Assert.Equal(status != 200, answer.Json.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.String);
    }

    [Fact]
    public async Task Version_AskedFor_IsOneOfOllamas()
    {
        GatewayAnswer answer = await SendAsync(HttpMethod.Get, "/api/version");
        Assert.Matches(@"^\d+\.\d+\.\d+$", answer.Json.GetProperty("version").GetString());
        Assert.Equal(405, (await SendAsync(HttpMethod.Post, "/api/version", "{}")).Status);
    }

    [Theory]
    [InlineData("cohere/embed-v4.0", 256)]
    [InlineData("openai/text-embedding-3-small", 64)]
    public async Task Embeddings_InOpenAIsAndCoheresForm_AreTheSameVectors(string model, int dimensions)
    {
        GatewayAnswer openai = await SendAsync(HttpMethod.Post, "/v1/embeddings", $$"""{"model":"{{model}}","input":["a ship","a barque"],"dimensions":{{dimensions}}}""");
        GatewayAnswer cohere = await SendAsync(
            HttpMethod.Post, "/v2/embed", $$"""{"model":"{{model}}","texts":["a ship","a barque"],"input_type":"search_document","output_dimension":{{dimensions}},"embedding_types":["float"]}""");
        Assert.True(openai.Status == 200 && cohere.Status == 200, openai.Body + cohere.Body);
        float[][] first = [.. openai.Json.GetProperty("data").EnumerateArray().Select(one => Floats(one.GetProperty("embedding")))];
        float[][] second = [.. cohere.Json.GetProperty("embeddings").GetProperty("float").EnumerateArray().Select(Floats)];
        Assert.Equal(first, second);
        Assert.Equal((2, dimensions), (first.Length, first[0].Length));
        Assert.Equal(
            openai.Json.GetProperty("usage").GetProperty("prompt_tokens").GetInt64(), cohere.Json.GetProperty("meta").GetProperty("billed_units").GetProperty("input_tokens").GetInt64());
    }

    [Fact]
    public async Task Embeddings_OfARouteWithTwoModels_NeverComeFromTheSecond()
    {
        GatewayAnswer answer = await SendAsync(HttpMethod.Post, "/v2/embed", """{"model":"two-spaces","texts":["a"],"input_type":"search_query"}""");
        Assert.Equal(404, answer.Status); // The first has no such model; the second does, and its vectors lie elsewhere.
        Assert.Equal(JsonValueKind.String, answer.Json.GetProperty("message").ValueKind);
    }

    [Theory]
    [InlineData("/v1/rerank")]
    [InlineData("/v2/rerank")]
    public async Task Rerank_AtCohere_IsPassedOn(string path)
    {
        GatewayAnswer answer = await SendAsync(HttpMethod.Post, path, """{"model":"cohere/rerank-v3.5","query":"harbour pilots","documents":["apples","pilots of the harbour"]}""");
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal(1, answer.Json.GetProperty("results")[0].GetProperty("index").GetInt32());
    }

    private static float[] Floats(JsonElement vector) => [.. vector.EnumerateArray().Select(static value => value.GetSingle())];
}
