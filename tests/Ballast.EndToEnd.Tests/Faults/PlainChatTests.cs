using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Ledger;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Ollama's and Cohere's chat, in and out: a server of each that this test plays by their documents, and callers of each at other vendors' models.</summary>
[Collection("Faults")]
public sealed class PlainChatTests : IAsyncLifetime
{
    private const string OllamaHead = """{"model":"served","created_at":"2026-08-06T06:29:40.05Z","message":{"role":"assistant",""";

    private static readonly string[] s_ollamaLines =
    [
        OllamaHead + """ "content":"","thinking":"Hm."},"done":false}""",
        OllamaHead + """ "content":"Hel"},"done":false}""",
        OllamaHead + """ "content":"lo"},"done":false}""",
        OllamaHead + """ "content":""},"done":true,"done_reason":"stop","total_duration":5,"prompt_eval_count":11,"eval_count":4}""",
    ];

    private const string CohereStream =
        """
        event: message-start
        data: {"id":"c-1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}

        event: content-start
        data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}

        event: content-delta
        data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hello"}}}}

        event: content-end
        data: {"type":"content-end","index":0}

        event: message-end
        data: {"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":3,"output_tokens":2},"tokens":{"input_tokens":500,"output_tokens":5}}}}

        data: [DONE]


        """;

    private RawUpstream _ollama = null!;
    private RawUpstream _cohere = null!;
    private RawUpstream _broken = null!;
    private FaultGateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _ollama = new RawUpstream(PlayOllamaAsync);
        _cohere = new RawUpstream(PlayCohereAsync);
        _broken = new RawUpstream(static visit => visit.RespondAsync("503 Service Unavailable", "content-type: application/json\r\n", """{"error":"server busy"}"""));
        _gateway = await FaultGateway.StartAsync(new FaultSetup
        {
            Raw = [("oll", "ollama", _ollama), ("coh", "cohere", _cohere), ("broken", "ollama", _broken)],
            Models =
            [
                ("llama", ["broken/llama=llama3", "oll/llama=llama3"]),
                ("cut", ["oll/cut=cut"]),
                ("failing", ["oll/failing=failing"]),
                ("command", ["coh/command=command-a"]),
                ("claude", ["anthropic/claude-haiku-4-5=claude-haiku-4-5"]),
                ("gpt", ["openai/gpt-5-mini=gpt-5-mini"]),
            ],
            Limits = ["retry_floor: 10000", "breaker_failures: 1000"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _ollama.DisposeAsync();
        await _cohere.DisposeAsync();
        await _broken.DisposeAsync();
    }

    private static async Task PlayOllamaAsync(RawVisit visit)
    {
        if (visit.Head.StartsWith("POST /v1/chat/completions ", StringComparison.Ordinal))
        {
            await visit.RespondAsync("200 OK", "content-type: application/json\r\n", """{"id":"1","object":"chat.completion","created":1,"model":"served","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2},"zz":1}""");
            return;
        }

        JsonObject body = JsonNode.Parse(visit.Body)!.AsObject();
        if (!visit.Head.StartsWith("POST /api/chat ", StringComparison.Ordinal) || body["messages"] is not JsonArray || body.ContainsKey("max_tokens"))
        {
            await visit.RespondAsync("400 Bad Request", "content-type: application/json\r\n", """{"error":"not a request of this protocol"}""");
            return;
        }

        if ((bool?)body["stream"] == false)
        {
            await visit.RespondAsync("200 OK", "content-type: application/json\r\n", OllamaHead + """ "content":"Hello"},"done":true,"done_reason":"stop","prompt_eval_count":11,"eval_count":4}""");
            return;
        }

        string lines = (string?)body["model"] switch
        {
            // The last line has no end: the error that follows must not stand behind it.
            "cut" => string.Join('\n', s_ollamaLines[..3]),
            "failing" => s_ollamaLines[1] + "\n{\"error\":\"out of memory\"}\n",
            _ => string.Join('\n', s_ollamaLines) + "\n",
        };
        await visit.RespondAsync("200 OK", "content-type: application/x-ndjson\r\n", lines);
    }

    private static Task PlayCohereAsync(RawVisit visit)
    {
        JsonObject body = JsonNode.Parse(visit.Body)!.AsObject();
        string[] known = ["model", "messages", "stream", "tools", "documents", "response_format", "max_tokens", "temperature", "p", "k", "seed", "stop_sequences", "tool_choice", "thinking"];
        if (!visit.Head.StartsWith("POST /v2/chat ", StringComparison.Ordinal) || body.Any(field => !known.Contains(field.Key)))
        {
            return visit.RespondAsync("422 Unprocessable Entity", "content-type: application/json\r\n", """{"id":"e-1","message":"unknown field"}""");
        }

        return (bool?)body["stream"] == true
            ? visit.RespondAsync("200 OK", "content-type: text/event-stream\r\n", CohereStream)
            : visit.RespondAsync("200 OK", "content-type: application/json\r\n", """{"id":"c-2","message":{"role":"assistant","content":[{"type":"text","text":"Hello"}]},"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":3,"output_tokens":2},"tokens":{"input_tokens":500,"output_tokens":5}}}""");
    }

    [Fact]
    public async Task Ollama_ItsOwnCallerAndFirstIsBusy_GetsTheSecondsBytes()
    {
        using HttpResponseMessage answer = await PostAsync("/api/chat", """{"model":"llama","messages":[{"role":"user","content":"Hi"}],"keep_alive":"5m"}""");

        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(string.Join('\n', s_ollamaLines) + "\n", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("""{"model":"llama3","messages":[{"role":"user","content":"Hi"}],"keep_alive":"5m"}""", Assert.Single(_ollama.Visits).Body);
        LedgerEntry[] rows = await RowsAsync(answer);
        Assert.Equal(["broken/llama", "oll/llama"], rows.Select(row => row.Deployment));
        Assert.Equal((11L, 4L, false), (rows[1].InputTokens, rows[1].OutputTokens, rows[1].IsEstimated));
    }

    [Fact]
    public async Task Ollama_CallerOfMessages_GetsReasoningAndText()
    {
        using HttpResponseMessage answer = await PostAsync("/v1/messages", """{"model":"llama","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Hi"}]}""");

        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("\"thinking\":\"Hm.\"", text, StringComparison.Ordinal);
        Assert.Contains("\"text\":\"lo\"", text, StringComparison.Ordinal);
        Assert.Contains("event: message_stop", text, StringComparison.Ordinal);
        JsonNode sent = JsonNode.Parse(Assert.Single(_ollama.Visits).Body)!;
        Assert.Equal((9, true), ((int)sent["options"]!["num_predict"]!, (bool)sent["stream"]!));
    }

    [Fact]
    public async Task Ollama_CallerOfChatCompletions_IsPassedOnToItsOpenAIShape()
    {
        using HttpResponseMessage answer = await PostAsync("/v1/chat/completions", """{"model":"llama","messages":[{"role":"user","content":"Hi"}]}""");

        Assert.Contains("\"zz\":1", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.StartsWith("POST /v1/chat/completions ", Assert.Single(_ollama.Visits).Head, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cut", 3)]
    [InlineData("failing", 1)]
    public async Task Ollama_StreamThatBreaks_EndsInALineWithAnError(string model, int sound)
    {
        using HttpResponseMessage answer = await PostAsync("/api/chat", $$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hi"}]}""");

        string[] lines = (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).TrimEnd('\n').Split('\n');
        Assert.Equal(sound + 1, lines.Length);
        Assert.All(lines[..sound], line => Assert.False((bool)JsonNode.Parse(line)!["done"]!));
        JsonNode error = JsonNode.Parse(lines[^1])!;
        Assert.NotEmpty((string)error["error"]!);
        Assert.Equal(answer.Headers.GetValues("x-request-id").Single(), (string)error["request_id"]!);
    }

    [Theory]
    [InlineData("claude")]
    [InlineData("gpt")]
    [InlineData("command")]
    public async Task OllamaCaller_AtAnotherVendor_GetsLinesOfItsOwnProtocol(string model)
    {
        using HttpResponseMessage answer = await PostAsync("/api/chat", $$$"""{"model":"{{{model}}}","options":{"num_predict":50},"messages":[{"role":"user","content":"Hi"}]}""");

        JsonNode[] lines = [.. (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).TrimEnd('\n').Split('\n').Select(line => JsonNode.Parse(line)!)];
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.NotEmpty(string.Concat(lines.Select(line => (string)line["message"]!["content"]!)));
        Assert.True((bool)lines[^1]["done"]! && (int)lines[^1]["eval_count"]! > 0);
        Assert.All(lines[..^1], line => Assert.False((bool)line["done"]!));
    }

    [Fact]
    public async Task OllamaCaller_WholeAnswerWithATool_PairsTheResultByNameAtAnotherVendor()
    {
        using HttpResponseMessage answer = await PostAsync("/api/chat", """
            {"model":"claude","stream":false,"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}}}}],
             "messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]},{"role":"tool","tool_name":"f","content":"done"}]}
            """);

        JsonElement root = await JsonAsync(answer);
        Assert.True(root.GetProperty("done").GetBoolean());
        Assert.Equal("assistant", root.GetProperty("message").GetProperty("role").GetString());
    }

    [Fact]
    public async Task Cohere_ItsOwnCaller_GetsTheBytesAndTheBilledUnitsAreCounted()
    {
        using HttpResponseMessage answer = await PostAsync("/v2/chat", """{"model":"command","stream":true,"messages":[{"role":"user","content":"Hi"}]}""");

        Assert.Equal(CohereStream, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        LedgerEntry row = Assert.Single(await RowsAsync(answer));
        Assert.Equal((3L, 2L), (row.InputTokens, row.OutputTokens));
    }

    [Theory]
    [InlineData("/v1/chat/completions", "")]
    [InlineData("/v1/messages", "\"max_tokens\":9,")]
    [InlineData("/api/chat", "")]
    public async Task Cohere_CallersOfOtherProtocols_AreAnsweredWholeAndAsAStream(string path, string more)
    {
        foreach (string stream in (string[])["true", "false"])
        {
            using HttpResponseMessage answer = await PostAsync(path, $$"""{"model":"command",{{more}}"stream":{{stream}},"messages":[{"role":"user","content":"Hi"}]}""");

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Contains("Hello", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("claude")]
    [InlineData("llama")]
    public async Task CohereCaller_AtAnotherVendor_GetsEventsOfItsOwnProtocol(string model)
    {
        using HttpResponseMessage answer = await PostAsync("/v2/chat", $$"""{"model":"{{model}}","stream":true,"max_tokens":5000,"messages":[{"role":"user","content":"Hi"}]}""");

        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("event: message-start\n", text, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        Assert.Contains("\"finish_reason\":\"COMPLETE\"", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/chat", "error")]
    [InlineData("/v2/chat", "message")]
    public async Task UnknownModel_IsRefusedInTheCallersOwnForm(string path, string field)
    {
        using HttpResponseMessage answer = await PostAsync(path, """{"model":"nobody","messages":[{"role":"user","content":"Hi"}]}""");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal(JsonValueKind.String, (await JsonAsync(answer)).GetProperty(field).ValueKind);
    }

    [Fact]
    public async Task Tags_ListTheModelsInOllamasForm()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/api/tags");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {FaultSetup.Key}");
        using HttpResponseMessage answer = await _gateway.Http.SendAsync(request, TestContext.Current.CancellationToken);

        JsonElement models = (await JsonAsync(answer)).GetProperty("models");
        Assert.Contains(models.EnumerateArray(), model => model.GetProperty("name").GetString() == "llama" && model.GetProperty("model").GetString() == "llama");
    }

    private async Task<HttpResponseMessage> PostAsync(string path, string body)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {FaultSetup.Key}");
        return await _gateway.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage answer)
    {
        using JsonDocument document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return document.RootElement.Clone();
    }

    private async Task<LedgerEntry[]> RowsAsync(HttpResponseMessage answer)
    {
        string id = answer.Headers.GetValues("x-ballast-request-id").Single();
        return [.. (await _gateway.SettleAsync()).Where(entry => entry.ExchangeId == id).OrderBy(entry => entry.AttemptNumber)];
    }
}
