using System.Text.Json;

namespace Ballast.Sandbox.Tests.OpenAIShape;

public class ChatValidationTests(TestSandbox sandbox) : IClassFixture<TestSandbox>
{
    private const string User = """{"role":"user","content":"hi"}""";

    private const string Call =
        """{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]}""";

    [Theory]
    [InlineData("{", null, null)]
    [InlineData("[]", null, null)]
    [InlineData("""{"messages":[]}""", null, null)]
    [InlineData("""{"model":"gpt-5.2"}""", "messages", "missing_required_parameter")]
    [InlineData("""{"model":"gpt-5.2","messages":[]}""", "messages", "empty_array")]
    [InlineData("""{"model":"gpt-5.2","messages":"hi"}""", "messages", "invalid_type")]
    [InlineData("""{"model":"gpt-5.2","messages":["hi"]}""", "messages[0]", "invalid_type")]
    [InlineData("""{"model":7,"messages":[USER]}""", "model", "invalid_type")]
    [InlineData("""{"model":"gpt-5.2","messages":[{"content":"hi"}]}""", "messages[0].role", "missing_required_parameter")]
    [InlineData("""{"model":"gpt-5.2","messages":[{"role":"boss","content":"hi"}]}""", "messages[0].role", "invalid_value")]
    [InlineData("""{"model":"gpt-5.2","messages":[{"role":"user","content":7}]}""", "messages[0].content", "invalid_type")]
    [InlineData("""{"model":"gpt-5.2","messages":[{"role":"user","content":[{"text":"hi"}]}]}""", "messages[0].content[0].type", "missing_required_parameter")]
    [InlineData("""{"model":"gpt-5.2","messages":[{"role":"user","content":[{"type":"odd"}]}]}""", "messages[0].content[0].type", "invalid_value")]
    [InlineData("""{"model":"gpt-5.2","messages":[{"role":"tool","content":"x","tool_call_id":"call_1"}]}""", "messages.[0].role", null)]
    [InlineData("""{"model":"gpt-5.2","messages":[USER,CALL]}""", "messages.[2].role", null)]
    [InlineData("""{"model":"gpt-5.2","messages":[USER,CALL,USER]}""", "messages.[2].role", null)]
    [InlineData("""{"model":"gpt-5.2","messages":[USER,CALL,{"role":"tool","content":"x","tool_call_id":"call_2"}]}""", "messages.[2].tool_call_id", null)]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"temperature":99}""", "temperature", "decimal_above_max_value")]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"temperature":"hot"}""", "temperature", "invalid_type")]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"max_tokens":0}""", "max_tokens", "integer_below_min_value")]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"max_tokens":"many"}""", "max_tokens", "invalid_type")]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"stream":"yes"}""", "stream", "invalid_type")]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"stream_options":{"include_usage":true}}""", "stream_options", null)]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"stop":["1","2","3","4","5"]}""", "stop", "array_above_max_length")]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"tools":{}}""", "tools", "invalid_type")]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"tools":[{"type":"function","function":{"name":"a b"}}]}""", "tools[0].function.name", "invalid_value")]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"tools":[{"type":"odd"}]}""", "tools[0].type", "invalid_value")]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"tool_choice":"required"}""", "tool_choice", null)]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"tools":[{"type":"function","function":{"name":"a"}}],"tool_choice":{"type":"function","function":{"name":"b"}}}""", "tool_choice", null)]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"tools":[{"type":"function","function":{"name":"a","strict":true,"parameters":{"type":"object","properties":{}}}}]}""", "tools[0].function.parameters", "invalid_function_parameters")]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"response_format":{"type":"json_object"}}""", "messages", null)]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"response_format":{"type":"xml"}}""", "response_format.type", "invalid_value")]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"n":0}""", "n", "integer_below_min_value")]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"top_logprobs":2}""", "top_logprobs", "invalid_value")]
    [InlineData("""{"model":"gpt-5.2","messages":[USER],"reasoning_effort":"wild"}""", "reasoning_effort", "invalid_value")]
    [InlineData("""{"model":"gpt-5.2","messages":[{"role":"user","content":"\ud800"}]}""", null, null)]
    public async Task Chat_WrongRequest_Is400InOpenAIsShape(string body, string? param, string? code)
    {
        Reply reply = await sandbox.ChatAsync(
            "openai", body.Replace("USER", User, StringComparison.Ordinal).Replace("CALL", Call, StringComparison.Ordinal));
        Assert.Equal(400, (int)reply.Status);
        JsonElement error = reply.Json.GetProperty("error");
        Assert.Equal((param, code), (error.GetProperty("param").GetString(), error.GetProperty("code").GetString()));
        Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }

    [Fact]
    public async Task Chat_DeeperThan64_Is400() => Assert.Equal(400, (int)(await sandbox.ChatAsync(
        "openai",
        $$"""{"model":"gpt-5.2","messages":[{{User}}],"metadata":{{string.Concat(Enumerable.Repeat("[", 70))}}{{new string(']', 70)}}}""")).Status);

    [Fact]
    public async Task Chat_InvalidUtf8_Is400()
    {
        using HttpRequestMessage request = sandbox.NewRequest("openai", HttpMethod.Post, "/v1/chat/completions");
        request.Content = new ByteArrayContent([.. "{\"model\":\"gpt-5.2\",\"messages\":[{\"role\":\"user\",\"content\":\""u8, 0xC3, 0x28, .. "\"}]}"u8]);
        using HttpResponseMessage response = await sandbox.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(400, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("openai", 404, "model_not_found")]
    [InlineData("azure", 404, "DeploymentNotFound")]
    [InlineData("bedrock", 404, "model_not_found")]
    [InlineData("local", 404, "NotFoundError")]
    public async Task Chat_UnknownModel_IsTheVendors404(string platform, int status, string part)
    {
        Reply reply = await sandbox.ChatAsync(platform, $$"""{"model":"nope","messages":[{{User}}]}""");
        Assert.Equal(status, (int)reply.Status);
        Assert.Contains(part, reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_UnknownFields_AreAccepted()
    {
        Reply reply = await sandbox.ChatAsync(
            "openai",
            $$$"""{"model":"gpt-5.2","messages":[{{{User}}}],"service_tier":"auto","metadata":{"a":"b"},"user":"me","seed":7,"never_heard_of":{"x":1}}""");
        Assert.Equal(200, (int)reply.Status);
    }

    [Fact]
    public async Task Chat_ExplicitNulls_CountAsAbsent()
    {
        Reply reply = await sandbox.ChatAsync(
            "openai",
            $$"""{"model":"gpt-5.2","messages":[{{User}}],"tools":null,"tool_choice":null,"stop":null,"max_tokens":null,"stream":null,"n":null}""");
        Assert.Equal(200, (int)reply.Status);
    }
}
