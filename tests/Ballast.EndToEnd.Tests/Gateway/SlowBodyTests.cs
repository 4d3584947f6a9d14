using System.Net.Sockets;
using System.Text;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Transport;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>Who begins a body and does not go on with it is told so in its own protocol, and let go.</summary>
public sealed class SlowBodyTests(GatewayFixture gateways)
{
    private static readonly (string Path, string Shape)[] s_callers =
    [
        ("/v1/chat/completions", """{"error":{"message":"""), ("/v1/responses", """{"error":{"message":"""), ("/v1/embeddings", """{"error":{"message":"""),
        ("/v1/messages", """{"type":"error","error":{"type":"invalid_request_error","""), ("/v1beta/models/assistant:generateContent", """{"error":{"code":408,"""),
        ("/model/assistant/converse", """{"__type":"ValidationException","""), ("/v2/chat", """{"id":"""), ("/api/chat", """{"error":"""),
    ];

    [Fact]
    public async Task Body_ComesTooSlowly_IsRefusedWith408InTheCallersProtocol()
    {
        Assert.SkipUnless(EventLoop.IsSupported, "Bodies are read by the framework here.");
        string[] answers = await Task.WhenAll(s_callers.SelectMany(caller => (string[])["Content-Length: 4000", "Transfer-Encoding: chunked"], (caller, length) => AskAsync(caller.Path, length)));
        foreach ((string answer, string shape) in answers.Zip(s_callers.SelectMany(static caller => (string[])[caller.Shape, caller.Shape])))
        {
            int end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            Assert.True(answer.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal) && end > 0, answer);
            Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.OrdinalIgnoreCase);
            string body = answer[(end + 4)..];
            Assert.StartsWith(shape, body, StringComparison.Ordinal);
            Assert.Contains("ballast_body_too_slow", body, StringComparison.Ordinal);
            Assert.Contains("Hint: ", body, StringComparison.Ordinal);
            string id = answer.Split("x-ballast-request-id: ")[1].Split("\r\n")[0];
            Assert.Contains(id, body, StringComparison.Ordinal);
            Assert.Contains("ballast_body_too_slow", await gateways.Fast.RefusalOfAsync(id), StringComparison.Ordinal);
        }
    }

    private async Task<string> AskAsync(string path, string length)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(gateways.Fast.Server.Address.Host, gateways.Fast.Server.Address.Port, cancellation);
        string key = gateways.Fast.KeyOf("raw");
        string start = length.StartsWith('C') ? "{\"model\":" : "9\r\n{\"model\":\r\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n{length}\r\n\r\n{start}"), cancellation);
        using NetworkStream stream = new(socket);
        using MemoryStream all = new();
        await stream.CopyToAsync(all, cancellation); // to its end: the connection is closed with the answer
        return Encoding.UTF8.GetString(all.ToArray());
    }
}
