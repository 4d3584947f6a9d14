using Ballast.Protocols.Conversation;

namespace Ballast.Protocols;

/// <summary>Input that breaks its protocol. The error may be shown to the caller; the message repeats no more of the input than a field's name.</summary>
public sealed class ProtocolException(ChatError error) : Exception(error.Message)
{
    public ChatError Error { get; } = error;

    public static ProtocolException Invalid(string message, string? param = null) =>
        new(new ChatError(ChatErrorKind.InvalidRequest, message) { Param = param });
}
