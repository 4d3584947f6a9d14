using System.Net;
using System.Text.Json;

namespace Ballast.Sandbox.Tests.Ollama;

/// <summary>Ollama's own API, in lines of JSON.</summary>
public sealed class OllamaTests(TestSandbox sandbox) : IClassFixture<TestSandbox>
{
    private const string Weather =
        """
        "tools":[{"type":"function","function":{"name":"get_weather","description":"Weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}],
        """;

    private Task<Reply> AskAsync(string messages, string more = "") =>
        sandbox.SendAsync("ollama", "/api/chat", $"{{\"model\":\"qwen3:8b\",{more}\"messages\":[{messages}]}}");

    private static string User(string text) => $"{{\"role\":\"user\",\"content\":{JsonSerializer.Serialize(text)}}}";

    private static List<JsonElement> Lines(Reply reply) => [.. reply.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    [Fact]
    public async Task Chat_StreamsUnlessToldNot_AndBothSayTheSame()
    {
        Reply stream = await AskAsync(User("Reply with exactly \"two words\""), "\"think\":true,");
        Reply whole = await AskAsync(User("Reply with exactly \"two words\""), "\"think\":true,\"stream\":false,");
        Assert.Equal("application/x-ndjson", stream.Headers["Content-Type"]);
        List<JsonElement> lines = Lines(stream);
        Assert.Equal("two words", string.Concat(lines.Select(line => line.GetProperty("message").GetProperty("content").GetString())));
        Assert.Equal("two words", whole.Json.GetProperty("message").GetProperty("content").GetString());
        string thought = string.Concat(lines.Select(line => line.GetProperty("message").TryGetProperty("thinking", out JsonElement thinking) ? thinking.GetString() : ""));
        Assert.Equal(whole.Json.GetProperty("message").GetProperty("thinking").GetString(), thought);
        Assert.All(lines.SkipLast(1), line => Assert.False(line.GetProperty("done").GetBoolean()));
        JsonElement last = lines[^1];
        Assert.Equal((true, "stop"), (last.GetProperty("done").GetBoolean(), last.GetProperty("done_reason").GetString()));
        await sandbox.Host.Billing.FlushAsync();
        BillingRow row = sandbox.Host.Billing.Rows[^1];
        Assert.Equal((last.GetProperty("prompt_eval_count").GetInt64(), last.GetProperty("eval_count").GetInt64()), (row.InputTokens, row.OutputTokens));
    }

    [Fact]
    public async Task Chat_WithTools_CallsWholeWithObjectsAndTakesResults()
    {
        Reply asked = await AskAsync(User("What is the weather in Paris and London?"), Weather);
        JsonElement[] calls = [.. Lines(asked).Where(line => line.GetProperty("message").TryGetProperty("tool_calls", out _)).Select(line => line.GetProperty("message").GetProperty("tool_calls")[0])];
        Assert.Equal(["Paris", "London"], calls.Select(call => call.GetProperty("function").GetProperty("arguments").GetProperty("city").GetString()));
        string said = $"{{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{calls[0].GetRawText()}]}}";
        Reply answered = await AskAsync($"{User("What is the weather in Paris?")},{said},{{\"role\":\"tool\",\"tool_name\":\"get_weather\",\"content\":\"Sunny\"}}", Weather + "\"stream\":false,");
        Assert.Contains("Sunny", answered.Json.GetProperty("message").GetProperty("content").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/chat", """{"messages":[]}""", 400, "model is required")]
    [InlineData("/api/chat", """{"model":"none","messages":[]}""", 404, "model 'none' not found")]
    [InlineData("/api/chat", """{"model":"gemma3:4b","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"a"}}]}""", 400, "does not support tools")]
    [InlineData("/api/chat", """{"model":"gemma3:4b","messages":[{"role":"user","content":"x"}],"think":true}""", 400, "does not support thinking")]
    [InlineData("/api/chat", """{"model":"qwen3:8b","messages":[{"role":"developer","content":"x"}]}""", 400, "invalid role")]
    [InlineData("/api/chat", """{"model":"qwen3:8b","messages":[{"role":"user","content":"x","images":["data:image/png;base64,AAAA"]}]}""", 400, "illegal base64 data")]
    [InlineData("/api/chat", """{"model":"qwen3:8b","messages":[{"role":"assistant","tool_calls":[{"function":{"name":"a","arguments":"{}"}}]}]}""", 400, "cannot unmarshal string")]
    [InlineData("/api/embed", """{"model":"qwen3:8b","input":"x"}""", 400, "does not support embeddings")]
    [InlineData("/api/nothing", "{}", 404, "404 page not found")]
    public async Task Request_ThatOllamaRefuses_IsRefused(string path, string body, int status, string part)
    {
        Reply reply = await sandbox.SendAsync("ollama", path, body);
        Assert.Equal(status, (int)reply.Status);
        Assert.Contains(part, reply.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_IsNotAskedFor_ButAWrongOneIsRefused()
    {
        Reply without = await sandbox.SendAsync("ollama", "/api/chat", $"{{\"model\":\"qwen3:8b\",\"messages\":[{User("Hello")}]}}", ("Authorization", ""));
        Reply wrong = await sandbox.SendAsync("ollama", "/api/chat", $"{{\"model\":\"qwen3:8b\",\"messages\":[{User("Hello")}]}}", ("Authorization", "Bearer wrong"));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (without.Status, wrong.Status));
    }

    [Fact]
    public async Task Models_AreListedShownAndEmbed()
    {
        Assert.Equal(3, (await sandbox.SendAsync("ollama", "/api/tags")).Json.GetProperty("models").GetArrayLength());
        JsonElement shown = (await sandbox.SendAsync("ollama", "/api/show", """{"model":"qwen3:8b"}""")).Json;
        Assert.Equal(["completion", "tools", "vision", "thinking"], shown.GetProperty("capabilities").EnumerateArray().Select(word => word.GetString()));
        Assert.Matches(@"^\d+\.\d+\.\d+$", (await sandbox.SendAsync("ollama", "/api/version")).Json.GetProperty("version").GetString());
        JsonElement embedded = (await sandbox.SendAsync("ollama", "/api/embed", """{"model":"nomic-embed-text","input":["a b","c"]}""")).Json;
        Assert.Equal((2, 768), (embedded.GetProperty("embeddings").GetArrayLength(), embedded.GetProperty("embeddings")[0].GetArrayLength()));
        JsonElement completed = (await sandbox.SendAsync("ollama", "/api/generate", """{"model":"qwen3:8b","stream":false,"prompt":"Reply with exactly \"yes\""}""")).Json;
        Assert.Equal("yes", completed.GetProperty("response").GetString());
    }

    [Fact]
    public async Task StreamError_Stream_IsALineWithAnError()
    {
        sandbox.Host.Faults.Add(new FaultRule { Platform = "ollama", Kind = FaultKind.StreamErrorAfter, AfterEvents = 2, Count = 1 });
        List<JsonElement> lines = Lines(await AskAsync(User("Tell me about tides")));
        Assert.Equal(3, lines.Count);
        Assert.Equal(JsonValueKind.String, lines[^1].GetProperty("error").ValueKind);
    }
}
