using System.Text.Json;
using Ballast.Sandbox.Tests.Generation;

namespace Ballast.Sandbox.Tests.OpenAIShape;

/// <summary>What every OpenAI-shaped platform does.</summary>
public class ChatTests(TestSandbox sandbox) : IClassFixture<TestSandbox>
{
    public const string Png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    private const string Tools =
        """
        "tools":[{"type":"function","function":{"name":"get_weather","description":"Weather of a city","parameters":{"type":"object",
        "properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":1,"maximum":7}},"required":["city","days"]}}}],
        """;

    private static readonly string[] Names = ["openai", "azure", "bedrock", "local"];

    public static TheoryData<string> Platforms => [.. Names];

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Tools_TwoCities_TwoCallsWithValidArguments(string platform)
    {
        Reply reply = await AskAsync(platform, "What is the weather in Paris and London?", Tools);
        JsonElement choice = reply.Json.GetProperty("choices")[0];
        Assert.Equal("tool_calls", choice.GetProperty("finish_reason").GetString());
        JsonElement[] calls = [.. reply.Message.GetProperty("tool_calls").EnumerateArray()];
        Assert.Equal(["Paris", "London"], calls.Select(call => Arguments(call).GetProperty("city").GetString()));
        Assert.All(calls, call => Assert.InRange(Arguments(call).GetProperty("days").GetInt32(), 1, 7));
        Assert.Equal(2, calls.Select(call => call.GetProperty("id").GetString()).Distinct().Count());
        Assert.Equal(JsonValueKind.Null, reply.Message.GetProperty("content").ValueKind);
    }

    [Theory]
    [InlineData("openai", true)]
    [InlineData("azure", true)]
    [InlineData("bedrock", true)]
    [InlineData("local", false)]
    public async Task Tools_Streamed_JoinToTheWholeCalls(string platform, bool inFragments)
    {
        const string Prompt = "What is the weather in Paris and London?";
        Reply whole = await AskAsync(platform, Prompt, Tools);
        Reply stream = await AskAsync(platform, Prompt, Tools + "\"stream\":true,");
        JsonElement[] deltas = [.. stream.Chunks
            .Where(chunk => chunk.GetProperty("choices").GetArrayLength() > 0)
            .Select(chunk => chunk.GetProperty("choices")[0].GetProperty("delta"))
            .Where(delta => delta.TryGetProperty("tool_calls", out _))
            .Select(delta => delta.GetProperty("tool_calls")[0])];
        Assert.Equal(inFragments, deltas.Length > 2);
        string[] wanted = [.. whole.Message.GetProperty("tool_calls").EnumerateArray()
            .Select(call => call.GetProperty("function").GetProperty("arguments").GetString()!)];
        string[] joined = [.. deltas.GroupBy(delta => delta.GetProperty("index").GetInt32())
            .Select(group => string.Concat(group.Select(delta => delta.GetProperty("function").GetProperty("arguments").GetString())))];
        Assert.Equal(wanted, joined);
        Assert.Equal(2, deltas.Count(delta => delta.TryGetProperty("id", out _)));
        Assert.Equal(
            "tool_calls", stream.Chunks[^1].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Tools_WithResult_AnswersQuotingIt(string platform)
    {
        JsonElement message = (await AskAsync(platform, "What is the weather in Paris?", Tools)).Message;
        string id = message.GetProperty("tool_calls")[0].GetProperty("id").GetString()!;
        string body = $$"""
            {"model":"{{sandbox.Host.Platforms[platform].Models[0].Name}}",{{Tools}}"messages":[{"role":"user","content":"What is the weather in Paris?"},
            {{message.GetRawText()}},{"role":"tool","tool_call_id":"{{id}}","content":"18 degrees and windy"}]}
            """;
        Reply reply = await sandbox.ChatAsync(platform, body);
        Assert.Contains("18 degrees and windy", reply.Message.GetProperty("content").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ToolChoice_RequiredWithoutParallel_CallsOnce()
    {
        Reply reply = await AskAsync("openai", "Paris and London", Tools + "\"tool_choice\":\"required\",\"parallel_tool_calls\":false,");
        Assert.Equal(1, reply.Message.GetProperty("tool_calls").GetArrayLength());
        Reply none = await AskAsync("openai", "Weather in Paris", Tools + "\"tool_choice\":\"none\",");
        Assert.False(none.Message.TryGetProperty("tool_calls", out _));
    }

    [Fact]
    public async Task Functions_LegacyForm_IsAnsweredInIt()
    {
        const string Functions =
            """
            "functions":[{"name":"get_weather","parameters":{"type":"object","properties":{}}}],"function_call":{"name":"get_weather"},
            """;
        Reply reply = await AskAsync("openai", "Weather?", Functions);
        Assert.Equal("get_weather", reply.Message.GetProperty("function_call").GetProperty("name").GetString());
        Assert.Equal("function_call", reply.Json.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task ResponseFormat_Schema_GivesJsonThatValidates(string platform)
    {
        const string Schema =
            """{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0,"maximum":130},"kind":{"enum":["a","b"]}},"required":["name","age","kind"],"additionalProperties":false}""";
        string format =
            "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"person\",\"strict\":true,\"schema\":" + Schema + "}},";
        Reply reply = await AskAsync(platform, "Describe Ada", format);
        JsonElement schema = JsonDocument.Parse(Schema).RootElement;
        Assert.Null(SchemaCheck.Fault(schema, JsonDocument.Parse(reply.Message.GetProperty("content").GetString()!).RootElement, schema));
    }

    [Fact]
    public async Task ResponseFormat_JsonObject_GivesTheFieldsAskedFor()
    {
        Reply reply = await AskAsync(
            "openai", "Return a JSON object with a 'status' field set to 'success'", "\"response_format\":{\"type\":\"json_object\"},");
        Assert.Equal("""{"status":"success"}""", reply.Message.GetProperty("content").GetString());
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task MaxTokens_Short_EndsWithLength(string platform)
    {
        foreach (string field in (string[])["max_tokens", "max_completion_tokens"])
        {
            Reply reply = await AskAsync(platform, "Write 200 words", $"\"{field}\":9,");
            Assert.Equal("length", reply.Json.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
            Assert.Equal(9, reply.Json.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        }
    }

    [Fact]
    public async Task Stop_Sequence_EndsBeforeIt()
    {
        Reply reply = await AskAsync("openai", "Count from 1 to 9", "\"stop\":[\"5\",\"7\"],");
        Assert.Equal("1, 2, 3, 4, ", reply.Message.GetProperty("content").GetString());
        Assert.Equal("stop", reply.Json.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task StreamOptions_IncludeUsage_LastChunkHasItAndNoChoices()
    {
        Reply with = await AskAsync("openai", "Tides", "\"stream\":true,\"stream_options\":{\"include_usage\":true},");
        Assert.Equal(0, with.Chunks[^1].GetProperty("choices").GetArrayLength());
        Assert.True(with.Chunks[^1].GetProperty("usage").GetProperty("completion_tokens").GetInt32() > 3);
        Assert.Equal(JsonValueKind.Null, with.Chunks[0].GetProperty("usage").ValueKind);
        Reply without = await AskAsync("openai", "Tides", "\"stream\":true,");
        Assert.DoesNotContain("\"usage\"", without.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task N_Three_GivesThreeDifferentChoices()
    {
        Reply reply = await AskAsync("openai", "Explain tides", "\"n\":3,");
        string[] texts = [.. reply.Json.GetProperty("choices").EnumerateArray()
            .Select(choice => choice.GetProperty("message").GetProperty("content").GetString()!)];
        Assert.Equal(3, texts.Distinct().Count());
    }

    [Fact]
    public async Task Logprobs_AskedFor_CoverTheText()
    {
        Reply reply = await AskAsync("openai", "Explain tides", "\"logprobs\":true,\"top_logprobs\":2,");
        JsonElement[] content = [.. reply.Json.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content").EnumerateArray()];
        Assert.Equal(
            reply.Message.GetProperty("content").GetString(), string.Concat(content.Select(entry => entry.GetProperty("token").GetString())));
        Assert.All(content, entry => Assert.Equal(2, entry.GetProperty("top_logprobs").GetArrayLength()));
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Image_DataAndUrl_AreMentioned(string platform)
    {
        Reply data = await AskWithImageAsync(platform, "data:image/png;base64," + Png);
        Assert.Contains("the image, 1x1 png", data.Message.GetProperty("content").GetString(), StringComparison.Ordinal);
        Reply url = await AskWithImageAsync(platform, "https://example.com/a.png");
        Assert.Contains("the image at the given address", url.Message.GetProperty("content").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data:image/png;base64,@@@@", "invalid_base64")]
    [InlineData("data:text/plain;base64,aGVsbG8=", "invalid_value")]
    [InlineData("data:image/png;base64,aGVsbG8=", "invalid_image_format")]
    [InlineData("not a url", "invalid_value")]
    public async Task Image_Broken_IsRefused(string url, string code)
    {
        Reply reply = await AskWithImageAsync("openai", url);
        Assert.Equal((400, code), ((int)reply.Status, reply.Json.GetProperty("error").GetProperty("code").GetString()));
    }

    [Fact]
    public async Task Reasoning_AskedFor_IsCountedAndShownOnlyByLocal()
    {
        Reply openai = await AskAsync("openai", "Explain tides", "\"reasoning_effort\":\"low\",");
        Assert.Equal(
            64, openai.Json.GetProperty("usage").GetProperty("completion_tokens_details").GetProperty("reasoning_tokens").GetInt32());
        Assert.False(openai.Message.TryGetProperty("reasoning_content", out _));
        Reply local = await AskAsync("local", "Explain tides", "\"reasoning_effort\":\"low\",");
        Assert.NotEmpty(local.Message.GetProperty("reasoning_content").GetString()!);
        Reply plain = await AskAsync("local", "Explain tides", "");
        Assert.Equal(JsonValueKind.Null, plain.Message.GetProperty("reasoning_content").ValueKind);
    }

    [Fact]
    public async Task Cache_LongPrefixAgain_IsToldAndBilledApart()
    {
        string system = string.Join(' ', Enumerable.Range(0, 1500).Select(i => "word" + i % 7));
        string body = $$"""{"model":"gpt-5.2","messages":[{"role":"system","content":"{{system}}"},{"role":"user","content":"Tides"}]}""";
        await sandbox.ChatAsync("openai", body);
        Reply second = await sandbox.ChatAsync("openai", body);
        JsonElement usage = second.Json.GetProperty("usage");
        long cached = usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt64();
        Assert.True(cached >= 1024 && cached % 128 == 0);
        await sandbox.Host.Billing.FlushAsync();
        BillingRow row = sandbox.Host.Billing.Rows.Single(row => row.RequestId == second.Headers["x-request-id"]);
        Assert.Equal((cached, usage.GetProperty("prompt_tokens").GetInt64() - cached), (row.CacheReadTokens, row.InputTokens));
    }

    [Fact]
    public async Task Refusal_Asked_HasTheRefusalField()
    {
        Reply whole = await AskAsync("openai", "Please refuse this", "");
        Assert.Equal(JsonValueKind.Null, whole.Message.GetProperty("content").ValueKind);
        Assert.NotEmpty(whole.Message.GetProperty("refusal").GetString()!);
        Reply stream = await AskAsync("openai", "Please refuse this", "\"stream\":true,");
        Assert.Contains(stream.Chunks, chunk => chunk.GetProperty("choices")[0].GetProperty("delta").TryGetProperty("refusal", out JsonElement part)
            && part.GetString() is { Length: > 0 });
        Reply local = await AskAsync("local", "Please refuse this", "");
        Assert.Contains("can't help", local.Message.GetProperty("content").GetString(), StringComparison.Ordinal);
    }

    private static JsonElement Arguments(JsonElement call) =>
        JsonDocument.Parse(call.GetProperty("function").GetProperty("arguments").GetString()!).RootElement;

    private Task<Reply> AskAsync(string platform, string prompt, string more) =>
        sandbox.ChatAsync(platform, sandbox.ChatBody(platform, prompt, more));

    private Task<Reply> AskWithImageAsync(string platform, string url) => sandbox.ChatAsync(
        platform,
        $$$"""
        {"model":"{{{sandbox.Host.Platforms[platform].Models[0].Name}}}","messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},
        {"type":"image_url","image_url":{"url":"{{{url}}}"}}]}]}
        """);
}
