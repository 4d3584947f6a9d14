using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Ballast.Ledger;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>What is passed on beside chat: routed, accounted and failed over like chat.</summary>
[Collection("Faults")]
public sealed class OperationsTests : IAsyncLifetime
{
    private RawUpstream _broken = null!;
    private FaultGateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _broken = new RawUpstream(static async visit =>
        {
            if (visit.Body.Contains("cut after", StringComparison.Ordinal))
            {
                await visit.WriteAsync("HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 1000\r\n\r\n0123456789");
                visit.Reset();
                return;
            }

            await visit.RespondAsync("503 Service Unavailable", "content-type: application/json\r\n", """{"error":{"message":"away","type":"server_error"}}""");
        });
        _gateway = await FaultGateway.StartAsync(new FaultSetup
        {
            Raw = [("broken", "openai-compatible", _broken)],
            Models =
            [
                ("vectors", ["broken/text-embedding-3-small=text-embedding-3-small", "openai/text-embedding-3-small=text-embedding-3-small", "azure/text-embedding-3-small=text-embedding-3-small"]),
                ("mixed-vectors", ["broken/other-model=other-model", "openai/text-embedding-3-small=text-embedding-3-small"]),
                ("pictures", ["broken/p=p", "openai/gpt-image-1-mini=gpt-image-1-mini"]),
                ("voice", ["broken/v=v", "openai/gpt-4o-mini-tts=gpt-4o-mini-tts"]),
                ("scribe", ["broken/s=s", "openai/gpt-4o-mini-transcribe=gpt-4o-mini-transcribe"]),
                ("moderator", ["openai/omni-moderation-latest=omni-moderation-latest"]),
                ("old", ["openai/gpt-3.5-turbo-instruct=gpt-3.5-turbo-instruct"]),
                ("claude", ["anthropic/claude-haiku-4-5=claude-haiku-4-5"]),
            ],
            Limits = ["retry_floor: 10000", "breaker_failures: 1000"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _broken.DisposeAsync();
    }

    [Theory]
    [InlineData("/v1/embeddings")]
    [InlineData("/openai/v1/embeddings")]
    [InlineData("/openai/deployments/vectors/embeddings?api-version=2024-10-21")]
    public async Task Embeddings_FirstIsDown_ComeFromTheSameModelElsewhere(string path)
    {
        using HttpResponseMessage answer = await PostAsync(path, """{"model":"vectors","input":["one text","another"],"dimensions":16}""");

        JsonElement root = await JsonAsync(answer);
        Assert.Equal(2, root.GetProperty("data").GetArrayLength());
        Assert.Equal(16, root.GetProperty("data")[0].GetProperty("embedding").GetArrayLength());
        LedgerEntry[] rows = await RowsAsync(answer);
        Assert.Equal(["broken/text-embedding-3-small", "openai/text-embedding-3-small"], rows.Select(row => row.Deployment));
        Assert.Equal(("embeddings", root.GetProperty("usage").GetProperty("prompt_tokens").GetInt64(), false), (rows[1].Operation, rows[1].InputTokens, rows[1].IsEstimated));
    }

    [Fact]
    public async Task Embeddings_FirstIsDown_NeverComeFromAnotherModel()
    {
        using HttpResponseMessage answer = await PostAsync("/v1/embeddings", """{"model":"mixed-vectors","input":"one"}""");

        Assert.Equal(503, (int)answer.StatusCode);
        Assert.Equal(["broken/other-model"], (await RowsAsync(answer)).Select(row => row.Deployment));
    }

    [Theory]
    [InlineData("/v1/embeddings", """{"model":"claude","input":"one"}""")]
    [InlineData("/v1/images/generations", """{"model":"claude","prompt":"one"}""")]
    public async Task Operation_NoDeploymentOffersIt_IsRefusedInWords(string path, string body)
    {
        using HttpResponseMessage answer = await PostAsync(path, body);

        Assert.Equal(501, (int)answer.StatusCode);
        Assert.Equal("ballast_operation_not_offered", (await JsonAsync(answer, isError: true)).GetProperty("error").GetProperty("code").GetString());
        Assert.Empty(await RowsAsync(answer));
    }

    [Fact]
    public async Task Images_FirstIsDown_AreDrawnElsewhereAndAccounted()
    {
        using HttpResponseMessage answer = await PostAsync("/v1/images/generations", """{"model":"pictures","prompt":"a harbour","size":"1024x1024"}""");

        Assert.NotEmpty((await JsonAsync(answer)).GetProperty("data")[0].GetProperty("b64_json").GetBytesFromBase64());
        LedgerEntry row = (await RowsAsync(answer))[^1];
        Assert.Equal(("image_generations", 272, AttemptOutcome.Completed), (row.Operation, row.OutputTokens, row.Outcome));
    }

    [Fact]
    public async Task Speech_Whole_ArrivesByteForByte()
    {
        using HttpResponseMessage answer = await PostAsync("/v1/audio/speech", """{"model":"voice","input":"hello","voice":"alloy"}""");

        byte[] sound = await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        Assert.Equal("audio/mpeg", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(Enumerable.Range(0, 8).SelectMany(block => Enumerable.Repeat((byte)block, 4096)), sound);
        Assert.Equal("speech", (await RowsAsync(answer))[^1].Operation);
    }

    [Fact]
    public async Task Speech_CutAfterItsFirstBytes_EndsInACutConnectionAndNoFalseEnd()
    {
        using HttpResponseMessage answer = await PostAsync("/v1/audio/speech", """{"model":"voice","input":"cut after","voice":"alloy"}""", HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal(200, (int)answer.StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal(AttemptOutcome.Interrupted, (await RowsAsync(answer)).Single().Outcome);
    }

    [Fact]
    public async Task Transcription_FirstIsDown_TheFormGoesOnWithAnotherModel()
    {
        using MultipartFormDataContent form = new("some-boundary");
        form.Add(new ByteArrayContent(Encoding.ASCII.GetBytes("RIFF\r\n--other\r\n0000")) { Headers = { ContentType = new MediaTypeHeaderValue("audio/wav") } }, "\"file\"", "\"a.wav\"");
        form.Add(new StringContent("scribe"), "\"model\"");
        using HttpResponseMessage answer = await SendAsync("/v1/audio/transcriptions", form);

        Assert.Equal("19 bytes of sound.", (await JsonAsync(answer)).GetProperty("text").GetString());
        LedgerEntry row = (await RowsAsync(answer))[^1];
        Assert.Equal(("transcriptions", 19, 5), (row.Operation, row.InputTokens, row.OutputTokens));
    }

    /// <summary>OpenAI's own examples name no model.</summary>
    [Theory]
    [InlineData("""{"model":"moderator","input":"kill the process"}""")]
    [InlineData("""{"input":"kill the process"}""")]
    public async Task Moderation_OneText_IsJudged(string body)
    {
        using HttpResponseMessage answer = await PostAsync("/v1/moderations", body);

        Assert.Equal("openai/omni-moderation-latest", answer.Headers.GetValues("x-ballast-deployment").Single());
        Assert.True((await JsonAsync(answer)).GetProperty("results")[0].GetProperty("flagged").GetBoolean());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Completion_OldForm_IsPassedOnAndAccounted(bool stream)
    {
        using HttpResponseMessage answer = await PostAsync("/v1/completions", $$"""{"model":"old","prompt":"once","stream":{{(stream ? "true" : "false")}}}""");

        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(stream, text.EndsWith("data: [DONE]\n\n", StringComparison.Ordinal));
        Assert.Equal(stream ? "text/event-stream" : "application/json", answer.Content.Headers.ContentType?.MediaType);
        LedgerEntry row = (await RowsAsync(answer)).Single();
        Assert.Equal(("completions", 3, false), (row.Operation, row.OutputTokens, row.IsEstimated));
    }

    private Task<HttpResponseMessage> PostAsync(string path, string body, HttpCompletionOption until = HttpCompletionOption.ResponseContentRead) =>
        SendAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), until);

    private async Task<HttpResponseMessage> SendAsync(string path, HttpContent content, HttpCompletionOption until = HttpCompletionOption.ResponseContentRead)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, path) { Content = content };
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {FaultSetup.Key}");
        return await _gateway.Http.SendAsync(request, until, TestContext.Current.CancellationToken);
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage answer, bool isError = false)
    {
        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode != isError, text);
        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private async Task<LedgerEntry[]> RowsAsync(HttpResponseMessage answer)
    {
        string id = answer.Headers.GetValues("x-ballast-request-id").Single();
        return [.. (await _gateway.SettleAsync()).Where(entry => entry.ExchangeId == id).OrderBy(entry => entry.AttemptNumber)];
    }
}
