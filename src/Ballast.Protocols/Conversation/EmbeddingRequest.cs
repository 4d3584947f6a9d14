namespace Ballast.Protocols.Conversation;

/// <summary>What the vectors are for: models that tell queries from documents need it.</summary>
public enum EmbeddingPurpose
{
    Query,
    Document,
    Classification,
    Clustering,

    /// <summary>A word that only one vendor knows.</summary>
    Other,
}

/// <summary>One thing to make a vector of: a text, or tokens of the model's own tokenizer as raw JSON.</summary>
public readonly record struct EmbeddingInput(string? Text, RawJson Tokens, string Pointer);

/// <summary>A request for embeddings, free of any protocol; <see cref="ChatRequest.Embedding"/> holds it.</summary>
public sealed record EmbeddingRequest
{
    public required IReadOnlyList<EmbeddingInput> Inputs { get; init; }
    public Setting<long>? Dimensions { get; init; }

    /// <summary>What the vectors are for, as one of the words that vendors share; the raw word is in <see cref="PurposeWord"/>.</summary>
    public Setting<EmbeddingPurpose>? Purpose { get; init; }

    /// <summary>The caller's own word for <see cref="Purpose"/>.</summary>
    public string? PurposeWord { get; init; }

    /// <summary>The caller wants vectors as base64 of little-endian floats (OpenAI).</summary>
    public bool IsBase64 { get; init; }

    /// <summary>A title of the document (Gemini).</summary>
    public Setting<string>? Title { get; init; }
}

/// <summary>The vector of one input, by the input's place in the request.</summary>
public sealed record Embedded(int Index, ReadOnlyMemory<float> Vector) : ChatEvent;
