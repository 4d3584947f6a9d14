using System.Text.Json;

namespace Ballast.Sandbox.Tests.Responses;

/// <summary>Every kind of fault befalls the Responses API as it does chat.</summary>
public sealed class ResponsesFaultTests : IAsyncLifetime
{
    private readonly TestSandbox _sandbox = new();

    public ValueTask InitializeAsync() => _sandbox.InitializeAsync();

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    private Task<Reply> AskAsync(bool stream) =>
        _sandbox.SendAsync("openai", "/v1/responses", $"{{\"model\":\"gpt-5-mini\",\"stream\":{(stream ? "true" : "false")},\"input\":\"Tell me about tides\"}}");

    private void Add(FaultKind kind) => _sandbox.Host.Faults.Add(new FaultRule { Platform = "openai", Kind = kind, PathContains = "/responses", AfterEvents = 5 });

    [Theory]
    [InlineData(FaultKind.StreamErrorFirst, 0)]
    [InlineData(FaultKind.StreamErrorAfter, 5)]
    public async Task StreamError_Stream_EndsWithANumberedError(FaultKind kind, int number)
    {
        Add(kind);
        Reply reply = await AskAsync(stream: true);
        Assert.Equal(number + 1, reply.Events.Count);
        Assert.Equal("error", reply.Events[^1].Name);
        Assert.Equal(number, reply.Chunks[^1].GetProperty("sequence_number").GetInt32());
        Assert.Equal("server_error", reply.Chunks[^1].GetProperty("error").GetProperty("type").GetString());
    }

    [Fact]
    public async Task NeverFinishes_Stream_HasNoTerminalEvent()
    {
        Add(FaultKind.NeverFinishes);
        Reply reply = await AskAsync(stream: true);
        Assert.True(reply.Events.Count > 6);
        Assert.DoesNotContain("response.completed", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MissingUsage_Answer_HasNone()
    {
        Add(FaultKind.MissingUsage);
        Assert.Equal(JsonValueKind.Null, (await AskAsync(stream: false)).Json.GetProperty("usage").ValueKind);
        Assert.Equal(JsonValueKind.Null, (await AskAsync(stream: true)).Chunks[^1].GetProperty("response").GetProperty("usage").ValueKind);
    }

    [Theory]
    [InlineData(FaultKind.RateLimit, 429, "rate_limit_exceeded")]
    [InlineData(FaultKind.Quota, 429, "insufficient_quota")]
    [InlineData(FaultKind.Error500, 500, "server_error")]
    [InlineData(FaultKind.Error503, 503, "server_error")]
    [InlineData(FaultKind.HtmlError, 502, "<!DOCTYPE html>")]
    public async Task StatusFault_AnyRequest_HasTheVendorsBody(FaultKind kind, int status, string part)
    {
        Add(kind);
        Reply reply = await AskAsync(stream: true);
        Assert.Equal(status, (int)reply.Status);
        Assert.Contains(part, reply.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FaultKind.Cut)]
    [InlineData(FaultKind.Reset)]
    [InlineData(FaultKind.Refuse)]
    public async Task Broken_Stream_EndsWithTheConnection(FaultKind kind)
    {
        Add(kind);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => AskAsync(stream: true));
        await _sandbox.Host.Billing.FlushAsync();
        Assert.Equal(FaultKindNames.NameOf(kind), Assert.Single(_sandbox.Host.Billing.Rows).Outcome);
    }
}
