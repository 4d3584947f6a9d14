using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Tests.OllamaChat;

public sealed class OllamaChatErrorTests
{
    [Theory]
    [InlineData(503, "server busy, please try again.  maximum pending requests exceeded", ChatErrorKind.Overloaded)]
    [InlineData(529, "server overloaded, please retry shortly", ChatErrorKind.Overloaded)]
    [InlineData(500, "model runner has unexpectedly stopped", ChatErrorKind.ServerError)]
    public void ReadError_Status_IsWhatItSays(int status, string message, ChatErrorKind kind) =>
        Assert.Equal(kind, ProtocolList.OllamaChat.ReadError(status, System.Text.Encoding.UTF8.GetBytes($$"""{"error":"{{message}}"}""")).Kind);
}
