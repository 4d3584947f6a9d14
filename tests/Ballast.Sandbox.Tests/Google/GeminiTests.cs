using System.Net;
using System.Text.Json;

namespace Ballast.Sandbox.Tests.Google;

/// <summary>Gemini's surface as Google documents it: answers, streams of both forms, signatures that must come back, and faults in Google's own form.</summary>
public sealed class GeminiTests : IAsyncLifetime
{
    private const string Chat = "/v1beta/models/gemini-3.5-flash:generateContent";
    private const string Stream = "/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse";

    private const string Weather =
        """ "tools":[{"functionDeclarations":[{"name":"get_weather","description":"Weather of a city","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}},"required":["city"]}}]}]""";

    private readonly TestSandbox _sandbox = new();

    public ValueTask InitializeAsync() => _sandbox.InitializeAsync();

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task Generate_Whole_AgreesWithTheBill()
    {
        Reply reply = await SendAsync(Chat, Body("Explain lighthouses"));
        JsonElement usage = reply.Json.GetProperty("usageMetadata");
        Assert.Equal("STOP", Candidate(reply.Json).GetProperty("finishReason").GetString());
        Assert.Contains("lighthouses", TextOf(reply.Json), StringComparison.OrdinalIgnoreCase);
        BillingRow row = await LastRowAsync();
        Assert.Equal((usage.GetProperty("promptTokenCount").GetInt64(), Output(usage), "STOP"), (row.InputTokens, row.OutputTokens, row.Finish));
        Assert.Equal(("gemini-3.5-flash", false), (row.Model, row.Stream));
    }

    [Fact]
    public async Task Generate_Streamed_GivesTheSameTextAndUsageAsEventsAndAsArray()
    {
        Reply whole = await SendAsync(Chat, Body("Explain lighthouses"));
        Reply events = await SendAsync(Stream, Body("Explain lighthouses"));
        Reply array = await SendAsync(Stream.Split('?')[0], Body("Explain lighthouses"));
        Assert.Equal("application/json; charset=UTF-8", array.Headers["Content-Type"]);
        JsonElement[] listed = [.. array.Json.EnumerateArray()];
        Assert.Equal(TextOf(whole.Json), string.Concat(events.Chunks.Select(TextOf)));
        Assert.Equal(TextOf(whole.Json), string.Concat(listed.Select(TextOf)));
        Assert.Equal(whole.Json.GetProperty("usageMetadata").ToString(), events.Chunks[^1].GetProperty("usageMetadata").ToString());
        Assert.True(events.Chunks.Count > 3);
        await _sandbox.Host.Billing.FlushAsync();
        Assert.Single(_sandbox.Host.Billing.Rows.Select(static row => (row.InputTokens, row.OutputTokens)).Distinct());
    }

    [Fact]
    public async Task Calls_OfTwoCities_AreSignedOnceAndTakenBackAsTheyWere()
    {
        JsonElement parts = await CallsAsync();
        Assert.Equal(2, parts.GetArrayLength());
        Assert.True(parts[0].TryGetProperty("thoughtSignature", out _));
        Assert.False(parts[1].TryGetProperty("thoughtSignature", out _));
        Reply second = await SendAsync(Chat, Follow(parts.GetRawText()));
        Assert.Equal(HttpStatusCode.OK, second.Status);
        Assert.Contains("Rain here", TextOf(second.Json), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing", "missing a thought_signature")]
    [InlineData("changed", "Corrupted thought signature.")]
    [InlineData("moved", "Corrupted thought signature.")]
    [InlineData("skip", null)]
    public async Task Calls_WithAnotherSignature_AreRefusedAsGoogleSays(string how, string? message)
    {
        string parts = (await CallsAsync()).GetRawText();
        string signature = JsonDocument.Parse(parts).RootElement[0].GetProperty("thoughtSignature").GetString()!;
        string sent = how switch
        {
            "missing" => parts.Replace($",\"thoughtSignature\":\"{signature}\"", "", StringComparison.Ordinal),
            "changed" => parts.Replace(signature[20..24], signature[20] == 'A' ? "BBBB" : "AAAA", StringComparison.Ordinal),
            "moved" => parts.Replace("get_weather", "get_time", StringComparison.Ordinal),
            _ => parts.Replace(signature, "skip_thought_signature_validator", StringComparison.Ordinal),
        };
        Assert.NotEqual(parts, sent);
        Reply reply = await SendAsync(Chat, Follow(sent));
        Assert.Equal(message is null ? HttpStatusCode.OK : HttpStatusCode.BadRequest, reply.Status);
        if (message is not null)
        {
            JsonElement error = reply.Json.GetProperty("error");
            Assert.Equal("INVALID_ARGUMENT", error.GetProperty("status").GetString());
            Assert.Contains(message, error.GetProperty("message").GetString()!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Thoughts_AskedFor_AreShownCountedAndBilled()
    {
        Reply shown = await SendAsync(Stream, Body("Explain lighthouses", """ "generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"HIGH"}},"""));
        Assert.Contains(shown.Chunks, static chunk => Parts(chunk).Any(static part => part.TryGetProperty("thought", out _)));
        JsonElement usage = shown.Chunks[^1].GetProperty("usageMetadata");
        Assert.True(usage.GetProperty("thoughtsTokenCount").GetInt64() > 3);
        Assert.Equal(Output(usage), (await LastRowAsync()).OutputTokens);
    }

    [Theory]
    [InlineData(""" "zz":1 """, "Unknown name \"zz\"")]
    [InlineData(""" "generationConfig":{"maxTokens":1} """, "Unknown name \"maxTokens\" at 'generation_config'")]
    [InlineData(""" "generationConfig":{"temperature":"hot"} """, "'generation_config.temperature' (TYPE_FLOAT)")]
    [InlineData(""" "generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","additionalProperties":false}} """, "additionalProperties")]
    [InlineData(""" "generationConfig":{"thinkingConfig":{"thinkingBudget":5,"thinkingLevel":"LOW"}} """, "only one of thinking budget")]
    [InlineData(""" "tools":[{"functionDeclarations":[{"name":"a b"}]}] """, "Invalid function name")]
    public async Task Request_OfAnotherForm_IsRefused(string more, string message)
    {
        Reply reply = await SendAsync(Chat, $$"""{{{more}},"contents":[{"parts":[{"text":"Hi"}]}]}""");
        Assert.Equal(HttpStatusCode.BadRequest, reply.Status);
        Assert.Contains(message, reply.Json.GetProperty("error").GetProperty("message").GetString()!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"role":"model","parts":[{"functionCall":{"name":"a","args":{}}}]}""", "number of function response parts")]
    [InlineData("""{"role":"user","parts":[{"functionResponse":{"name":"a","response":{}}}]}""", "immediately after a function call turn")]
    [InlineData("""{"role":"user","parts":[{}]}""", "required oneof field 'data'")]
    [InlineData("""{"role":"user","parts":[]}""", "must not be empty")]
    [InlineData("""{"role":"tool","parts":[{"text":"a"}]}""", "valid role")]
    [InlineData("""{"role":"user","parts":[{"inlineData":{"mimeType":"application/pdf","data":"AAAA"}}]}""", "no pages")]
    public async Task Contents_ThatDoNotFit_AreRefused(string content, string message)
    {
        Reply reply = await SendAsync(Chat, $$"""{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{{content}}]}""");
        Assert.Equal(HttpStatusCode.BadRequest, reply.Status);
        Assert.Contains(message, reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusal_OfThePrompt_IsAnAnswerWithoutCandidates()
    {
        Reply reply = await SendAsync(Chat, Body("Please refuse this"));
        Assert.Equal("PROHIBITED_CONTENT", reply.Json.GetProperty("promptFeedback").GetProperty("blockReason").GetString());
        Assert.False(reply.Json.TryGetProperty("candidates", out _));
        Assert.Equal(0, (await LastRowAsync()).OutputTokens);
    }

    [Fact]
    public async Task Key_WrongOrMissing_IsRefusedAsGoogleDoes()
    {
        Reply wrong = await _sandbox.SendAsync("gemini", Chat, Body("Hi"), ("x-goog-api-key", "wrong"));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.Status);
        Assert.Equal("API_KEY_INVALID", wrong.Json.GetProperty("error").GetProperty("details")[0].GetProperty("reason").GetString());
        Reply missing = await _sandbox.SendAsync("gemini", Chat, Body("Hi"), ("x-goog-api-key", ""));
        Assert.Equal(HttpStatusCode.Forbidden, missing.Status);
        Reply inQuery = await _sandbox.SendAsync("gemini", $"{Chat}?key={_sandbox.Host.Platforms["gemini"].ApiKey}", Body("Hi"), ("x-goog-api-key", ""));
        Assert.Equal(HttpStatusCode.OK, inQuery.Status);
    }

    [Fact]
    public async Task Count_OfBothForms_IsThePromptsUsage()
    {
        long billed = (await SendAsync(Chat, Body("How many?"))).Json.GetProperty("usageMetadata").GetProperty("promptTokenCount").GetInt64();
        const string Path = "/v1beta/models/gemini-3.5-flash:countTokens";
        Assert.Equal(billed, (await SendAsync(Path, Body("How many?"))).Json.GetProperty("totalTokens").GetInt64());
        string nested = $$"""{"generateContentRequest":{"model":"models/gemini-3.5-flash",{{Body("How many?")[1..]}}}""";
        Assert.Equal(billed, (await SendAsync(Path, nested)).Json.GetProperty("totalTokens").GetInt64());
    }

    [Fact]
    public async Task Embeddings_OfABatch_AreThoseOfEachAndCostTheirTokens()
    {
        Reply one = await SendAsync("/v1beta/models/gemini-embedding-2:embedContent", """{"content":{"parts":[{"text":"tides"}]},"outputDimensionality":8}""");
        Reply batch = await SendAsync(
            "/v1beta/models/gemini-embedding-2:batchEmbedContents",
            """{"requests":[{"model":"models/gemini-embedding-2","content":{"parts":[{"text":"tides"}]},"output_dimensionality":8},{"model":"models/gemini-embedding-2","content":{"parts":[{"text":"ships"}]}}]}""");
        Assert.Equal(one.Json.GetProperty("embedding").ToString(), batch.Json.GetProperty("embeddings")[0].ToString());
        Assert.Equal(3072, batch.Json.GetProperty("embeddings")[1].GetProperty("values").GetArrayLength());
        Assert.Equal((await LastRowAsync()).InputTokens, batch.Json.GetProperty("usageMetadata").GetProperty("promptTokenCount").GetInt64());
        Reply wrong = await SendAsync("/v1beta/models/gemini-3.5-flash:embedContent", """{"content":{"parts":[{"text":"a"}]}}""");
        Assert.Equal(HttpStatusCode.NotFound, wrong.Status);
    }

    [Theory]
    [InlineData(FaultKind.RateLimit, 429, "RESOURCE_EXHAUSTED", "\"retryDelay\":\"7s\"")]
    [InlineData(FaultKind.Quota, 429, "RESOURCE_EXHAUSTED", "PerDay")]
    [InlineData(FaultKind.Error500, 500, "INTERNAL", "internal error")]
    [InlineData(FaultKind.Error503, 503, "UNAVAILABLE", "unavailable")]
    [InlineData(FaultKind.Overloaded529, 503, "UNAVAILABLE", "overloaded")]
    public async Task StatusFaults_HaveGooglesForm(FaultKind kind, int status, string word, string part)
    {
        _sandbox.Host.Faults.Add(new FaultRule { Platform = "gemini", Kind = kind, RetryAfter = TimeSpan.FromSeconds(7) });
        Reply reply = await SendAsync(Chat, Body("Hi"));
        Assert.Equal((status, word), ((int)reply.Status, reply.Json.GetProperty("error").GetProperty("status").GetString()));
        Assert.Contains(part, reply.Text, StringComparison.Ordinal);
        Assert.False(reply.Headers.ContainsKey("Retry-After"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task StreamFaults_EndInGooglesErrorOrWithoutAFinish(bool isArray)
    {
        string path = isArray ? Stream.Split('?')[0] : Stream;
        _sandbox.Host.Faults.Add(new FaultRule { Platform = "gemini", Kind = FaultKind.StreamErrorFirst, Count = 1 });
        _sandbox.Host.Faults.Add(new FaultRule { Platform = "gemini", Kind = FaultKind.StreamErrorAfter, AfterEvents = 2, Count = 1 });
        _sandbox.Host.Faults.Add(new FaultRule { Platform = "gemini", Kind = FaultKind.NeverFinishes, Count = 1 });
        JsonElement[] first = Chunks(await SendAsync(path, Body("Explain tides")), isArray);
        JsonElement[] after = Chunks(await SendAsync(path, Body("Explain tides")), isArray);
        Assert.Equal(503, Assert.Single(first).GetProperty("error").GetProperty("code").GetInt32());
        Assert.Equal(3, after.Length);
        Assert.True(after[2].TryGetProperty("error", out _));
        Reply never = await SendAsync(path, Body("Explain tides"));
        Assert.DoesNotContain("finishReason", never.Text, StringComparison.Ordinal);
        Assert.Equal(("never-finishes", null), ((await LastRowAsync()).Outcome, (await LastRowAsync()).Finish));
    }

    [Fact]
    public async Task Models_Listed_AreFoundByTheirNames()
    {
        Reply list = await _sandbox.SendAsync("gemini", "/v1beta/models");
        Assert.Contains("models/gemini-3.5-flash", list.Json.GetProperty("models").EnumerateArray().Select(static model => model.GetProperty("name").GetString()));
        Assert.Equal("models/gemini-2.5-flash", (await _sandbox.SendAsync("gemini", "/v1beta/models/gemini-2.5-flash")).Json.GetProperty("name").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await _sandbox.SendAsync("gemini", "/v1beta/models/none")).Status);
    }

    private static JsonElement[] Chunks(Reply reply, bool isArray) => isArray ? [.. reply.Json.EnumerateArray()] : [.. reply.Chunks];

    private static string Body(string prompt, string more = "") => $$"""{{{more}}"contents":[{"role":"user","parts":[{"text":{{JsonSerializer.Serialize(prompt)}}}]}]}""";

    private static string Follow(string parts) => $$$"""
        {"contents":[{"role":"user","parts":[{"text":"What is the weather in Paris and London?"}]},{"role":"model","parts":{{{parts}}} },{"role":"user","parts":[{{{Result(parts, 0)}}},{{{Result(parts, 1)}}}]}],{{{Weather}}} }
        """;

    private static string Result(string parts, int index)
    {
        JsonElement call = JsonDocument.Parse(parts).RootElement[index].GetProperty("functionCall");
        return $$$"""{"functionResponse":{"id":{{{call.GetProperty("id").GetRawText()}}},"name":{{{call.GetProperty("name").GetRawText()}}},"response":{"output":"Rain here"} } }""";
    }

    private async Task<JsonElement> CallsAsync()
    {
        Reply reply = await SendAsync(Chat, Body("What is the weather in Paris and London?", Weather + ","));
        Assert.Equal("STOP", Candidate(reply.Json).GetProperty("finishReason").GetString());
        return Candidate(reply.Json).GetProperty("content").GetProperty("parts");
    }

    private static JsonElement Candidate(JsonElement answer) => answer.GetProperty("candidates")[0];

    private static IEnumerable<JsonElement> Parts(JsonElement answer) => Candidate(answer).GetProperty("content").GetProperty("parts").EnumerateArray();

    private static string TextOf(JsonElement answer) => string.Concat(Parts(answer).Select(static part => part.TryGetProperty("text", out JsonElement text) ? text.GetString() : ""));

    private static long Output(JsonElement usage) =>
        usage.GetProperty("candidatesTokenCount").GetInt64() + (usage.TryGetProperty("thoughtsTokenCount", out JsonElement thoughts) ? thoughts.GetInt64() : 0);

    private Task<Reply> SendAsync(string path, string body) => _sandbox.SendAsync("gemini", path, body);

    private async Task<BillingRow> LastRowAsync()
    {
        await _sandbox.Host.Billing.FlushAsync();
        return _sandbox.Host.Billing.Rows[^1];
    }
}
