namespace Ballast.Protocols.Conversation;

/// <summary>
/// A chat request free of any protocol. Every field that at least two protocols share has a place here; everything else is an <see cref="Extra"/>.
/// </summary>
public sealed record ChatRequest
{
    /// <summary>Name of the protocol it was read from (<see cref="Protocol.Name"/>); <see cref="Extras"/> belong to that protocol.</summary>
    public required string SourceProtocol { get; init; }
    public required string Model { get; init; }
    public bool Stream { get; init; }

    /// <summary>The caller asked for usage inside the stream (OpenAI's <c>stream_options.include_usage</c>; always true where the protocol always sends it).</summary>
    public bool StreamUsage { get; init; }

    /// <summary>All turns in order. System and developer text are messages of their roles, wherever the protocol keeps them.</summary>
    public IReadOnlyList<Message> Messages { get; init; } = [];
    public IReadOnlyList<Tool> Tools { get; init; } = [];
    public ToolChoice? ToolChoice { get; init; }
    public Setting<bool>? ParallelToolCalls { get; init; }
    public Setting<long>? MaxOutputTokens { get; init; }
    public Setting<double>? Temperature { get; init; }
    public Setting<double>? TopP { get; init; }
    public Setting<long>? TopK { get; init; }
    public Setting<double>? PresencePenalty { get; init; }
    public Setting<double>? FrequencyPenalty { get; init; }
    public Setting<long>? Seed { get; init; }

    /// <summary>How many answers are wanted; only 1 can cross protocols.</summary>
    public Setting<long>? ChoiceCount { get; init; }
    public Setting<IReadOnlyList<string>>? StopSequences { get; init; }
    public ResponseFormat? ResponseFormat { get; init; }
    public ThinkingOptions? Thinking { get; init; }

    /// <summary>The caller's opaque id of its end user (OpenAI <c>user</c>/<c>safety_identifier</c>, Anthropic <c>metadata.user_id</c>).</summary>
    public Setting<string>? EndUser { get; init; }

    /// <summary>Vectors are asked for, not an answer; then there are no messages.</summary>
    public EmbeddingRequest? Embedding { get; init; }
    public IReadOnlyList<Extra> Extras { get; init; } = [];

    /// <summary>The body as it came, for a protocol that writes its own requests anew by changing as little of them as it can; empty for the others.</summary>
    public RawJson Source { get; init; }
}
