using Ballast.Protocols.AnthropicMessages;

namespace Ballast.Protocols;

/// <summary>All protocols that Ballast speaks: the one visible list.</summary>
public static class ProtocolList
{
    public static IReadOnlyList<Protocol> All { get; } = [new AnthropicMessagesProtocol()];

    /// <summary>The protocol of that <see cref="Protocol.Name"/>, or null.</summary>
    public static Protocol? Find(string name)
    {
        foreach (Protocol protocol in All)
        {
            if (protocol.Name == name)
            {
                return protocol;
            }
        }

        return null;
    }
}
