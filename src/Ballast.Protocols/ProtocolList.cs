using Ballast.Protocols.AnthropicMessages;
using Ballast.Protocols.OpenAIChat;

namespace Ballast.Protocols;

/// <summary>All protocols that Ballast speaks: the one visible list.</summary>
public static class ProtocolList
{
    public static Protocol OpenAIChat { get; } = new OpenAIChatProtocol();

    public static Protocol AnthropicMessages { get; } = new AnthropicMessagesProtocol();

    public static IReadOnlyList<Protocol> All { get; } = [OpenAIChat, AnthropicMessages];

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
