using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Transport;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>Bytes that are no request: refused like everything else, with a code, a hint and an id that the log knows.</summary>
public sealed class HeadRefusalTests(GatewayFixture gateways)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET\r\n\r\n", 400)]
    [InlineData("POST /v1/messages HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400)]
    [InlineData("POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nBad Header: canary-of-a-head\r\n\r\n", 400)]
    [InlineData("POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 5\r\n\r\nHello", 400)]
    [InlineData("POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501)]
    [InlineData("GET / HTTP/3.7\r\nHost: h\r\n\r\n", 505)]
    public async Task Head_CannotBeRead_IsToldWithCodeHintAndId(string head, int status)
    {
        Assert.SkipUnless(EventLoop.IsSupported, "Heads are read by the framework here.");
        (string told, JsonElement body) = await AskAsync(head);

        Assert.StartsWith($"HTTP/1.1 {status} ", told, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: application/json\r\n", told, StringComparison.OrdinalIgnoreCase);
        JsonElement error = body.GetProperty("error");
        Assert.Equal("ballast_head_unreadable", error.GetProperty("code").GetString());
        Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
        Assert.Contains("Hint: ", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        string id = error.GetProperty("request_id").GetString()!;
        Assert.Contains($"\r\nx-request-id: {id}\r\n", told, StringComparison.OrdinalIgnoreCase);
        Assert.Contains($"\r\nx-ballast-request-id: {id}\r\n", told, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("ballast_head_unreadable", await gateways.Fast.RefusalOfAsync(id), StringComparison.Ordinal);
        Assert.DoesNotContain("canary", told + body, StringComparison.Ordinal);
    }

    private async Task<(string Head, JsonElement Body)> AskAsync(string text)
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(gateways.Fast.Server.Address.Host, gateways.Fast.Server.Address.Port, Cancellation);
        await socket.SendAsync(Encoding.ASCII.GetBytes(text), Cancellation);
        using NetworkStream stream = new(socket);
        using MemoryStream all = new();
        await stream.CopyToAsync(all, Cancellation); // to its end: the connection is closed with the answer
        string answer = Encoding.UTF8.GetString(all.ToArray());
        int end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        Assert.True(end > 0, answer);
        return (answer[..(end + 2)], JsonDocument.Parse(answer[(end + 4)..]).RootElement);
    }
}
