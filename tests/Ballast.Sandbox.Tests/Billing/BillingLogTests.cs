using System.Text.Json;

namespace Ballast.Sandbox.Tests.Billing;

public sealed class BillingLogTests : IAsyncLifetime
{
    private static readonly Dictionary<string, string> IdHeaders = new()
    {
        ["openai"] = "x-request-id",
        ["azure"] = "apim-request-id",
        ["bedrock"] = "x-amzn-requestid",
        ["anthropic"] = "request-id",
        ["local"] = "x-request-id",
    };

    private readonly TestSandbox _sandbox = new();

    public static TheoryData<string> Platforms => [.. IdHeaders.Keys];

    public ValueTask InitializeAsync() => _sandbox.InitializeAsync();

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Rows_WholeAnswer_AgreeWithItsUsageAndId(string platform)
    {
        Reply reply = await _sandbox.SendAsync(
            platform, TestSandbox.ChatPath(platform), _sandbox.ChatBody(platform), ("x-client-request-id", "mine-1"));
        await _sandbox.Host.Billing.FlushAsync();
        BillingRow row = Assert.Single(_sandbox.Host.Billing.Rows);
        JsonElement usage = reply.Json.GetProperty("usage");
        bool isAnthropic = platform == "anthropic";
        Assert.Equal(usage.GetProperty(isAnthropic ? "input_tokens" : "prompt_tokens").GetInt64(), row.InputTokens);
        Assert.Equal(usage.GetProperty(isAnthropic ? "output_tokens" : "completion_tokens").GetInt64(), row.OutputTokens);
        Assert.Equal(reply.Headers[IdHeaders[platform]], row.RequestId);
        Assert.Equal(("mine-1", platform, "completed", 200, false), (row.ClientRequestId, row.Platform, row.Outcome, row.Status, row.Stream));
        Assert.Equal(isAnthropic ? "end_turn" : "stop", row.Finish);
        Assert.Equal(_sandbox.Host.Platforms[platform].Models[0].Name, row.Model);
        Assert.InRange(row.OutputTokens, 4, 400);
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Rows_Stream_CostWhatTheWholeAnswerCosts(string platform)
    {
        await _sandbox.ChatAsync(platform, _sandbox.ChatBody(platform));
        await _sandbox.ChatAsync(platform, _sandbox.ChatBody(platform, more: "\"stream\":true,"));
        await _sandbox.Host.Billing.FlushAsync();
        BillingRow[] rows = [.. _sandbox.Host.Billing.Rows];
        Assert.Equal([false, true], rows.Select(row => row.Stream));
        Assert.Equal((rows[0].InputTokens, rows[0].OutputTokens), (rows[1].InputTokens, rows[1].OutputTokens));
    }

    [Fact]
    public async Task Rows_ClientHangsUp_AreCancelledAndCheaper()
    {
        await using SandboxHost host = await SandboxHost.StartAsync(
            new SandboxOptions { BasePort = 0, LatencyScale = 0.3 }, TestContext.Current.CancellationToken);
        SandboxPlatform openai = host.Platforms["openai"];
        using (HttpRequestMessage request = new(HttpMethod.Post, new Uri(openai.Address, "/v1/chat/completions")))
        {
            request.Headers.Add("Authorization", "Bearer " + openai.ApiKey);
            request.Content = new StringContent(
                """{"model":"gpt-5.2","stream":true,"messages":[{"role":"user","content":"Write 900 words on tides"}]}""");
            using HttpResponseMessage response = await _sandbox.Http.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            await using Stream body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            Assert.NotEqual(0, await body.ReadAsync(new byte[100], TestContext.Current.CancellationToken));
        }

        await host.Billing.FlushAsync();
        BillingRow row = Assert.Single(host.Billing.Rows);
        Assert.Equal(("cancelled", null), (row.Outcome, row.Finish));
        Assert.InRange(row.OutputTokens, 0, 900);
    }

    [Fact]
    public async Task Read_FileOfTwoRuns_HoldsEveryRowOnce()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            for (int run = 0; run < 2; run++)
            {
                await using SandboxHost host = await SandboxHost.StartAsync(
                    new SandboxOptions { BasePort = 0, LatencyScale = 0, BillingLogPath = path }, TestContext.Current.CancellationToken);
                SandboxPlatform local = host.Platforms["local"];
                using HttpRequestMessage request = new(HttpMethod.Get, new Uri(local.Address, "/v1/models"));
                request.Headers.Add("Authorization", "Bearer " + local.ApiKey);
                using HttpResponseMessage response = await _sandbox.Http.SendAsync(request, TestContext.Current.CancellationToken);
                await host.Billing.FlushAsync();
                Assert.Equal(host.Billing.Rows, BillingLog.Read(path).Skip(run));
            }

            Assert.Equal(2, BillingLog.Read(path).Select(row => row.RequestId).Distinct().Count());
            await File.AppendAllTextAsync(path, "{\"time\":\"2026", TestContext.Current.CancellationToken);
            Assert.Equal(2, BillingLog.Read(path).Count);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Rows_UnknownPath_AreErrorsToo()
    {
        Reply reply = await _sandbox.SendAsync("openai", "/v1/nowhere", "{}");
        Assert.Equal(404, (int)reply.Status);
        await _sandbox.Host.Billing.FlushAsync();
        Assert.Equal(("/v1/nowhere", "error"), (_sandbox.Host.Billing.Rows[0].Path, _sandbox.Host.Billing.Rows[0].Outcome));
    }
}
