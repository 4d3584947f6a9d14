using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Tests.Generation;
using Ballast.Sandbox.Tests.OpenAIShape;

namespace Ballast.Sandbox.Tests.Anthropic;

public class MessagesTests(TestSandbox sandbox) : IClassFixture<TestSandbox>
{
    private const string Tools =
        """
        "tools":[{"name":"get_weather","description":"Weather of a city","input_schema":{"type":"object",
        "properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":1,"maximum":7}},"required":["city","days"]}}],
        """;

    private const string Thinking = "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024},";

    [Fact]
    public async Task Stream_Text_HasTheEventsInOrder()
    {
        Reply reply = await AskAsync("Tides", "\"stream\":true,");
        string?[] names = [.. reply.Events.Select(next => next.Name)];
        Assert.Equal(["message_start", "content_block_start", "ping"], names[..3]);
        Assert.Equal(["content_block_stop", "message_delta", "message_stop"], names[^3..]);
        Assert.All(names[3..^3], name => Assert.Equal("content_block_delta", name));
        Assert.All(reply.Events, next => Assert.Equal(next.Name, JsonDocument.Parse(next.Data).RootElement.GetProperty("type").GetString()));
        Assert.Equal("end_turn", reply.Chunks[^2].GetProperty("delta").GetProperty("stop_reason").GetString());
    }

    [Fact]
    public async Task Headers_Answer_TellIdAndRatesInRfc3339()
    {
        Reply reply = await AskAsync("Tides");
        Assert.StartsWith("req_011C", reply.Headers["request-id"], StringComparison.Ordinal);
        Assert.Matches("^[0-9a-f-]{36}$", reply.Headers["anthropic-organization-id"]);
        foreach (string what in (string[])["requests", "tokens", "input-tokens", "output-tokens"])
        {
            Assert.Matches(@"^\d+$", reply.Headers[$"anthropic-ratelimit-{what}-remaining"]);
            Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", reply.Headers[$"anthropic-ratelimit-{what}-reset"]);
        }
    }

    [Fact]
    public async Task Tools_Streamed_JoinToTheWholeCalls()
    {
        Reply whole = await AskAsync("Weather in Paris and London?", Tools);
        Assert.Equal("tool_use", whole.Json.GetProperty("stop_reason").GetString());
        JsonElement[] calls = [.. whole.Json.GetProperty("content").EnumerateArray()];
        Assert.Equal(["Paris", "London"], calls.Select(call => call.GetProperty("input").GetProperty("city").GetString()));
        Reply stream = await AskAsync("Weather in Paris and London?", Tools + "\"stream\":true,");
        string[] joined = [.. stream.Chunks
            .Where(chunk => chunk.TryGetProperty("delta", out JsonElement delta) && delta.TryGetProperty("partial_json", out _))
            .GroupBy(chunk => chunk.GetProperty("index").GetInt32())
            .Select(group => string.Concat(group.Select(chunk => chunk.GetProperty("delta").GetProperty("partial_json").GetString())))];
        Assert.Equal(calls.Select(call => call.GetProperty("input").GetRawText()), joined);
        Assert.True(stream.Chunks.Count(chunk => chunk.TryGetProperty("index", out _)) > 8);
    }

    [Fact]
    public async Task ToolChoice_AnyWithoutParallel_CallsOnce()
    {
        Reply reply = await AskAsync("Paris and London", Tools + "\"tool_choice\":{\"type\":\"any\",\"disable_parallel_tool_use\":true},");
        Assert.Equal("tool_use", Assert.Single(reply.Json.GetProperty("content").EnumerateArray()).GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("output_config")]
    [InlineData("output_format")]
    public async Task Format_Schema_GivesJsonThatValidates(string field)
    {
        const string Schema = """{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false}""";
        string format = "{\"type\":\"json_schema\",\"schema\":" + Schema + "}";
        Reply reply = await AskAsync("Describe Ada", $"\"{field}\":{(field == "output_config" ? "{\"format\":" + format + "}" : format)},");
        JsonElement schema = JsonDocument.Parse(Schema).RootElement;
        Assert.Null(SchemaCheck.Fault(schema, JsonDocument.Parse(SandboxHostTests.TextOf(reply.Text)).RootElement, schema));
    }

    [Fact]
    public async Task Thinking_OnlyWhenAsked_IsFirstAndSigned()
    {
        Assert.Equal("text", FirstType(await AskAsync("Tides")));
        Reply reply = await AskAsync("Tides", Thinking, maxTokens: 3000);
        JsonElement block = reply.Json.GetProperty("content")[0];
        Assert.Equal("thinking", block.GetProperty("type").GetString());
        Assert.NotEmpty(block.GetProperty("signature").GetString()!);
        Reply stream = await AskAsync("Tides", Thinking + "\"stream\":true,", maxTokens: 3000);
        string[] kinds = [.. stream.Chunks.Where(chunk => chunk.GetProperty("type").GetString() == "content_block_delta" && chunk.GetProperty("index").GetInt32() == 0)
            .Select(chunk => chunk.GetProperty("delta").GetProperty("type").GetString()!)];
        Assert.Equal("signature_delta", kinds[^1]);
        Assert.All(kinds[..^1], kind => Assert.Equal("thinking_delta", kind));
        Reply omitted = await AskAsync("Tides", "\"thinking\":{\"type\":\"adaptive\",\"display\":\"omitted\"},", maxTokens: 3000);
        Assert.Equal("", omitted.Json.GetProperty("content")[0].GetProperty("thinking").GetString());
    }

    [Theory]
    [InlineData("as it was", 200, "")]
    [InlineData("other text", 400, "Invalid `signature` in `thinking` block")]
    [InlineData("other signature", 400, "Invalid `signature` in `thinking` block")]
    [InlineData("removed", 400, "Expected `thinking` or `redacted_thinking`, but found `tool_use`")]
    public async Task Thinking_Replayed_IsChecked(string change, int status, string part)
    {
        Reply first = await AskAsync("Weather in Paris?", Tools + Thinking, maxTokens: 3000);
        JsonArray content = JsonNode.Parse(first.Json.GetProperty("content").GetRawText())!.AsArray();
        string id = content[1]!["id"]!.GetValue<string>();
        switch (change)
        {
            case "other text":
                content[0]!["thinking"] = "forged";
                break;
            case "other signature":
                content[0]!["signature"] = "Zm9yZWlnbiBpc3N1ZXI=";
                break;
            case "removed":
                content.RemoveAt(0);
                break;
        }

        string messages = $$"""
            [{"role":"user","content":"Weather in Paris?"},{"role":"assistant","content":{{content.ToJsonString()}}},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"{{id}}","content":"18 degrees"}]}]
            """;
        Reply reply = await sandbox.ChatAsync(
            "anthropic", $$"""{"model":"claude-sonnet-4-5","max_tokens":3000,{{Tools}}{{Thinking}}"messages":{{messages}}}""");
        Assert.Equal(status, (int)reply.Status);
        Assert.Contains(part.Length > 0 ? part : "18 degrees", reply.Text.Replace("\\u0060", "`", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cache_Breakpoint_IsWrittenThenReadAndBilled()
    {
        string system = string.Join(' ', Enumerable.Range(0, 300).Select(i => "cached" + i));
        string Body(string control, string prompt) => $$"""
            {"model":"claude-haiku-4-5","max_tokens":50,"system":[{"type":"text","text":"{{system}}","cache_control":{{control}}}],
            "messages":[{"role":"user","content":"{{prompt}}"}]}
            """;
        const string OneHour = "{\"type\":\"ephemeral\",\"ttl\":\"1h\"}";
        JsonElement first = (await sandbox.ChatAsync("anthropic", Body(OneHour, "Tides"))).Json.GetProperty("usage");
        Reply second = await sandbox.ChatAsync("anthropic", Body(OneHour, "The moon"));
        JsonElement usage = second.Json.GetProperty("usage");
        long written = first.GetProperty("cache_creation_input_tokens").GetInt64();
        Assert.True(written > 300);
        Assert.Equal(written, first.GetProperty("cache_creation").GetProperty("ephemeral_1h_input_tokens").GetInt64());
        Assert.Equal(0, first.GetProperty("cache_read_input_tokens").GetInt64());
        Assert.Equal((written, 0L), (usage.GetProperty("cache_read_input_tokens").GetInt64(), usage.GetProperty("cache_creation_input_tokens").GetInt64()));
        Assert.InRange(usage.GetProperty("input_tokens").GetInt64(), 1, 20);
        await sandbox.Host.Billing.FlushAsync();
        BillingRow row = sandbox.Host.Billing.Rows.Single(row => row.RequestId == second.Headers["request-id"]);
        Assert.Equal((written, 0L), (row.CacheReadTokens, row.CacheWriteTokens));
    }

    [Fact]
    public async Task CountTokens_Request_IsWhatTheAnswerIsBilledFor()
    {
        string body = sandbox.ChatBody("anthropic", "Explain tides", Tools);
        long counted = (await sandbox.SendAsync("anthropic", "/v1/messages/count_tokens", body)).Json.GetProperty("input_tokens").GetInt64();
        Assert.Equal(counted, (await sandbox.ChatAsync("anthropic", body)).Json.GetProperty("usage").GetProperty("input_tokens").GetInt64());
        const string NoLimit = """{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"hi"}]}""";
        Assert.Equal(200, (int)(await sandbox.SendAsync("anthropic", "/v1/messages/count_tokens", NoLimit)).Status);
    }

    [Fact]
    public async Task MaxTokensStopAndRefusal_HaveTheirReasons()
    {
        Reply longer = await AskAsync("Write 200 words", maxTokens: 9);
        Assert.Equal(("max_tokens", 9), (Reason(longer), longer.Json.GetProperty("usage").GetProperty("output_tokens").GetInt32()));
        Reply stopped = await AskAsync("Count from 1 to 9", "\"stop_sequences\":[\"5\"],");
        Assert.Equal(("stop_sequence", "5"), (Reason(stopped), stopped.Json.GetProperty("stop_sequence").GetString()));
        Assert.Equal("refusal", Reason(await AskAsync("Please refuse this")));
        static string Reason(Reply reply) => reply.Json.GetProperty("stop_reason").GetString()!;
    }

    [Fact]
    public async Task Image_Base64_IsMentioned()
    {
        Reply reply = await sandbox.ChatAsync("anthropic", ImageBody("image/png", ChatTests.Png));
        Assert.Contains("the image, 1x1 png", SandboxHostTests.TextOf(reply.Text), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("image/jpeg", ChatTests.Png, "does not match the provided media type")]
    [InlineData("image/bmp", ChatTests.Png, "media_type: Input should be")]
    [InlineData("image/png", "@@@", "invalid base64 data")]
    [InlineData("image/png", "aGVsbG8=", "Could not process image")]
    public async Task Image_Broken_IsRefused(string media, string data, string part)
    {
        Reply reply = await sandbox.ChatAsync("anthropic", ImageBody(media, data));
        Assert.Equal(400, (int)reply.Status);
        Assert.Contains(part, reply.Json.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_Paged_HaveAnthropicsShape()
    {
        JsonElement page = (await sandbox.SendAsync("anthropic", "/v1/models?limit=2")).Json;
        Assert.True(page.GetProperty("has_more").GetBoolean());
        Assert.Equal("claude-sonnet-4-5", page.GetProperty("first_id").GetString());
        JsonElement rest = (await sandbox.SendAsync("anthropic", "/v1/models?limit=2&after_id=" + page.GetProperty("last_id").GetString())).Json;
        Assert.False(rest.GetProperty("has_more").GetBoolean());
        Assert.Equal("claude-opus-4-5", rest.GetProperty("data")[0].GetProperty("id").GetString());
        Assert.Equal("Claude Haiku 4.5", (await sandbox.SendAsync("anthropic", "/v1/models/claude-haiku-4-5")).Json.GetProperty("display_name").GetString());
    }

    private static string FirstType(Reply reply) => reply.Json.GetProperty("content")[0].GetProperty("type").GetString()!;

    private static string ImageBody(string media, string data) => $$$"""
        {"model":"claude-sonnet-4-5","max_tokens":300,"messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},
        {"type":"image","source":{"type":"base64","media_type":"{{{media}}}","data":"{{{data}}}"}}]}]}
        """;

    private Task<Reply> AskAsync(string prompt, string more = "", int maxTokens = 1000) => sandbox.ChatAsync(
        "anthropic",
        $$"""{"model":"claude-sonnet-4-5","max_tokens":{{maxTokens}},{{more}}"messages":[{"role":"user","content":"{{prompt}}"}]}""");
}
