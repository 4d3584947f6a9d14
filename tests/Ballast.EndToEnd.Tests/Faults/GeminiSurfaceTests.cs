using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Gemini's surface on the wire: model and streaming in the address, the key in three places, streams as events and as one array, errors in Google's form.</summary>
[Collection("Faults")]
public sealed class GeminiSurfaceTests : IAsyncLifetime
{
    private const string Body = """{"contents":[{"role":"user","parts":[{"text":"Hi"}]}],"zz":1}""";

    private const string Chunk =
        """{"candidates":[{"content":{"parts":[{"text":"Hel"}],"role":"model"},"index":0,"safetyRatings":[{"category":"C","probability":"LOW"}]}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1,"totalTokenCount":4},"modelVersion":"g","responseId":"r1"}""";

    private const string Last =
        """{"candidates":[{"content":{"parts":[{"text":"lo","thoughtSignature":"c2ln"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"thoughtsTokenCount":5,"totalTokenCount":10},"modelVersion":"g","responseId":"r1"}""";

    private const string ChatStream = """
        data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"},"finish_reason":null}]}

        data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}

        data: [DONE]


        """;

    private RawUpstream _gemini = null!;
    private RawUpstream _chat = null!;
    private FaultGateway _gateway = null!;
    private bool _cuts;

    public async ValueTask InitializeAsync()
    {
        _gemini = new RawUpstream(AnswerAsync);
        _chat = new RawUpstream(visit => visit.RespondAsync("200 OK", "content-type: text/event-stream\r\n", _cuts ? ChatStream[..(ChatStream.IndexOf("\n\n", StringComparison.Ordinal) + 2)] : ChatStream));
        _gateway = await FaultGateway.StartAsync(new FaultSetup
        {
            Raw = [("rawg", "gemini", _gemini), ("rawo", "openai-compatible", _chat)],
            Models = [("g", ["rawg/m=gemini-x"]), ("o", ["rawo/m=m"]), ("tuned", ["rawg/s=tunedModels/x"])],
            Limits = ["breaker_failures: 1000"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _gemini.DisposeAsync();
        await _chat.DisposeAsync();
    }

    [Theory]
    [InlineData("/v1beta/models/g:generateContent", "/v1beta/models/gemini-x:generateContent")]
    [InlineData("/v1/models/g:generateContent", "/v1beta/models/gemini-x:generateContent")]
    [InlineData("/v1beta/models/rawg%2Fs:generateContent", "/v1beta/tunedModels/x:generateContent")]
    [InlineData("/v1beta/models/rawg/s:generateContent", "/v1beta/tunedModels/x:generateContent")]
    [InlineData("/v1/projects/p/locations/global/publishers/google/models/g:generateContent", "/v1beta/models/gemini-x:generateContent")]
    [InlineData("/v1beta1/publishers/google/models/g:streamGenerateContent?alt=sse", "/v1beta/models/gemini-x:streamGenerateContent?alt=sse")]
    [InlineData("/v1beta/models/g:streamGenerateContent", "/v1beta/models/gemini-x:streamGenerateContent?alt=sse")]
    public async Task Path_OfEveryForm_ReachesTheModelWithTheCallersOwnBytes(string path, string upstream)
    {
        HttpResponseMessage answer = await SendAsync(path, Body);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(_gemini.Visits.TryDequeue(out RawVisit? visit));
        Assert.StartsWith($"POST {upstream} HTTP/1.1", visit.Head, StringComparison.Ordinal);
        Assert.Equal(Body, visit.Body);
        Assert.Contains("x-goog-api-key: ", visit.Head, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(FaultSetup.Key, visit.Head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_InTheQuery_IsTakenHereAloneAndNeverPassedOn()
    {
        HttpResponseMessage answer = await SendAsync($"/v1beta/models/g:streamGenerateContent?alt=sse&key={FaultSetup.Key}", Body, withKey: false);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(_gemini.Visits.TryDequeue(out RawVisit? visit));
        Assert.DoesNotContain(FaultSetup.Key, visit.Head, StringComparison.Ordinal);
        HttpResponseMessage refused = await SendAsync("/v1beta/models/g:generateContent?key=wrong", Body, withKey: false);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        JsonNode error = JsonNode.Parse(await TextAsync(refused))!["error"]!;
        Assert.Equal((401, "UNAUTHENTICATED"), ((int)error["code"]!, (string?)error["status"]));
        HttpResponseMessage elsewhere = await SendAsync($"/v1/chat/completions?key={FaultSetup.Key}", """{"model":"o","messages":[{"role":"user","content":"Hi"}]}""", withKey: false);
        Assert.Equal(HttpStatusCode.Unauthorized, elsewhere.StatusCode);
    }

    [Fact]
    public async Task Stream_AsEvents_IsPassedOnToTheByte()
    {
        HttpResponseMessage answer = await SendAsync("/v1beta/models/g:streamGenerateContent?alt=sse", Body);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal($"data: {Chunk}\r\n\r\ndata: {Last}\r\n\r\n", await TextAsync(answer));
        Ledger.LedgerEntry row = Assert.Single(await _gateway.SettleAsync());
        Assert.Equal((3, 7), (row.InputTokens, row.OutputTokens));
    }

    [Fact]
    public async Task Stream_AsArray_HoldsTheSameChunks()
    {
        HttpResponseMessage answer = await SendAsync("/v1beta/models/g:streamGenerateContent", Body);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal($"[{Chunk},\r\n{Last}]", await TextAsync(answer));
        HttpResponseMessage translated = await SendAsync("/v1beta/models/o:streamGenerateContent", Body);
        JsonArray chunks = JsonNode.Parse(await TextAsync(translated))!.AsArray();
        Assert.Equal("Hello", string.Concat(chunks.Select(chunk => (string?)chunk!["candidates"]![0]!["content"]!["parts"]![0]!["text"])));
        Assert.Equal("STOP", (string?)chunks[^1]!["candidates"]![0]!["finishReason"]);
    }

    [Fact]
    public async Task Stream_CutAfterContent_EndsInAnErrorAndNoFinish()
    {
        _cuts = true;
        foreach (string model in (string[])["g", "o"])
        {
            JsonArray chunks = JsonNode.Parse(await TextAsync(await SendAsync($"/v1beta/models/{model}:streamGenerateContent", Body)))!.AsArray();
            Assert.Equal("Hel", (string?)chunks[0]!["candidates"]![0]!["content"]!["parts"]![0]!["text"]);
            JsonNode error = chunks[^1]!["error"]!;
            Assert.Equal("UNAVAILABLE", (string?)error["status"]);
            Assert.DoesNotContain(chunks, chunk => chunk!["candidates"]?[0]!["finishReason"] is not null);
            string events = await TextAsync(await SendAsync($"/v1beta/models/{model}:streamGenerateContent?alt=sse", Body));
            Assert.StartsWith("data: {\"error\":", events[(events.LastIndexOf("data: ", StringComparison.Ordinal))..], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Models_OnThisSurface_AreListedInItsForm()
    {
        JsonNode list = JsonNode.Parse(await TextAsync(await SendAsync("/v1beta/models", null)))!;
        Assert.Contains("models/g", list["models"]!.AsArray().Select(model => (string?)model!["name"]));
        JsonNode one = JsonNode.Parse(await TextAsync(await SendAsync("/v1beta/models/g", null)))!;
        Assert.Equal("models/g", (string?)one["name"]);
    }

    private async Task AnswerAsync(RawVisit visit)
    {
        bool isStream = visit.Head.Contains(":streamGenerateContent", StringComparison.Ordinal);
        if (isStream)
        {
            await visit.RespondAsync("200 OK", "content-type: text/event-stream\r\n", $"data: {Chunk}\r\n\r\n" + (_cuts ? "" : $"data: {Last}\r\n\r\n"));
        }
        else
        {
            await visit.RespondAsync("200 OK", $"content-type: application/json\r\ncontent-length: {Encoding.UTF8.GetByteCount(Last)}\r\n", Last);
        }
    }

    private Task<HttpResponseMessage> SendAsync(string path, string? body, bool withKey = true)
    {
        HttpRequestMessage request = new(body is null ? HttpMethod.Get : HttpMethod.Post, path)
        {
            Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"),
        };
        if (withKey)
        {
            request.Headers.Add("x-goog-api-key", FaultSetup.Key);
        }

        return _gateway.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static Task<string> TextAsync(HttpResponseMessage answer) => answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
}
