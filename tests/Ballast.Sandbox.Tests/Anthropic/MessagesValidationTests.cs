using System.Text.Json;

namespace Ballast.Sandbox.Tests.Anthropic;

public class MessagesValidationTests(TestSandbox sandbox) : IClassFixture<TestSandbox>
{
    private const string User = """{"role":"user","content":"hi"}""";

    private const string Call = """{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"f","input":{}}]}""";

    private const string Tool = """{"name":"f","input_schema":{"type":"object"}}""";

    [Theory]
    [InlineData("{", "not valid JSON")]
    [InlineData("""{"max_tokens":9,"messages":[USER]}""", "model: Field required")]
    [InlineData("""{"model":"MODEL","messages":[USER]}""", "max_tokens: Field required")]
    [InlineData("""{"model":"MODEL","max_tokens":0,"messages":[USER]}""", "max_tokens: Input should be greater than or equal to 1")]
    [InlineData("""{"model":"MODEL","max_tokens":"9","messages":[USER]}""", "max_tokens: Input should be a valid integer")]
    [InlineData("""{"model":"MODEL","max_tokens":999999,"messages":[USER]}""", "which is the maximum allowed number of output tokens")]
    [InlineData("""{"model":"MODEL","max_tokens":9}""", "messages: Field required")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[]}""", "at least one message is required")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[{"role":"assistant","content":"x"}]}""", "first message must use the \"user\" role")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[{"role":"boss","content":"x"}]}""", "messages.0.role: Input should be 'user' or 'assistant'")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[{"role":"system","content":"x"},USER]}""", "Unexpected role \"system\"")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[{"role":"user","content":[{"type":"odd"}]}]}""", "Input tag 'odd'")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":""}]}]}""", "must be non-empty")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[USER,CALL]}""", "`tool_use` ids were found without `tool_result`")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[USER,CALL,USER]}""", "`tool_use` ids were found without `tool_result`")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[USER,CALL,{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_2"}]}]}""", "unexpected `tool_use_id`")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[USER,{"role":"assistant","content":[{"type":"tool_use","id":"a b","name":"f","input":{}}]}]}""", "String should match pattern '^[a-zA-Z0-9_-]+$'")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[USER],"colour":1}""", "colour: Extra inputs are not permitted")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[USER],"temperature":1.5}""", "temperature: Input should be less than or equal to 1")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[USER],"tools":[{"name":"a b","input_schema":{"type":"object"}}]}""", "tools.0.custom.name: String should match pattern")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[USER],"tools":[{"name":"f"}]}""", "tools.0.custom.input_schema: Field required")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[USER],"tools":[TOOL,TOOL]}""", "Tool names must be unique")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[USER],"tool_choice":{"type":"any"}}""", "tool_choice may only be specified while providing tools")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[USER],"tools":[TOOL],"tool_choice":{"type":"tool","name":"g"}}""", "Tool 'g' not found")]
    [InlineData("""{"model":"MODEL","max_tokens":2000,"messages":[USER],"thinking":{"type":"enabled","budget_tokens":100}}""", "greater than or equal to 1024")]
    [InlineData("""{"model":"MODEL","max_tokens":1024,"messages":[USER],"thinking":{"type":"enabled","budget_tokens":1024}}""", "`max_tokens` must be greater than `thinking.budget_tokens`")]
    [InlineData("""{"model":"MODEL","max_tokens":2000,"messages":[USER],"tools":[TOOL],"tool_choice":{"type":"any"},"thinking":{"type":"enabled","budget_tokens":1024}}""", "Thinking may not be enabled when tool_choice forces tool use")]
    [InlineData("""{"model":"MODEL","max_tokens":2000,"messages":[USER],"temperature":0.2,"thinking":{"type":"enabled","budget_tokens":1024}}""", "`temperature` may only be set to 1")]
    [InlineData("""{"model":"MODEL","max_tokens":9,"messages":[USER],"system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"2h"}}]}""", "Input should be '5m' or '1h'")]
    public async Task Messages_WrongRequest_Is400WithItsReason(string body, string part)
    {
        Reply reply = await sandbox.ChatAsync("anthropic", body
            .Replace("USER", User, StringComparison.Ordinal).Replace("CALL", Call, StringComparison.Ordinal)
            .Replace("TOOL", Tool, StringComparison.Ordinal).Replace("MODEL", "claude-sonnet-4-5", StringComparison.Ordinal));
        Assert.Equal(400, (int)reply.Status);
        Assert.Equal("error", reply.Json.GetProperty("type").GetString());
        Assert.Equal("invalid_request_error", reply.Json.GetProperty("error").GetProperty("type").GetString());
        Assert.Contains(part, reply.Json.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(reply.Headers["request-id"], reply.Json.GetProperty("request_id").GetString());
        Assert.Equal("false", reply.Headers["x-should-retry"]);
    }

    [Fact]
    public async Task Messages_UnknownModel_Is404()
    {
        Reply reply = await sandbox.ChatAsync("anthropic", $$"""{"model":"claude-0","max_tokens":9,"messages":[{{User}}]}""");
        JsonElement error = reply.Json.GetProperty("error");
        Assert.Equal((404, "not_found_error", "model: claude-0"), ((int)reply.Status, error.GetProperty("type").GetString(), error.GetProperty("message").GetString()));
    }

    [Fact]
    public async Task Messages_WithoutVersion_Is400()
    {
        Reply reply = await sandbox.SendAsync("anthropic", "/v1/messages", sandbox.ChatBody("anthropic"), ("anthropic-version", ""));
        Assert.Equal(400, (int)reply.Status);
        Assert.Contains("anthropic-version", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_Over32Megabytes_Is413()
    {
        string body = $$"""{"model":"claude-sonnet-4-5","max_tokens":9,"messages":[{"role":"user","content":"{{new string('x', 33 * 1024 * 1024)}}"}]}""";
        Reply reply = await sandbox.ChatAsync("anthropic", body);
        Assert.Equal((413, "request_too_large"), ((int)reply.Status, reply.Json.GetProperty("error").GetProperty("type").GetString()));
    }

    [Fact]
    public async Task Messages_ParallelResultsInNeighbouringTurns_AreTaken()
    {
        const string TwoCalls =
            """{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"f","input":{}}]}""";
        static string Result(string id) => "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"" + id + "\",\"content\":\"ok " + id + "\"}]}";
        Reply reply = await sandbox.ChatAsync(
            "anthropic", $$"""{"model":"claude-sonnet-4-5","max_tokens":99,"messages":[{{User}},{{TwoCalls}},{{Result("a")}},{{Result("b")}}]}""");
        Assert.Equal(200, (int)reply.Status);
        Assert.Contains("ok b", reply.Text, StringComparison.Ordinal);
    }
}
