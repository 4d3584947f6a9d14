using System.Net;
using System.Text.Json;

namespace Ballast.Sandbox.Tests.Google;

/// <summary>Vertex AI: two publishers under one address, tokens instead of keys, and Claude's bodies in the cloud's form.</summary>
public sealed class VertexTests : IAsyncLifetime
{
    private const string Place = "/v1/projects/sandbox-project/locations/europe-west1/publishers/";
    private const string Gemini = Place + "google/models/gemini-2.5-flash:generateContent";
    private const string Body = """{"contents":[{"role":"user","parts":[{"text":"Explain tides"}]}]}""";
    private const string Claude = """{"anthropic_version":"vertex-2023-10-16","max_tokens":500,"messages":[{"role":"user","content":"Explain tides"}]}""";

    private readonly TestSandbox _sandbox = new();

    public ValueTask InitializeAsync() => _sandbox.InitializeAsync();

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task Gemini_WithAToken_AnswersAndBills()
    {
        Reply reply = await _sandbox.SendAsync("vertex", Gemini, Body);
        Assert.Equal("ON_DEMAND", reply.Json.GetProperty("usageMetadata").GetProperty("trafficType").GetString());
        await _sandbox.Host.Billing.FlushAsync();
        BillingRow row = Assert.Single(_sandbox.Host.Billing.Rows);
        Assert.Equal(("vertex", "gemini-2.5-flash", "STOP"), (row.Platform, row.Model, row.Finish));
    }

    [Theory]
    [InlineData("claude-haiku-4-5@20251001:rawPredict", false)]
    [InlineData("claude-haiku-4-5:streamRawPredict", true)]
    public async Task Claude_InTheCloudsForm_AnswersAsAnthropicDoes(string model, bool streams)
    {
        Reply reply = await _sandbox.SendAsync("vertex", Place + "anthropic/models/" + model, Claude);
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal("message_stop", streams ? reply.Events[^1].Name : reply.Json.GetProperty("type").GetString() + "_stop");
        await _sandbox.Host.Billing.FlushAsync();
        Assert.Equal((model.Split(':')[0], streams), (_sandbox.Host.Billing.Rows[0].Model, _sandbox.Host.Billing.Rows[0].Stream));
    }

    [Theory]
    [InlineData("""{"max_tokens":5,"messages":[{"role":"user","content":"a"}]}""", "anthropic_version")]
    [InlineData("""{"model":"claude-haiku-4-5","anthropic_version":"vertex-2023-10-16","max_tokens":5,"messages":[{"role":"user","content":"a"}]}""", "model")]
    public async Task Claude_InAnthropicsForm_IsRefused(string body, string field)
    {
        Reply reply = await _sandbox.SendAsync("vertex", Place + "anthropic/models/claude-haiku-4-5:rawPredict", body);
        Assert.Equal(HttpStatusCode.BadRequest, reply.Status);
        Assert.StartsWith(field, reply.Json.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Counts_OfBothPublishers_AreGivenAtTheirOwnPaths()
    {
        Reply gemini = await _sandbox.SendAsync("vertex", Place + "google/models/gemini-2.5-flash:countTokens", Body);
        Assert.True(gemini.Json.GetProperty("totalBillableCharacters").GetInt64() > 5);
        Reply claude = await _sandbox.SendAsync(
            "vertex", Place + "anthropic/models/count-tokens:rawPredict", """{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"How many?"}]}""");
        Assert.True(claude.Json.GetProperty("input_tokens").GetInt64() > 3);
    }

    [Fact]
    public async Task Embeddings_OfTheOlderModel_ComeOneByOneFromPredict()
    {
        const string Path = Place + "google/models/gemini-embedding-001:";
        Reply one = await _sandbox.SendAsync("vertex", Path + "predict", """{"instances":[{"content":"tides","task_type":"RETRIEVAL_QUERY"}],"parameters":{"outputDimensionality":8}}""");
        JsonElement made = one.Json.GetProperty("predictions")[0].GetProperty("embeddings");
        Assert.Equal(8, made.GetProperty("values").GetArrayLength());
        await _sandbox.Host.Billing.FlushAsync();
        Assert.Equal(_sandbox.Host.Billing.Rows[0].InputTokens, made.GetProperty("statistics").GetProperty("token_count").GetInt64());
        Assert.Equal(HttpStatusCode.BadRequest, (await _sandbox.SendAsync("vertex", Path + "predict", """{"instances":[{"content":"a"},{"content":"b"}]}""")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await _sandbox.SendAsync("vertex", Path + "embedContent", """{"content":{"parts":[{"text":"a"}]}}""")).Status);
        Reply newer = await _sandbox.SendAsync("vertex", Place + "google/models/gemini-embedding-2:embedContent", """{"content":{"parts":[{"text":"tides"}]}}""");
        Assert.Equal(3072, newer.Json.GetProperty("embedding").GetProperty("values").GetArrayLength());
    }

    [Fact]
    public async Task Credentials_OfAnotherKind_AreRefused()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await _sandbox.SendAsync("vertex", Gemini, Body, ("Authorization", "Bearer ya29.no.token"))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _sandbox.SendAsync("vertex", Gemini, Body, ("Authorization", ""))).Status);
        string key = _sandbox.Host.Platforms["vertex"].ApiKey;
        Assert.Equal(HttpStatusCode.Unauthorized, (await _sandbox.SendAsync("vertex", Gemini, Body, ("Authorization", ""), ("x-goog-api-key", key))).Status);
        const string WithoutProject = "/v1/publishers/google/models/gemini-2.5-flash:generateContent";
        Assert.Equal(HttpStatusCode.OK, (await _sandbox.SendAsync("vertex", WithoutProject, Body, ("Authorization", ""), ("x-goog-api-key", key))).Status);
        Reply elsewhere = await _sandbox.SendAsync("vertex", Gemini.Replace("sandbox-project", "other", StringComparison.Ordinal), Body);
        Assert.Equal((HttpStatusCode.Forbidden, "PERMISSION_DENIED"), (elsewhere.Status, elsewhere.Json.GetProperty("error").GetProperty("status").GetString()));
    }

    [Fact]
    public async Task Faults_AtClaude_AreThePlatformsOrAnthropicsOwn()
    {
        _sandbox.Host.Faults.Add(new FaultRule { Platform = "vertex", Kind = FaultKind.Overloaded529, Count = 1 });
        _sandbox.Host.Faults.Add(new FaultRule { Platform = "vertex", Kind = FaultKind.RateLimit, Count = 1 });
        Reply overloaded = await _sandbox.SendAsync("vertex", Place + "anthropic/models/claude-haiku-4-5:rawPredict", Claude);
        Reply limited = await _sandbox.SendAsync("vertex", Place + "anthropic/models/claude-haiku-4-5:rawPredict", Claude);
        Assert.Equal((529, "overloaded_error"), ((int)overloaded.Status, overloaded.Json.GetProperty("error").GetProperty("type").GetString()));
        Assert.Equal((429, "RESOURCE_EXHAUSTED"), ((int)limited.Status, limited.Json.GetProperty("error").GetProperty("status").GetString()));
    }
}
