namespace Ballast.Protocols;

/// <summary>What a protocol is for. Within a family any caller can be answered from any deployment, by translation; across families never.</summary>
public enum ProtocolFamily
{
    /// <summary>Conversations with a model.</summary>
    Chat,

    /// <summary>Vectors for texts. Those of different models cannot be compared, so that a fallback stays with the model.</summary>
    Embeddings,

    /// <summary>Everything else that is only passed on: images, sound, moderations, reranking, legacy completions.</summary>
    Opaque,
}
