namespace Ballast.Protocols.Conversation;

/// <summary>
/// Tokens of one answer in disjoint classes, so that a price times each class adds up exactly once.
/// OpenAI counts cached tokens inside <c>prompt_tokens</c>, Anthropic counts them beside <c>input_tokens</c>: readers take them apart, writers join them again.
/// </summary>
public sealed record Usage
{
    /// <summary>Input tokens that were neither read from nor written to a cache.</summary>
    public long InputTokens { get; init; }
    public long CacheReadTokens { get; init; }

    /// <summary>Tokens written to a cache of short life (5 minutes).</summary>
    public long CacheWriteTokens { get; init; }

    /// <summary>Tokens written to a cache of long life (1 hour); not contained in <see cref="CacheWriteTokens"/>.</summary>
    public long CacheWriteLongTokens { get; init; }

    /// <summary>Output tokens; reasoning is contained.</summary>
    public long OutputTokens { get; init; }

    /// <summary>Reasoning tokens, contained in <see cref="OutputTokens"/>; null where the vendor does not tell.</summary>
    public long? ReasoningTokens { get; init; }

    /// <summary>What of it was sound, pictures and searches; null where nothing was.</summary>
    public MediaUsage? Media { get; init; }

    /// <summary>How soon it was answered, as the vendor says; it has a price of its own.</summary>
    public ServiceTier ServiceTier { get; init; }

    /// <summary>Counted by Ballast, not by the vendor.</summary>
    public bool IsEstimated { get; init; }

    public long TotalInputTokens => InputTokens + CacheReadTokens + CacheWriteTokens + CacheWriteLongTokens;
}
