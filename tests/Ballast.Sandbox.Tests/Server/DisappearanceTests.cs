using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ballast.Sandbox.Tests.Server;

public sealed class DisappearanceTests : IAsyncLifetime
{
    private readonly TestSandbox _sandbox = new();

    public ValueTask InitializeAsync() => _sandbox.InitializeAsync();

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task DisappearAsync_NewConnect_IsRefusedAndOthersGoOn()
    {
        await _sandbox.Host.DisappearAsync("azure");
        HttpRequestException fault = await Assert.ThrowsAsync<HttpRequestException>(
            () => _sandbox.ChatAsync("azure", _sandbox.ChatBody("azure")));
        SocketException socket = Assert.IsType<SocketException>(fault.InnerException);
        Assert.Equal(SocketError.ConnectionRefused, socket.SocketErrorCode);
        Assert.Equal(HttpStatusCode.OK, (await _sandbox.ChatAsync("openai", _sandbox.ChatBody("openai"))).Status);
        Assert.DoesNotContain(_sandbox.Host.Billing.Rows, row => row.Platform == "azure");
    }

    [Fact]
    public async Task DisappearAsync_IdleKeptConnection_IsGone()
    {
        await _sandbox.ChatAsync("azure", _sandbox.ChatBody("azure"));
        await _sandbox.Host.DisappearAsync("azure");
        await Assert.ThrowsAsync<HttpRequestException>(() => _sandbox.ChatAsync("azure", _sandbox.ChatBody("azure")));
    }

    [Theory]
    [InlineData("azure")]
    [InlineData("anthropic")]
    public async Task DisappearAsync_RunningStream_IsCutInMidEventAndBilledSoFar(string platform)
    {
        await using SandboxHost host = await SandboxHost.StartAsync(
            new SandboxOptions { BasePort = 0, LatencyScale = 0.5 }, TestContext.Current.CancellationToken);
        SandboxPlatform target = host.Platforms[platform];
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(target.Address, TestSandbox.ChatPath(platform)))
        {
            Content = new StringContent(
                $$"""{"model":"{{target.Models[0].Name}}","max_tokens":2000,"stream":true,"messages":[{"role":"user","content":"Write 800 words on tides"}]}"""),
        };
        request.Headers.Add(platform == "azure" ? "api-key" : "x-api-key", target.ApiKey);
        request.Headers.Add("anthropic-version", "2023-06-01");
        using HttpResponseMessage response = await _sandbox.Http.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        await using Stream body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        StringBuilder text = new();
        byte[] buffer = new byte[8192];
        Task? gone = null;
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            int read;
            while ((read = await body.ReadAsync(buffer, TestContext.Current.CancellationToken)) > 0)
            {
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
                gone ??= host.DisappearAsync(platform);
            }
        });
        await gone!;
        Assert.False(text.ToString().EndsWith("\n\n", StringComparison.Ordinal), "the last event is whole");
        await host.Billing.FlushAsync();
        BillingRow row = Assert.Single(host.Billing.Rows);
        Assert.Equal(("cut", 200, null), (row.Outcome, row.Status, row.Finish));
        Assert.InRange(row.OutputTokens, 0, 700);
    }

    [Fact]
    public async Task ReturnAsync_AfterDisappearing_ListensOnTheSamePort()
    {
        Uri before = _sandbox.Host.Platforms["azure"].Address;
        await _sandbox.Host.DisappearAsync("azure");
        await _sandbox.Host.DisappearAsync("azure");
        await _sandbox.Host.ReturnAsync("azure");
        await _sandbox.Host.ReturnAsync("azure");
        Assert.Equal(before, _sandbox.Host.Platforms["azure"].Address);
        Assert.Equal(HttpStatusCode.OK, (await _sandbox.ChatAsync("azure", _sandbox.ChatBody("azure"))).Status);
    }

    [Fact]
    public async Task DisappearAsync_UnknownPlatform_Throws() =>
        await Assert.ThrowsAsync<KeyNotFoundException>(() => _sandbox.Host.DisappearAsync("mars"));

    [Fact]
    public async Task Streams_TwoHundredAtOnce_AllEndWell()
    {
        string body = _sandbox.ChatBody("openai", "Write 60 words on tides", "\"stream\":true,");
        Reply[] replies = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => _sandbox.ChatAsync("openai", body)));
        Assert.All(replies, reply => Assert.Equal("[DONE]", reply.Events[^1].Data));
        Assert.Single(replies.Select(SandboxHostTests.StreamedText).Distinct());
        await _sandbox.Host.Billing.FlushAsync();
        Assert.Equal(200, _sandbox.Host.Billing.Rows.Select(row => row.RequestId).Distinct().Count());
    }
}
