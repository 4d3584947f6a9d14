using Ballast.Protocols.Conversation;

namespace Ballast.Ledger;

/// <summary>The figures of one group of attempts.</summary>
public sealed record UsageRow
{
    /// <summary>The group's values, in the order of <see cref="UsageReport.By"/>; empty for the total.</summary>
    public required IReadOnlyList<string> Keys { get; init; }

    /// <summary>Exchanges with at least one attempt in this group: one that failed over counts in each group it touched.</summary>
    public required long Requests { get; init; }
    public required long Attempts { get; init; }
    public required long Completed { get; init; }
    public required long Failed { get; init; }
    public required long Interrupted { get; init; }
    public required long Cancelled { get; init; }
    public required long InputTokens { get; init; }
    public required long CacheReadTokens { get; init; }
    public required long CacheWriteTokens { get; init; }
    public required long CacheWriteLongTokens { get; init; }
    public required long OutputTokens { get; init; }

    /// <summary>Contained in <see cref="OutputTokens"/>; of those attempts where the vendor tells.</summary>
    public required long ReasoningTokens { get; init; }

    /// <summary>Sound and pictures among the tokens above, searches and pictures by the piece; null where there was none of it.</summary>
    public MediaUsage? Media { get; init; }

    /// <summary>US dollars of the attempts whose cost is known.</summary>
    public required decimal CostUsd { get; init; }

    /// <summary>Attempts that answered, or have tokens, but no price.</summary>
    public required long UnknownCost { get; init; }

    /// <summary>Attempts whose tokens Ballast counted itself.</summary>
    public required long Estimated { get; init; }

    /// <summary>Time to first token of streamed attempts, median (nearest rank); null without any.</summary>
    public TimeSpan? TtftP50 { get; init; }
    public TimeSpan? TtftP95 { get; init; }
}
