using System.Net;
using System.Text.Json;

namespace Ballast.Sandbox.Tests.OpenAIShape;

/// <summary>Tools of free text, of groups, and a choice among some of the tools, in both of OpenAI's protocols.</summary>
public sealed class CustomToolTests(TestSandbox sandbox) : IClassFixture<TestSandbox>
{
    private const string Pattern = "[0-9]{3} (east|west)";

    private static string Ask(bool isResponses, string fields) => isResponses
        ? $$"""{"model":"gpt-5-mini","input":"Use apply_patch, please.",{{fields}}}"""
        : $$"""{"model":"gpt-5-mini","messages":[{"role":"user","content":"Use apply_patch, please."}],{{fields}}}""";

    private Task<Reply> SendAsync(string platform, bool isResponses, string fields) =>
        sandbox.SendAsync(platform, platform == "azure" ? isResponses ? "/openai/v1/responses" : "/openai/v1/chat/completions" : isResponses ? "/v1/responses" : "/v1/chat/completions", Ask(isResponses, fields));

    private static string Tool(bool isResponses, string format) =>
        isResponses ? "{\"type\":\"custom\",\"name\":\"apply_patch\"" + format + "}" : "{\"type\":\"custom\",\"custom\":{\"name\":\"apply_patch\"" + format + "}}";

    private static string Grammar(bool isResponses, string syntax, string definition)
    {
        string grammar = $"\"syntax\":\"{syntax}\",\"definition\":{JsonSerializer.Serialize(definition)}";
        return isResponses ? $",\"format\":{{\"type\":\"grammar\",{grammar}}}" : $",\"format\":{{\"type\":\"grammar\",\"grammar\":{{{grammar}}}}}";
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("azure")]
    public async Task Call_OfFreeText_FollowsItsPatternWholeAndInPieces(string platform)
    {
        foreach (bool isResponses in (bool[])[true, false])
        {
            string fields = $"\"tools\":[{Tool(isResponses, Grammar(isResponses, "regex", Pattern))}]";
            Reply whole = await SendAsync(platform, isResponses, fields);
            Reply stream = await SendAsync(platform, isResponses, fields + ",\"stream\":true");
            Assert.True(whole.Status == HttpStatusCode.OK && stream.Status == HttpStatusCode.OK, whole.Text + stream.Text);
            string said = isResponses
                ? whole.Json.GetProperty("output").EnumerateArray().Single(static item => item.GetProperty("type").GetString() == "custom_tool_call").GetProperty("input").GetString()!
                : whole.Message.GetProperty("tool_calls")[0].GetProperty("custom").GetProperty("input").GetString()!;
            Assert.Matches($"^(?:{Pattern})$", said);
            string[] pieces = isResponses
                ? [.. stream.Chunks.Where(static chunk => chunk.GetProperty("type").GetString() == "response.custom_tool_call_input.delta").Select(static chunk => chunk.GetProperty("delta").GetString()!)]
                : [.. CallsOf(stream).Select(static call => call.GetProperty("custom").GetProperty("input").GetString()!)];
            Assert.Matches($"^(?:{Pattern})$", string.Concat(pieces));
            Assert.True(pieces.Length > 1, stream.Text);
            if (isResponses)
            {
                JsonElement done = stream.Chunks.Single(static chunk => chunk.GetProperty("type").GetString() == "response.custom_tool_call_input.done");
                Assert.Equal(string.Concat(pieces), done.GetProperty("input").GetString());
            }
            else
            {
                Assert.Equal(("custom", "apply_patch"), (CallsOf(stream)[0].GetProperty("type").GetString(), CallsOf(stream)[0].GetProperty("custom").GetProperty("name").GetString()));
            }
        }
    }

    private static List<JsonElement> CallsOf(Reply stream) =>
    [
        .. stream.Chunks.SelectMany(static chunk => chunk.GetProperty("choices").EnumerateArray())
            .SelectMany(static choice => choice.GetProperty("delta").TryGetProperty("tool_calls", out JsonElement calls) ? calls.EnumerateArray() : default),
    ];

    [Theory]
    [InlineData(",\"format\":7", "format", "invalid_type")]
    [InlineData(",\"format\":{}", "format.type", "missing_required_parameter")]
    [InlineData(",\"format\":{\"type\":\"xml\"}", "format.type", "invalid_value")]
    [InlineData("regex [", "definition", "invalid_value")]
    [InlineData("lark rule: X", "definition", "invalid_value")]
    [InlineData("bnf x", "syntax", "invalid_value")]
    public async Task Format_ThatIsMalformed_IsRefused(string format, string param, string code)
    {
        foreach (bool isResponses in (bool[])[true, false])
        {
            string[] words = format.Split(' ', 2);
            string written = format[0] == ',' ? format : Grammar(isResponses, words[0], words[1]);
            Reply refused = await SendAsync("openai", isResponses, $"\"tools\":[{Tool(isResponses, written)}]");
            string at = (isResponses ? "tools[0]." : "tools[0].custom.") + (format[0] == ',' ? param : isResponses ? $"format.{param}" : $"format.grammar.{param}");
            AssertRefused(refused, at, code);
        }
    }

    [Theory]
    [InlineData("""{"type":"namespace","description":"D","tools":[]}""", "tools[0].name", "missing_required_parameter")]
    [InlineData("""{"type":"namespace","name":"n","tools":[]}""", "tools[0].description", "missing_required_parameter")]
    [InlineData("""{"type":"namespace","name":"n","description":"D"}""", "tools[0].tools", "missing_required_parameter")]
    [InlineData("""{"type":"namespace","name":"n","description":"D","tools":[{"type":"function"}]}""", "tools[0].tools[0].name", "missing_required_parameter")]
    public async Task Group_ThatIsMalformed_IsRefused(string tool, string param, string code) => AssertRefused(await SendAsync("openai", true, $"\"tools\":[{tool}]"), param, code);

    [Theory]
    [InlineData("""{"type":"function","name":"apply_patch"}""", """{"type":"function","function":{"name":"apply_patch"}}""")]
    [InlineData("""{"type":"custom","name":"other"}""", """{"type":"custom","custom":{"name":"other"}}""")]
    [InlineData("""{"type":"allowed_tools","mode":"auto","tools":[{"type":"custom","name":"other"}]}""", """{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"custom","custom":{"name":"other"}}]}}""")]
    public async Task Choice_OfAToolThatIsNotThere_IsRefused(string responses, string chat)
    {
        AssertRefused(await SendAsync("openai", true, $"\"tools\":[{Tool(true, "")}],\"tool_choice\":{responses}"), "tool_choice", null);
        AssertRefused(await SendAsync("openai", false, $"\"tools\":[{Tool(false, "")}],\"tool_choice\":{chat}"), "tool_choice", null);
    }

    [Fact]
    public async Task Choice_AmongSomeTools_CallsNoOther()
    {
        Reply responses = await SendAsync("openai", true, $$"""
            "tools":[{{Tool(true, "")}},{"type":"function","name":"look"}],"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"look"}]}
            """);
        Assert.Equal(["look"], responses.Json.GetProperty("output").EnumerateArray().Where(static item => item.TryGetProperty("name", out _)).Select(static item => item.GetProperty("name").GetString()));
        Reply chat = await SendAsync("openai", false, $$$"""
            "tools":[{{{Tool(false, "")}}},{"type":"function","function":{"name":"look"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"look"}}]}}
            """);
        Assert.Equal(["look"], chat.Message.GetProperty("tool_calls").EnumerateArray().Select(static call => call.GetProperty("function").GetProperty("name").GetString()));
    }

    [Fact]
    public async Task Group_Called_NamesItAndTakesItBack()
    {
        const string Tools = """
            "tools":[{"type":"namespace","name":"files","description":"Changes files.","tools":[{"type":"custom","name":"apply_patch"},{"type":"function","name":"list","parameters":{"type":"object","properties":{}}}]}]
            """;
        Reply first = await SendAsync("openai", true, Tools);
        JsonElement call = first.Json.GetProperty("output").EnumerateArray().Single(static item => item.GetProperty("type").GetString() == "custom_tool_call");
        Assert.Equal(("files", "apply_patch"), (call.GetProperty("namespace").GetString(), call.GetProperty("name").GetString()));
        string id = call.GetProperty("call_id").GetString()!;
        string Again(string type) => $$"""
            {"model":"gpt-5-mini","store":false,{{Tools}},"input":[{"role":"user","content":"Use apply_patch, please."},{{call.GetRawText()}},{"type":"{{type}}","call_id":"{{id}}","output":"patched three files"}]}
            """;
        Reply second = await sandbox.SendAsync("openai", "/v1/responses", Again("custom_tool_call_output"));
        Assert.Contains("patched three files", second.Text, StringComparison.Ordinal);
        Reply mistaken = await sandbox.SendAsync("openai", "/v1/responses", Again("function_call_output"));
        AssertRefused(mistaken, "input", null);
    }

    private static void AssertRefused(Reply reply, string? param, string? code)
    {
        Assert.True(reply.Status == HttpStatusCode.BadRequest, reply.Text);
        JsonElement error = reply.Json.GetProperty("error");
        Assert.Equal((param, code), (error.GetProperty("param").GetString(), error.GetProperty("code").GetString()));
    }
}
