using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Ballast.Sandbox.Tests.Faults;

public sealed class FaultTests : IAsyncLifetime
{
    private static readonly string[] Names = ["openai", "azure", "bedrock", "anthropic", "local"];

    private readonly TestSandbox _sandbox = new();

    public static TheoryData<string> Platforms => [.. Names];

    public ValueTask InitializeAsync() => _sandbox.InitializeAsync();

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Refuse_AnyRequest_IsResetBeforeAnyByte(string platform)
    {
        Add(platform, FaultKind.Refuse);
        await Assert.ThrowsAsync<HttpRequestException>(() => _sandbox.ChatAsync(platform, _sandbox.ChatBody(platform)));
        AssertRow("refuse", 0, outputTokens: 0);
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Cut_Stream_EndsInMidEventAndIsBilledSoFar(string platform)
    {
        Add(platform, FaultKind.Cut, afterEvents: 4);
        string text = await ReadUntilBrokenAsync(platform, stream: true);
        Assert.Equal(4, CountEvents(text));
        Assert.False(text.EndsWith("\n\n", StringComparison.Ordinal));
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
        BillingRow row = await LastRowAsync();
        Assert.Equal(("cut", 200, null), (row.Outcome, row.Status, row.Finish));
        Assert.InRange(row.OutputTokens, 1, 20);
        Assert.True(row.InputTokens > 0);
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Reset_Stream_EndsBetweenEvents(string platform)
    {
        Add(platform, FaultKind.Reset, afterEvents: 4);
        string text = await ReadUntilBrokenAsync(platform, stream: true);
        Assert.Equal(4, CountEvents(text));
        Assert.EndsWith("\n\n", text, StringComparison.Ordinal);
        AssertRow("reset", 200);
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Reset_WholeAnswer_EndsInTheMiddle(string platform)
    {
        Add(platform, FaultKind.Reset);
        string text = await ReadUntilBrokenAsync(platform, stream: false);
        Assert.NotEmpty(text);
        Assert.ThrowsAny<JsonException>(() => JsonDocument.Parse(text));
        AssertRow("reset", 200);
    }

    [Theory]
    [InlineData("openai", FaultKind.Blackhole)]
    [InlineData("anthropic", FaultKind.Blackhole)]
    public async Task Blackhole_AnyRequest_IsNeverAnswered(string platform, FaultKind kind)
    {
        Add(platform, kind);
        using CancellationTokenSource patience = new(TimeSpan.FromMilliseconds(300));
        using HttpRequestMessage request = _sandbox.NewRequest(
            platform, HttpMethod.Post, TestSandbox.ChatPath(platform), _sandbox.ChatBody(platform));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _sandbox.Http.SendAsync(request, patience.Token));
        AssertRow("blackhole", 0, outputTokens: 0);
    }

    [Fact]
    public async Task SlowFirstByte_Answer_ComesAfterTheDelay()
    {
        _sandbox.Host.Faults.Add(new FaultRule
        {
            Platform = "openai", Kind = FaultKind.SlowFirstByte, Delay = TimeSpan.FromMilliseconds(300),
        });
        Stopwatch watch = Stopwatch.StartNew();
        Reply reply = await _sandbox.ChatAsync("openai", _sandbox.ChatBody("openai"));
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.InRange(watch.ElapsedMilliseconds, 290, 5000);
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Stall_Stream_StaysOpenWithoutMore(string platform)
    {
        Add(platform, FaultKind.Stall, afterEvents: 2);
        using HttpRequestMessage request = _sandbox.NewRequest(
            platform, HttpMethod.Post, TestSandbox.ChatPath(platform), _sandbox.ChatBody(platform, more: "\"stream\":true,"));
        using HttpResponseMessage response = await _sandbox.Http.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        StringBuilder text = new();
        using CancellationTokenSource patience = new(TimeSpan.FromMilliseconds(400));
        await using Stream body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        byte[] buffer = new byte[4096];
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (true)
            {
                int read = await body.ReadAsync(buffer, patience.Token);
                Assert.NotEqual(0, read);
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
            }
        });
        Assert.Equal(2, CountEvents(text.ToString()));
    }

    [Theory]
    [InlineData("openai", FaultKind.RateLimit, 429, "rate_limit_exceeded")]
    [InlineData("openai", FaultKind.Quota, 429, "insufficient_quota")]
    [InlineData("openai", FaultKind.Error500, 500, "server_error")]
    [InlineData("openai", FaultKind.Error503, 503, "server_error")]
    [InlineData("azure", FaultKind.RateLimit, 429, "exceeded rate limit")]
    [InlineData("azure", FaultKind.Quota, 429, "insufficient_quota")]
    [InlineData("azure", FaultKind.Error500, 500, "InternalServerError")]
    [InlineData("bedrock", FaultKind.RateLimit, 429, "Too many requests")]
    [InlineData("bedrock", FaultKind.Error503, 503, "Bedrock is unable")]
    [InlineData("anthropic", FaultKind.RateLimit, 429, "rate_limit_error")]
    [InlineData("anthropic", FaultKind.Quota, 402, "billing_error")]
    [InlineData("anthropic", FaultKind.Error500, 500, "api_error")]
    [InlineData("anthropic", FaultKind.Overloaded529, 529, "overloaded_error")]
    [InlineData("local", FaultKind.Error500, 500, "InternalServerError")]
    [InlineData("local", FaultKind.Overloaded529, 529, "ServiceUnavailableError")]
    public async Task StatusFaults_AnyRequest_HaveTheVendorsBody(string platform, FaultKind kind, int status, string part)
    {
        Add(platform, kind);
        Reply reply = await _sandbox.ChatAsync(platform, _sandbox.ChatBody(platform));
        Assert.Equal(status, (int)reply.Status);
        Assert.Contains(part, reply.Text, StringComparison.Ordinal);
        Assert.Equal("application/json", reply.Headers["Content-Type"]);
        Assert.False(reply.Headers.ContainsKey("Retry-After"));
        AssertRow(FaultKindNames.NameOf(kind), status, outputTokens: 0);
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task RateLimit_WithRetryAfter_TellsItInSeconds(string platform)
    {
        _sandbox.Host.Faults.Add(new FaultRule { Platform = platform, Kind = FaultKind.RateLimit, RetryAfter = TimeSpan.FromSeconds(7) });
        Reply reply = await _sandbox.ChatAsync(platform, _sandbox.ChatBody(platform));
        Assert.Equal("7", reply.Headers["Retry-After"]);
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task StreamErrorFirst_Stream_BeginsWithTheVendorsError(string platform)
    {
        Add(platform, FaultKind.StreamErrorFirst);
        Reply reply = await _sandbox.ChatAsync(platform, _sandbox.ChatBody(platform, more: "\"stream\":true,"));
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        (string? name, string data) = Assert.Single(reply.Events);
        Assert.Equal(platform == "anthropic" ? "error" : null, name);
        Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(data).RootElement.GetProperty("error").ValueKind);
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task StreamErrorAfter_Stream_EndsWithTheVendorsError(string platform)
    {
        Add(platform, FaultKind.StreamErrorAfter, afterEvents: 5);
        Reply reply = await _sandbox.ChatAsync(platform, _sandbox.ChatBody(platform, more: "\"stream\":true,"));
        Assert.Equal(6, reply.Events.Count);
        Assert.Contains("\"error\"", reply.Events[^1].Data, StringComparison.Ordinal);
        Assert.DoesNotContain("\"error\"", reply.Events[^2].Data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HtmlError_AnyRequest_IsAPageOf502()
    {
        Add("azure", FaultKind.HtmlError);
        Reply reply = await _sandbox.ChatAsync("azure", _sandbox.ChatBody("azure"));
        Assert.Equal((HttpStatusCode.BadGateway, "text/html"), (reply.Status, reply.Headers["Content-Type"]));
        Assert.StartsWith("<!DOCTYPE html>", reply.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WrongContentType_Answer_IsValidUnderTextPlain(bool stream)
    {
        Add("openai", FaultKind.WrongContentType);
        Reply reply = await _sandbox.ChatAsync("openai", _sandbox.ChatBody("openai", more: stream ? "\"stream\":true," : ""));
        Assert.Equal("text/plain; charset=utf-8", reply.Headers["Content-Type"]);
        Assert.True(stream ? reply.Events[^1].Data == "[DONE]" : reply.Message.GetProperty("content").GetString()!.Length > 0);
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task MissingUsage_Answer_HasNoneButIsBilled(string platform)
    {
        Add(platform, FaultKind.MissingUsage);
        string stream = platform == "anthropic" ? "\"stream\":true," : "\"stream\":true,\"stream_options\":{\"include_usage\":true},";
        Reply whole = await _sandbox.ChatAsync(platform, _sandbox.ChatBody(platform));
        Reply streamed = await _sandbox.ChatAsync(platform, _sandbox.ChatBody(platform, more: stream));
        Assert.DoesNotContain("usage", whole.Text + streamed.Text, StringComparison.Ordinal);
        Assert.True((await LastRowAsync()).OutputTokens > 3);
    }

    [Fact]
    public async Task Empty200_AnyRequest_HasNoBody()
    {
        Add("local", FaultKind.Empty200);
        Reply reply = await _sandbox.ChatAsync("local", _sandbox.ChatBody("local"));
        Assert.Equal((HttpStatusCode.OK, ""), (reply.Status, reply.Text));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TruncatedJson_Answer_BreaksOffWithoutAReset(bool stream)
    {
        Add("openai", FaultKind.TruncatedJson);
        Reply reply = await _sandbox.ChatAsync("openai", _sandbox.ChatBody("openai", more: stream ? "\"stream\":true," : ""));
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        string last = stream ? reply.Events[^1].Data : reply.Text;
        Assert.ThrowsAny<JsonException>(() => JsonDocument.Parse(last));
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task NeverFinishes_Stream_EndsWithoutFinish(string platform)
    {
        Add(platform, FaultKind.NeverFinishes);
        Reply reply = await _sandbox.ChatAsync(platform, _sandbox.ChatBody(platform, more: "\"stream\":true,"));
        Assert.True(reply.Events.Count > 4);
        Assert.DoesNotContain("[DONE]", reply.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("message_stop", reply.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"finish_reason\":\"", reply.Text, StringComparison.Ordinal);
        BillingRow row = await LastRowAsync();
        Assert.Equal(("never-finishes", null), (row.Outcome, row.Finish));
    }

    [Fact]
    public async Task Redirect_AnyRequest_PointsToAnotherHost()
    {
        Add("openai", FaultKind.Redirect);
        Reply reply = await _sandbox.ChatAsync("openai", _sandbox.ChatBody("openai"));
        Assert.Equal(HttpStatusCode.TemporaryRedirect, reply.Status);
        Assert.Equal("http://redirected.invalid/v1/chat/completions", reply.Headers["Location"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HugeLine_Answer_HoldsALineOfThatLength(bool stream)
    {
        Add("openai", FaultKind.HugeLine, afterEvents: 1);
        Reply reply = await _sandbox.ChatAsync("openai", _sandbox.ChatBody("openai", more: stream ? "\"stream\":true," : ""));
        Assert.Contains(reply.Text.Split('\n'), line => line.Length >= FaultRule.HugeLineBytes);
    }

    [Fact]
    public async Task Rule_CountModelPathAndBody_LimitWhereItApplies()
    {
        _sandbox.Host.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.Forbidden403, BodyContains = "\"user\":\"nobody\"" });
        _sandbox.Host.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.Error500, Model = "gpt-5-mini" });
        _sandbox.Host.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.Error503, PathContains = "/embeddings" });
        _sandbox.Host.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.Overloaded529, Count = 1 });
        string body = _sandbox.ChatBody("openai");
        Assert.Equal(403, (int)(await _sandbox.ChatAsync("openai", _sandbox.ChatBody("openai", more: "\"user\":\"nobody\","))).Status);
        Assert.Equal(529, (int)(await _sandbox.ChatAsync("openai", body)).Status);
        Assert.Equal(200, (int)(await _sandbox.ChatAsync("openai", body)).Status);
        Assert.Equal(500, (int)(await _sandbox.ChatAsync("openai", body.Replace("gpt-5.2", "gpt-5-mini", StringComparison.Ordinal))).Status);
        Assert.Equal(503, (int)(await _sandbox.SendAsync("openai", "/v1/embeddings", """{"model":"text-embedding-3-small","input":"a"}""")).Status);
    }

    [Fact]
    public void Take_Probability_IsSeeded()
    {
        string Draw()
        {
            FaultBook book = new(5);
            book.Add(new FaultRule { Platform = "*", Kind = FaultKind.Error500, Probability = 0.3 });
            return string.Concat(Enumerable.Range(0, 200).Select(_ => book.Take("openai", null, "/", []) is null ? '.' : 'x'));
        }

        Assert.Equal(Draw(), Draw());
        Assert.InRange(Draw().Count(mark => mark == 'x'), 35, 85);
    }

    private static int CountEvents(string text) => text.Split("\n\n").Length - 1;

    private void Add(string platform, FaultKind kind, int afterEvents = 3) =>
        _sandbox.Host.Faults.Add(new FaultRule { Platform = platform, Kind = kind, AfterEvents = afterEvents });

    private async Task<BillingRow> LastRowAsync()
    {
        await _sandbox.Host.Billing.FlushAsync();
        return _sandbox.Host.Billing.Rows[^1];
    }

    private void AssertRow(string outcome, int status, long? outputTokens = null)
    {
        _sandbox.Host.Billing.FlushAsync().GetAwaiter().GetResult();
        BillingRow row = Assert.Single(_sandbox.Host.Billing.Rows);
        Assert.Equal((outcome, status), (row.Outcome, row.Status));
        Assert.Equal(outputTokens ?? row.OutputTokens, row.OutputTokens);
    }

    private async Task<string> ReadUntilBrokenAsync(string platform, bool stream)
    {
        using HttpRequestMessage request = _sandbox.NewRequest(
            platform, HttpMethod.Post, TestSandbox.ChatPath(platform), _sandbox.ChatBody(platform, more: stream ? "\"stream\":true," : ""));
        using HttpResponseMessage response = await _sandbox.Http.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        await using Stream body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        StringBuilder text = new();
        byte[] buffer = new byte[4096];
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            int read;
            while ((read = await body.ReadAsync(buffer, TestContext.Current.CancellationToken)) > 0)
            {
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
            }
        });
        return text.ToString();
    }
}
