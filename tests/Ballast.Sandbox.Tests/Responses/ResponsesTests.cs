using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Tests.Responses;

/// <summary>The Responses API of the platforms that have it.</summary>
public sealed class ResponsesTests(TestSandbox sandbox) : IClassFixture<TestSandbox>
{
    private const string Weather =
        """
        "tools":[{"type":"function","name":"get_weather","description":"Weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}],
        """;

    private const string Sealed = "\"reasoning\":{\"effort\":\"medium\"},\"include\":[\"reasoning.encrypted_content\"],\"store\":false,";

    public static TheoryData<string, string> Paths => new()
    {
        { "openai", "/v1/responses" },
        { "azure", "/openai/v1/responses" },
        { "azure", "/openai/responses?api-version=2025-04-01-preview" },
    };

    private static string PathOf(string platform, string rest = "") => (platform == "azure" ? "/openai/v1/responses" : "/v1/responses") + rest;

    private Task<Reply> AskAsync(string platform, string fields) => sandbox.SendAsync(platform, PathOf(platform), $"{{\"model\":\"gpt-5-mini\",{fields}}}");

    private async Task<JsonElement> AnswerAsync(string platform, string fields)
    {
        Reply reply = await AskAsync(platform, fields);
        Assert.True(reply.Status == HttpStatusCode.OK, reply.Text);
        return reply.Json;
    }

    private static string TextOf(JsonElement answer) => string.Concat(answer.GetProperty("output").EnumerateArray()
        .Where(item => item.GetProperty("type").GetString() == "message").Select(item => item.GetProperty("content")[0].GetProperty("text").GetString()));

    private static string OutputOf(JsonElement answer) => answer.GetProperty("output").GetRawText()[1..^1];

    private static void AssertRefused(Reply reply, int status, string? code, string part)
    {
        Assert.Equal(status, (int)reply.Status);
        JsonElement error = reply.Json.GetProperty("error");
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.Contains(part, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Create_Streamed_IsTheWholeAnswerInNumberedEvents(string platform, string path)
    {
        const string Ask = "\"model\":\"gpt-5-mini\",\"reasoning\":{\"effort\":\"low\",\"summary\":\"auto\"},\"input\":\"Reply with exactly \\\"two words\\\"\"";
        Reply whole = await sandbox.SendAsync(platform, path, $"{{{Ask}}}");
        Reply stream = await sandbox.SendAsync(platform, path, $"{{\"stream\":true,{Ask}}}");
        Assert.Equal("two words", TextOf(whole.Json));
        Assert.All(stream.Events, next => Assert.Equal(next.Name, JsonDocument.Parse(next.Data).RootElement.GetProperty("type").GetString()));
        Assert.Equal(Enumerable.Range(0, stream.Chunks.Count), stream.Chunks.Select(chunk => chunk.GetProperty("sequence_number").GetInt32()));
        Assert.Equal(
            [
                "response.created", "response.in_progress", "response.output_item.added", "response.reasoning_summary_part.added", "response.reasoning_summary_text.delta",
                "response.reasoning_summary_text.done", "response.reasoning_summary_part.done", "response.output_item.done", "response.output_item.added",
                "response.content_part.added", "response.output_text.delta", "response.output_text.done", "response.content_part.done", "response.output_item.done",
                "response.completed",
            ],
            stream.Events.Select(next => next.Name!).Aggregate(new List<string>(), (seen, name) => seen is [.., var last] && last == name ? seen : [.. seen, name]));
        JsonElement final = stream.Chunks[^1].GetProperty("response");
        Assert.Equal("two words", TextOf(final));
        Assert.Equal(final.GetProperty("usage").GetProperty("input_tokens").GetInt64(), whole.Json.GetProperty("usage").GetProperty("input_tokens").GetInt64());
        await sandbox.Host.Billing.FlushAsync();
        BillingRow row = sandbox.Host.Billing.Rows[^1];
        JsonElement usage = final.GetProperty("usage");
        Assert.Equal((usage.GetProperty("output_tokens").GetInt64(), usage.GetProperty("input_tokens").GetInt64()), (row.OutputTokens, row.InputTokens + row.CacheReadTokens));
        Assert.Equal("completed", row.Finish);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Reasoning_SentBackAsItCame_IsTaken(bool isStored)
    {
        const string Question = "{\"role\":\"user\",\"content\":\"What is the weather in Paris?\"}";
        string more = isStored ? "\"reasoning\":{\"effort\":\"medium\"}," : Sealed;
        JsonElement first = await AnswerAsync("openai", $"{more}{Weather}\"input\":[{Question}]");
        Assert.Equal(["reasoning", "function_call"], first.GetProperty("output").EnumerateArray().Select(item => item.GetProperty("type").GetString()));
        JsonElement call = first.GetProperty("output")[1];
        Assert.NotEqual(call.GetProperty("id").GetString(), call.GetProperty("call_id").GetString());
        string output = $"{{\"type\":\"function_call_output\",\"call_id\":\"{call.GetProperty("call_id").GetString()}\",\"output\":\"Sunny\"}}";
        Assert.Contains("Sunny", TextOf(await AnswerAsync("openai", $"{more}{Weather}\"input\":[{Question},{OutputOf(first)},{output}]")), StringComparison.Ordinal);

        AssertRefused(
            await AskAsync("openai", $"{more}{Weather}\"input\":[{Question},{first.GetProperty("output")[0].GetRawText()},{output}]"), 400, null, "without its required following item");
        AssertRefused(await AskAsync("openai", $"{more}{Weather}\"input\":[{Question},{OutputOf(first)}]"), 400, null, "No tool output found for function call");
        AssertRefused(await AskAsync("openai", $"{more}{Weather}\"input\":[{Question},{output}]"), 400, null, "No tool call found for function call output");
        if (isStored)
        {
            AssertRefused(
                await AskAsync("openai", $"{more}{Weather}\"input\":[{Question},{call.GetRawText()},{output}]"), 400, null, "was provided without its required 'reasoning' item");
        }
    }

    [Fact]
    public async Task Reasoning_ForgedOrOfAnotherIssuer_IsRefused()
    {
        JsonElement first = await AnswerAsync("openai", $"{Sealed}\"input\":\"Tell me about tides\"");
        const string Again = "{\"role\":\"user\",\"content\":\"Again\"}";
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("openai", $"{Sealed}\"input\":[{OutputOf(first)},{Again}]")).Status);
        AssertRefused(await AskAsync("azure", $"{Sealed}\"input\":[{OutputOf(first)},{Again}]"), 400, "invalid_encrypted_content", "could not be verified");
        JsonNode forged = JsonNode.Parse(first.GetProperty("output")[0].GetRawText())!;
        string given = (string)forged["encrypted_content"]!;
        forged["encrypted_content"] = given[..30] + (given[30] == 'x' ? 'y' : 'x') + given[31..];
        AssertRefused(await AskAsync("openai", $"{Sealed}\"input\":[{forged.ToJsonString()},{Again}]"), 400, "invalid_encrypted_content", "could not be verified");
        forged.AsObject().Remove("encrypted_content");
        AssertRefused(await AskAsync("openai", $"\"input\":[{forged.ToJsonString()},{Again}]"), 404, null, "Items are not persisted when `store` is set to false");
    }

    [Fact]
    public async Task State_KeptByThePlatform_GoesOnAndEnds()
    {
        JsonElement first = await AnswerAsync("openai", "\"input\":\"My name is Ada.\",\"metadata\":{\"k\":\"v\"}");
        string id = first.GetProperty("id").GetString()!;
        Assert.Contains("Ada", TextOf(await AnswerAsync("openai", $"\"previous_response_id\":\"{id}\",\"input\":\"What is my name?\"")), StringComparison.Ordinal);
        Assert.Equal(first.GetRawText(), (await sandbox.SendAsync("openai", PathOf("openai", "/" + id))).Text);
        JsonElement items = (await sandbox.SendAsync("openai", PathOf("openai", $"/{id}/input_items"))).Json;
        Assert.Equal("My name is Ada.", items.GetProperty("data")[0].GetProperty("content")[0].GetProperty("text").GetString());
        AssertRefused(await sandbox.SendAsync("openai", PathOf("openai", $"/{id}/cancel"), "{}"), 400, null, "Cannot cancel a synchronous response");
        using HttpRequestMessage delete = sandbox.NewRequest("openai", HttpMethod.Delete, PathOf("openai", "/" + id));
        using HttpResponseMessage deleted = await sandbox.Http.SendAsync(delete, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        AssertRefused(await sandbox.SendAsync("openai", PathOf("openai", "/" + id)), 404, null, "not found");
        AssertRefused(await AskAsync("openai", $"\"previous_response_id\":\"{id}\",\"input\":\"x\""), 400, "previous_response_not_found", "not found");
        JsonElement unkept = await AnswerAsync("openai", "\"input\":\"My name is Ada.\",\"store\":false");
        Assert.Equal(HttpStatusCode.NotFound, (await sandbox.SendAsync("openai", PathOf("openai", "/" + unkept.GetProperty("id").GetString()))).Status);

        JsonElement conversation = (await sandbox.SendAsync("openai", "/v1/conversations", """{"items":[{"role":"user","content":"My name is Grace."}]}""")).Json;
        string thread = conversation.GetProperty("id").GetString()!;
        Assert.Contains("Grace", TextOf(await AnswerAsync("openai", $"\"conversation\":\"{thread}\",\"input\":\"What is my name?\"")), StringComparison.Ordinal);
        Assert.Equal(3, (await sandbox.SendAsync("openai", $"/v1/conversations/{thread}/items")).Json.GetProperty("data").GetArrayLength());
    }

    [Theory]
    [InlineData("missing_required_parameter", "'model'", "\"input\":\"x\",")]
    [InlineData("unknown_parameter", "Unknown parameter: 'messages'", "\"model\":\"gpt-5-mini\",\"messages\":[],")]
    [InlineData("invalid_type", "one of an array of input items or string", "\"model\":\"gpt-5-mini\",\"input\":7,")]
    [InlineData("integer_below_min_value", ">= 16", "\"model\":\"gpt-5-mini\",\"input\":\"x\",\"max_output_tokens\":5,")]
    [InlineData("decimal_above_max_value", "'temperature'", "\"model\":\"gpt-5-mini\",\"input\":\"x\",\"temperature\":3,")]
    [InlineData("invalid_value", "'output_text'", "\"model\":\"gpt-5-mini\",\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"output_text\",\"text\":\"x\"}]}],")]
    [InlineData("invalid_value", "'input_text'", "\"model\":\"gpt-5-mini\",\"input\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"input_text\",\"text\":\"x\"}]}],")]
    [InlineData("invalid_function_parameters", "additionalProperties", "\"model\":\"gpt-5-mini\",\"input\":\"x\",\"tools\":[{\"type\":\"function\",\"name\":\"a\",\"strict\":true,\"parameters\":{\"type\":\"object\",\"properties\":{}}}],")]
    [InlineData("unsupported_parameter", "'reasoning.effort'", "\"model\":\"gpt-4o-mini\",\"input\":\"x\",\"reasoning\":{\"effort\":\"low\"},")]
    [InlineData("model_not_found", "'no-such-model'", "\"model\":\"no-such-model\",\"input\":\"x\",")]
    [InlineData(null, "requires store=true", "\"model\":\"gpt-5-mini\",\"input\":\"x\",\"background\":true,\"store\":false,")]
    public async Task Create_WithWhatOpenAIRefuses_IsRefused(string? code, string part, string fields)
    {
        Reply reply = await sandbox.SendAsync("openai", "/v1/responses", "{" + fields.TrimEnd(',') + "}");
        AssertRefused(reply, 400, code, part);
    }

    [Fact]
    public async Task Background_LookedAt_IsAtWorkThenDoneAndBilledOnce()
    {
        JsonElement begun = await AnswerAsync("openai", "\"background\":true,\"input\":\"Reply with exactly \\\"done\\\"\"");
        Assert.Equal("queued", begun.GetProperty("status").GetString());
        Assert.Equal(0, begun.GetProperty("output").GetArrayLength());
        string path = PathOf("openai", "/" + begun.GetProperty("id").GetString());
        JsonElement now = begun;
        for (int look = 0; look < 1000 && now.GetProperty("status").GetString() is "queued" or "in_progress"; look++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
            now = (await sandbox.SendAsync("openai", path)).Json;
        }

        Assert.Equal("completed", now.GetProperty("status").GetString());
        Assert.Equal("done", TextOf(now));
        _ = await sandbox.SendAsync("openai", path);
        await sandbox.Host.Billing.FlushAsync();
        // The row is that of the request that began the work, whoever looks afterwards.
        long tokens = now.GetProperty("usage").GetProperty("output_tokens").GetInt64();
        Assert.Contains(sandbox.Host.Billing.Rows, row => row.Path.EndsWith("/responses", StringComparison.Ordinal) && row.OutputTokens == tokens && row.Finish == "completed");
        Assert.All(sandbox.Host.Billing.Rows.Where(row => row.Path.EndsWith(path, StringComparison.Ordinal)), static row => Assert.Equal(0, row.OutputTokens));

        Reply again = await sandbox.SendAsync("openai", path + "?stream=true&starting_after=2");
        Assert.Equal(3, again.Chunks[0].GetProperty("sequence_number").GetInt32());
        Assert.Equal("response.completed", again.Events[^1].Name);
    }

    [Fact]
    public async Task Compact_Conversation_BecomesOneItemThatOnlyThisPlatformReads()
    {
        const string Said = "[{\"role\":\"user\",\"content\":\"Hello\"},{\"role\":\"assistant\",\"content\":\"The code is tern-7.\"}]";
        JsonElement compacted = (await sandbox.SendAsync("openai", PathOf("openai", "/compact"), $"{{\"model\":\"gpt-5-mini\",\"input\":{Said}}}")).Json;
        Assert.Equal(["message", "compaction"], compacted.GetProperty("output").EnumerateArray().Select(item => item.GetProperty("type").GetString()));
        Assert.DoesNotContain("tern-7", compacted.GetRawText(), StringComparison.Ordinal);
        string input = $"\"input\":[{OutputOf(compacted)},{{\"role\":\"user\",\"content\":\"And now?\"}}]";
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("openai", input)).Status);
        AssertRefused(await AskAsync("azure", input), 400, "invalid_encrypted_content", "could not be verified");
    }
}
