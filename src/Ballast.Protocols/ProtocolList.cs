using Ballast.Protocols.AnthropicMessages;
using Ballast.Protocols.BedrockConverse;
using Ballast.Protocols.Clouds;
using Ballast.Protocols.CohereChat;
using Ballast.Protocols.Gemini;
using Ballast.Protocols.OllamaChat;
using Ballast.Protocols.OpenAIChat;
using Ballast.Protocols.OpenAIResponses;
using Ballast.Protocols.Operations;

namespace Ballast.Protocols;

/// <summary>All protocols that Ballast speaks: the one visible list. <see cref="All"/> are those of chat.</summary>
public static class ProtocolList
{
    public static Protocol OpenAIChat { get; } = new OpenAIChatProtocol();

    public static Protocol AnthropicMessages { get; } = new AnthropicMessagesProtocol();

    public static Protocol Gemini { get; } = new GeminiProtocol();

    public static Protocol BedrockConverse { get; } = new BedrockConverseProtocol();

    public static Protocol BedrockInvoke { get; } = new BedrockInvoke(AnthropicMessages, BedrockConverse);

    public static Protocol OpenAIResponses { get; } = new OpenAIResponsesProtocol();

    public static Protocol OllamaChat { get; } = new OllamaChatProtocol();

    public static Protocol CohereChat { get; } = new CohereChatProtocol();

    public static IReadOnlyList<Protocol> All { get; } = [OpenAIChat, AnthropicMessages, Gemini, BedrockConverse, BedrockInvoke, OpenAIResponses, OllamaChat, CohereChat];

    public static Protocol OpenAIEmbeddings { get; } = new OpenAIEmbeddings(OpenAIChat);

    public static Protocol CohereEmbeddings { get; } = new CohereEmbeddings(CohereChat);

    /// <summary>Several texts at once.</summary>
    public static Protocol GeminiEmbeddings { get; } = new GeminiEmbeddings(Gemini, isBatch: true);

    /// <summary>One text.</summary>
    public static Protocol GeminiEmbedding { get; } = new GeminiEmbeddings(Gemini, isBatch: false);

    public static Protocol VertexEmbeddings { get; } = new VertexEmbeddings(Gemini);

    public static Protocol Opaque { get; } = new OpaqueOperation(OpenAIChat);

    /// <summary>Protocols of what is not chat.</summary>
    public static IReadOnlyList<Protocol> Operations { get; } = [OpenAIEmbeddings, CohereEmbeddings, GeminiEmbeddings, GeminiEmbedding, VertexEmbeddings, Opaque];

    /// <summary>The protocol of that <see cref="Protocol.Name"/>, or null.</summary>
    public static Protocol? Find(string name)
    {
        foreach (IReadOnlyList<Protocol> list in (ReadOnlySpan<IReadOnlyList<Protocol>>)[All, Operations])
        {
            foreach (Protocol protocol in list)
            {
                if (protocol.Name == name)
                {
                    return protocol;
                }
            }
        }

        return null;
    }
}
