using System.Net;
using System.Net.Sockets;
using System.Text;
using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>Clients that begin in HTTP/2 on the port in clear text, as the AWS SDKs do, are served like all others.</summary>
public sealed class Http2Tests(GatewayFixture gateways)
{
    private const string Body = """{"model":"openai/gpt-5-mini","messages":[{"role":"user","content":"Say hello"}],"stream":true}""";

    [Fact]
    public async Task Stream_PriorKnowledge_IsAnsweredInHttp2()
    {
        using HttpClient client = NewClient();
        using HttpRequestMessage request = NewRequest();

        using HttpResponseMessage response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), (response.StatusCode, response.Version));
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        string id = response.Headers.GetValues("x-ballast-request-id").Single();
        Assert.Single(await gateways.Fast.EntriesOfAsync(id));
    }

    [Fact]
    public async Task Requests_ManyAtOnceOnOneConnection_AllGetTheirAnswers()
    {
        using HttpClient client = NewClient();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ =>
        {
            using HttpRequestMessage request = NewRequest();
            using HttpResponseMessage response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }));
    }

    [Fact]
    public async Task Preface_ByteByByte_IsTheSamePreface()
    {
        using Socket socket = await ConnectAsync();
        foreach (byte one in Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"))
        {
            await socket.SendAsync(new[] { one }, TestContext.Current.CancellationToken);
        }

        byte[] answer = new byte[9];
        Assert.True(await socket.ReceiveAsync(answer, TestContext.Current.CancellationToken) >= 9);
        Assert.Equal(4, answer[3]); // SETTINGS, RFC 9113 6.5
    }

    [Theory]
    [InlineData("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")]
    [InlineData("PRI * HTTP/1.1\r\n\r\n")]
    public async Task Preface_Almost_IsABadRequestOfHttp1(string text)
    {
        using Socket socket = await ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);

        byte[] answer = new byte[64];
        int read = await socket.ReceiveAsync(answer, TestContext.Current.CancellationToken);

        Assert.Matches("^HTTP/1.1 (400|404|405|505) ", Encoding.ASCII.GetString(answer, 0, read));
    }

    private static HttpClient NewClient() => new(new SocketsHttpHandler { UseProxy = false });

    private HttpRequestMessage NewRequest()
    {
        HttpRequestMessage request = new(HttpMethod.Post, new Uri(gateways.Fast.Server.Address, "/v1/chat/completions"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new StringContent(Body, Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + gateways.Fast.KeyOf("raw"));
        return request;
    }

    private async Task<Socket> ConnectAsync()
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, gateways.Fast.Server.Address.Port, TestContext.Current.CancellationToken);
        return socket;
    }
}
