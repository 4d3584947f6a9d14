using System.Net;
using System.Net.Sockets;
using System.Text;
using Ballast.Server;

namespace Ballast.Tests.Server;

public sealed class AdminHandlerTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("/", "text/html; charset=utf-8")]
    [InlineData("/page.css", "text/css; charset=utf-8")]
    [InlineData("/page.js", "text/javascript; charset=utf-8")]
    [InlineData("/balance.js", "text/javascript; charset=utf-8")]
    [InlineData("/live.json", "application/json")]
    [InlineData("/health", "text/plain; charset=utf-8")]
    [InlineData("/ready", "text/plain; charset=utf-8")]
    [InlineData("/metrics", "text/plain; version=0.0.4; charset=utf-8")]
    public async Task HandleAsync_EveryPath_AnswersGetAndHeadAlike(string path, string contentType)
    {
        using HttpResponseMessage get = await _server.SendAsync(HttpMethod.Get, path);
        using HttpResponseMessage head = await _server.SendAsync(HttpMethod.Head, path);
        byte[] body = await get.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (get.StatusCode, head.StatusCode));
        Assert.Equal((contentType, contentType), (get.Content.Headers.ContentType!.ToString(), head.Content.Headers.ContentType!.ToString()));
        Assert.NotEmpty(body);
        Assert.Equal(body.Length, get.Content.Headers.ContentLength);
        Assert.True(head.Content.Headers.ContentLength > 0);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal("nosniff", Assert.Single(get.Headers.GetValues("x-content-type-options")));
        Assert.Equal("no-store", get.Headers.CacheControl!.ToString());
        Assert.Equal("same-origin", Assert.Single(get.Headers.GetValues("cross-origin-resource-policy")));
    }

    [Fact]
    public async Task HandleAsync_ThePage_LetsNothingElsewhereOrInlineRun()
    {
        using HttpResponseMessage page = await _server.SendAsync(HttpMethod.Get, "/");
        string html = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
            Assert.Single(page.Headers.GetValues("content-security-policy")));
        Assert.DoesNotContain("<style", html, StringComparison.Ordinal);
        Assert.DoesNotContain(" style=", html, StringComparison.Ordinal);
        Assert.DoesNotMatch("<script(?! src=\"/(balance|page).js\" defer></script>)", html);
        Assert.DoesNotMatch("(href|src)=\"(https?:)?//", html);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    [InlineData("OPTIONS")]
    public async Task HandleAsync_MethodThatWrites_IsRefused(string method)
    {
        using HttpResponseMessage response = await _server.SendAsync(new HttpMethod(method), "/live.json");

        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(["GET", "HEAD"], response.Content.Headers.Allow);
    }

    [Theory]
    [InlineData("evil.example", false)]
    [InlineData("evil.example:8081", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("192.168.1.7:8081", false)]
    [InlineData("0.0.0.0:8081", false)]
    [InlineData("[fe80::1]:8081", false)]
    [InlineData("localhost", true)]
    [InlineData("LocalHost:9999", true)]
    [InlineData("127.0.0.1:1", true)]
    [InlineData("127.8.9.10", true)]
    [InlineData("[::1]:8081", true)]
    public async Task HandleAsync_HostName_IsTakenOnlyIfLoopback(string host, bool isTaken)
    {
        using HttpResponseMessage response = await _server.SendAsync(HttpMethod.Get, "/live.json", host);

        Assert.Equal(isTaken ? HttpStatusCode.OK : HttpStatusCode.MisdirectedRequest, response.StatusCode);
        if (!isTaken)
        {
            Assert.Contains("loopback", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task HandleAsync_UnknownPath_NamesWhatIsServed()
    {
        using HttpResponseMessage response = await _server.SendAsync(HttpMethod.Get, "/admin");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("/live.json", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    /// <summary>A request that is still being sent holds the drain open: the port goes on answering, and says that nothing new is taken.</summary>
    [Fact]
    public async Task HandleAsync_WhileDraining_IsNotReadyAndStaysHealthy()
    {
        using TcpClient slow = new();
        await slow.ConnectAsync(IPAddress.Loopback, _server.Server.Address.Port, TestContext.Current.CancellationToken);
        await slow.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes($"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-api-key: {TestServer.Key}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{"),
            TestContext.Current.CancellationToken);
        while (_server.Server.Guard.Running == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        using HttpResponseMessage before = await _server.SendAsync(HttpMethod.Get, "/ready");
        Task draining = _server.Server.DisposeAsync().AsTask();
        using HttpResponseMessage during = await _server.SendAsync(HttpMethod.Get, "/ready");
        using HttpResponseMessage health = await _server.SendAsync(HttpMethod.Get, "/health");
        slow.Close();
        await draining;

        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, during.StatusCode);
        Assert.Equal("draining\n", await during.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [Fact]
    public async Task StartAsync_AdministrationBeyondLoopback_IsRefused()
    {
        ServerSetup setup = new()
        {
            Catalog = _server.Server.Catalog,
            Listen = new Uri("http://127.0.0.1:0"),
            Admin = new Uri("http://0.0.0.0:0"),
            LedgerPath = "never-opened.db",
        };

        await Assert.ThrowsAsync<ArgumentException>(() => BallastServer.StartAsync(setup, TestContext.Current.CancellationToken));
    }
}
