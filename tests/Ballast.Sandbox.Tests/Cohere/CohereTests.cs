using System.Text.Json;

namespace Ballast.Sandbox.Tests.Cohere;

/// <summary>Cohere's API, version 2.</summary>
public sealed class CohereTests(TestSandbox sandbox) : IClassFixture<TestSandbox>
{
    private const string Weather =
        """
        "tools":[{"type":"function","function":{"name":"get_weather","description":"Weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}],
        """;

    private Task<Reply> AskAsync(string messages, string more = "") =>
        sandbox.SendAsync("cohere", "/v2/chat", $"{{\"model\":\"command-a-plus-05-2026\",{more}\"messages\":[{messages}]}}");

    private static string User(string text) => $"{{\"role\":\"user\",\"content\":{JsonSerializer.Serialize(text)}}}";

    private static string Joined(Reply stream, string field) => string.Concat(stream.Chunks
        .Where(chunk => chunk.GetProperty("type").GetString() == "content-delta")
        .Select(chunk => chunk.GetProperty("delta").GetProperty("message").GetProperty("content"))
        .Select(content => content.TryGetProperty(field, out JsonElement text) ? text.GetString() : ""));

    [Fact]
    public async Task Chat_Streamed_SaysTheSameAsTheWhole()
    {
        const string Thinking = "\"thinking\":{\"type\":\"enabled\",\"token_budget\":100},";
        Reply whole = await AskAsync(User("Reply with exactly \"two words\""), Thinking);
        Reply stream = await AskAsync(User("Reply with exactly \"two words\""), Thinking + "\"stream\":true,");
        JsonElement content = whole.Json.GetProperty("message").GetProperty("content");
        Assert.Equal((content[0].GetProperty("thinking").GetString(), content[1].GetProperty("text").GetString()), (Joined(stream, "thinking"), Joined(stream, "text")));
        Assert.Equal(
            ["message-start", "content-start", "content-delta", "content-end", "content-start", "content-delta", "content-end", "message-end"],
            stream.Events.Select(next => next.Name!).Aggregate(new List<string>(), (seen, name) => seen is [.., var last] && last == name ? seen : [.. seen, name]));
        JsonElement billed = stream.Chunks[^1].GetProperty("delta").GetProperty("usage").GetProperty("billed_units");
        await sandbox.Host.Billing.FlushAsync();
        BillingRow row = sandbox.Host.Billing.Rows[^1];
        Assert.Equal((billed.GetProperty("input_tokens").GetInt64(), billed.GetProperty("output_tokens").GetInt64(), "COMPLETE"), (row.InputTokens, row.OutputTokens, row.Finish));
    }

    [Fact]
    public async Task Chat_WithTools_CallsAndTakesResults()
    {
        JsonElement message = (await AskAsync(User("What is the weather in Paris?"), Weather + "\"tool_choice\":\"REQUIRED\",")).Json.GetProperty("message");
        JsonElement call = message.GetProperty("tool_calls")[0];
        Reply stream = await AskAsync(User("What is the weather in Paris?"), Weather + "\"stream\":true,");
        string arguments = string.Concat(stream.Chunks.Where(chunk => chunk.GetProperty("type").GetString() == "tool-call-delta")
            .Select(chunk => chunk.GetProperty("delta").GetProperty("message").GetProperty("tool_calls").GetProperty("function").GetProperty("arguments").GetString()));
        Assert.Equal(call.GetProperty("function").GetProperty("arguments").GetString(), arguments);
        string result = $"{{\"role\":\"tool\",\"tool_call_id\":\"{call.GetProperty("id").GetString()}\",\"content\":\"Sunny\"}}";
        Reply answered = await AskAsync($"{User("What is the weather in Paris?")},{message.GetRawText()},{result}", Weather);
        Assert.Contains("Sunny", answered.Json.GetProperty("message").GetProperty("content")[0].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v2/chat", """{"model":"none","messages":[{"role":"user","content":"x"}]}""", 404, "model 'none' not found")]
    [InlineData("/v2/chat", """{"model":"command-a-plus-05-2026","messages":[]}""", 400, "at least length 1")]
    [InlineData("/v2/chat", """{"model":"command-a-plus-05-2026","messages":[{"role":"tool","tool_call_id":"a","content":"x"}]}""", 400, "not found in previous tool calls")]
    [InlineData("/v2/chat", """{"model":"command-a-plus-05-2026","messages":[{"role":"user","content":"x"}],"tool_choice":"REQUIRED"}""", 400, "together with tools")]
    [InlineData("/v2/chat", """{"model":"command-a-plus-05-2026","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"a"}}],"response_format":{"type":"json_object"}}""", 400, "not supported in combination")]
    [InlineData("/v2/embed", """{"model":"embed-v4.0","texts":["x"]}""", 400, "input_type must be provided")]
    [InlineData("/v2/embed", """{"model":"embed-v4.0","texts":["x"],"input_type":"search_query","output_dimension":100}""", 400, "output_dimension")]
    [InlineData("/v2/rerank", """{"model":"rerank-v3.5","query":"x","documents":[]}""", 400, "documents")]
    public async Task Request_ThatCohereRefuses_IsRefused(string path, string body, int status, string part)
    {
        Reply reply = await sandbox.SendAsync("cohere", path, body);
        Assert.Equal(status, (int)reply.Status);
        Assert.Contains(part, reply.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task EmbedAndRerank_Texts_LieNearTheirKin()
    {
        JsonElement embedded = (await sandbox.SendAsync("cohere", "/v2/embed", """{"model":"embed-v4.0","texts":["a b","c"],"input_type":"search_document","output_dimension":256}""")).Json;
        Assert.Equal((2, 256), (embedded.GetProperty("embeddings").GetProperty("float").GetArrayLength(), embedded.GetProperty("embeddings").GetProperty("float")[0].GetArrayLength()));
        JsonElement ranked = (await sandbox.SendAsync(
            "cohere", "/v2/rerank", """{"model":"rerank-v3.5","query":"harbour pilots","documents":["apples and pears","pilots of the harbour"],"top_n":1}""")).Json;
        Assert.Equal(1, ranked.GetProperty("results")[0].GetProperty("index").GetInt32());
        Assert.Equal(1, ranked.GetProperty("results").GetArrayLength());
    }

    [Fact]
    public async Task StreamError_Stream_EndsWithTheReason()
    {
        sandbox.Host.Faults.Add(new FaultRule { Platform = "cohere", Kind = FaultKind.StreamErrorAfter, AfterEvents = 3, Count = 1 });
        Reply stream = await AskAsync(User("Tell me about tides"), "\"stream\":true,");
        Assert.Equal("ERROR", stream.Chunks[^1].GetProperty("delta").GetProperty("finish_reason").GetString());
    }
}
