using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Ballast.Ledger;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Embeddings of Google's platforms: OpenAI's, Gemini's and Vertex AI's forms reach them, each by the path it has there, and no fallback leaves a model's family.</summary>
[Collection("Faults")]
public sealed class GoogleEmbeddingsTests : IAsyncLifetime
{
    private const string Batch =
        """{"requests":[{"model":"models/x","content":{"parts":[{"text":"tides"}]},"outputDimensionality":8},{"model":"models/x","content":{"parts":[{"text":"ships"}]},"outputDimensionality":8}]}""";

    private const string One = """{"content":{"parts":[{"text":"tides"}]},"outputDimensionality":8}""";

    private const string Predict = """{"instances":[{"content":"tides"}],"parameters":{"outputDimensionality":8}}""";

    private FaultGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await FaultGateway.StartAsync(new FaultSetup
    {
        Models =
        [
            ("g2", ["gemini/g2=gemini-embedding-2"]), ("g1", ["gemini/g1=gemini-embedding-001"]), ("v2", ["vertex/v2=gemini-embedding-2"]),
            ("v1", ["vertex/v1=gemini-embedding-001"]), ("both", ["gemini/same=gemini-embedding-2", "vertex/same=gemini-embedding-2"]),
            ("mixed", ["gemini/one=gemini-embedding-2", "openai/other=text-embedding-3-small"]),
        ],
        Limits = ["breaker_failures: 1000"],
    });

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [InlineData("g2", 2, ":batchEmbedContents")]
    [InlineData("g1", 2, ":batchEmbedContents")]
    [InlineData("v2", 1, "gemini-embedding-2:embedContent")]
    [InlineData("v1", 1, "gemini-embedding-001:predict")]
    public async Task OpenAIForm_AtEveryModel_GivesAVectorForEachText(string model, int texts, string path)
    {
        string input = string.Join(',', ((string[])["\"tides\"", "\"ships\""]).Take(texts));
        JsonNode answer = await AskAsync("/v1/embeddings", $$"""{"model":"{{model}}","input":[{{input}}],"dimensions":8}""");
        Assert.Equal(texts, answer["data"]!.AsArray().Count);
        Assert.Equal(8, answer["data"]![0]!["embedding"]!.AsArray().Count);
        BillingRow row = await BilledAsync();
        Assert.EndsWith(path, row.Path, StringComparison.Ordinal);
        LedgerEntry entry = Assert.Single(await _gateway.SettleAsync());

        // The Gemini API says nothing of what the first model's vectors cost.
        Assert.Equal(model == "g1", entry.IsEstimated);
        Assert.True(entry.IsEstimated ? entry.InputTokens >= row.InputTokens : entry.InputTokens == row.InputTokens, $"{entry.InputTokens} for {row.InputTokens}");
    }

    [Theory]
    [InlineData("/v1beta/models/g2:embedContent", One, ":embedContent")]
    [InlineData("/v1beta/models/g2:batchEmbedContents", Batch, ":batchEmbedContents")]
    [InlineData("/v1beta/models/v1:embedContent", One, ":predict")]
    [InlineData("/v1beta/models/v2:embedContent", One, ":embedContent")]
    [InlineData("/v1/projects/p/locations/l/publishers/google/models/v1:predict", Predict, ":predict")]
    [InlineData("/v1/projects/p/locations/l/publishers/google/models/g2:predict", Predict, ":batchEmbedContents")]
    [InlineData("/v1/projects/p/locations/l/publishers/google/models/v2:embedContent", One, ":embedContent")]
    public async Task GooglesForms_AtEveryModel_AnswerInTheirOwn(string path, string body, string asked)
    {
        JsonNode answer = await AskAsync(path, body);
        JsonNode vector = path.EndsWith(":predict", StringComparison.Ordinal) ? answer["predictions"]![0]!["embeddings"]!["values"]!
            : path.EndsWith(":embedContent", StringComparison.Ordinal) ? answer["embedding"]!["values"]!
            : answer["embeddings"]![1]!["values"]!;
        Assert.Equal(8, vector.AsArray().Count);
        Assert.EndsWith(asked, (await BilledAsync()).Path, StringComparison.Ordinal);
        await _gateway.ReconcileAsync();
    }

    [Fact]
    public async Task SeveralTexts_WhereOneIsTaken_AreRefusedAndNothingIsSent()
    {
        HttpResponseMessage answer = await SendAsync("/v1/embeddings", """{"model":"v2","input":["a","b"]}""");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("one text at a time", await TextAsync(answer), StringComparison.Ordinal);
        Assert.Empty(_gateway.Sandbox.Billing.Rows);
    }

    [Fact]
    public async Task Fallback_OfAFailedPlatform_StaysInTheFamily()
    {
        _gateway.Sandbox.Faults.Add(new FaultRule { Platform = "gemini", Kind = FaultKind.Error503 });
        JsonNode answer = await AskAsync("/v1/embeddings", """{"model":"both","input":"tides","dimensions":8}""");
        Assert.Equal(8, answer["data"]![0]!["embedding"]!.AsArray().Count);
        HttpResponseMessage crossing = await SendAsync("/v1/embeddings", """{"model":"mixed","input":"tides","dimensions":8}""");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, crossing.StatusCode);
        await _gateway.ReconcileAsync();
        Assert.DoesNotContain(_gateway.Sandbox.Billing.Rows, static row => row.Platform == "openai");
        Assert.Contains(_gateway.Sandbox.Billing.Rows, static row => row is { Platform: "vertex", Outcome: "completed" });
    }

    private async Task<BillingRow> BilledAsync()
    {
        await _gateway.SettleAsync();
        return Assert.Single(_gateway.Sandbox.Billing.Rows);
    }

    private async Task<JsonNode> AskAsync(string path, string body)
    {
        HttpResponseMessage answer = await SendAsync(path, body);
        string text = await TextAsync(answer);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }

    private Task<HttpResponseMessage> SendAsync(string path, string body)
    {
        HttpRequestMessage request = new(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("authorization", "Bearer " + FaultSetup.Key);
        return _gateway.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static Task<string> TextAsync(HttpResponseMessage answer) => answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
}
