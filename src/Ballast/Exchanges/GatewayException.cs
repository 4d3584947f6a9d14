using Ballast.Protocols.Conversation;

namespace Ballast.Exchanges;

/// <summary>A request that cannot go on. Carries what the client is told; nothing else of it leaves the house.</summary>
public class GatewayException(ChatError error, string code) : Exception(error.Message)
{
    public GatewayException(GatewayError error, string? detail = null, string? param = null)
        : this(error.ToChatError(detail, param), error.Code)
    {
    }

    public ChatError Error { get; } = error;

    /// <summary>For log and metrics.</summary>
    public string Code { get; } = code;

    /// <summary>How long the request may wait here for the cause to pass, before it is refused; zero where it may not.</summary>
    public TimeSpan WaitMax { get; init; }
}
