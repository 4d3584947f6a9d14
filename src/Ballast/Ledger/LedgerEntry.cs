using Ballast.Protocols.Conversation;

namespace Ballast.Ledger;

/// <summary>How an attempt ended.</summary>
public enum AttemptOutcome
{
    /// <summary>A whole answer, or a stream with its terminal mark.</summary>
    Completed,

    /// <summary>No content reached the client; the next candidate was or could be tried.</summary>
    Failed,

    /// <summary>Cut after content had reached the client: it got a well-formed error.</summary>
    Interrupted,

    /// <summary>The client went away.</summary>
    Cancelled,
}

/// <summary>One attempt at one deployment: the row that money and shares are computed from.</summary>
public sealed record LedgerEntry
{
    /// <summary>Id of the attempt; sent upstream as <c>x-client-request-id</c> and unique in the ledger.</summary>
    public required string AttemptId { get; init; }
    public required string ExchangeId { get; init; }

    /// <summary>1 for the first attempt of an exchange.</summary>
    public required int AttemptNumber { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public required string KeyId { get; init; }
    public required string App { get; init; }

    /// <summary>The team and the organisation that the application belongs to; null where it belongs to none.</summary>
    public string? Team { get; init; }
    public string? Organisation { get; init; }

    /// <summary>The caller's protocol, for example <c>openai-chat</c>.</summary>
    public required string Protocol { get; init; }

    /// <summary><c>chat</c> or <c>count_tokens</c>.</summary>
    public required string Operation { get; init; }
    public required bool Stream { get; init; }
    public required string RequestedModel { get; init; }
    public required string SentModel { get; init; }
    public string? ServedModel { get; init; }
    public required string Deployment { get; init; }
    public required string Vendor { get; init; }
    public required string Platform { get; init; }
    public required string Region { get; init; }
    public long InputTokens { get; init; }
    public long CacheReadTokens { get; init; }
    public long CacheWriteTokens { get; init; }
    public long CacheWriteLongTokens { get; init; }
    public long OutputTokens { get; init; }
    public long? ReasoningTokens { get; init; }

    /// <summary>What of it was sound, pictures and searches; null where nothing was.</summary>
    public MediaUsage? Media { get; init; }

    /// <summary>Tokens were counted by Ballast, not reported by the vendor.</summary>
    public bool IsEstimated { get; init; }

    /// <summary>US dollars; null where the deployment has no price.</summary>
    public decimal? CostUsd { get; init; }

    /// <summary>The input's part of <see cref="CostUsd"/> (cache classes included), so that input and output prices can be told apart later.</summary>
    public decimal? InputCostUsd { get; init; }

    /// <summary>What was held of a budget when the attempt began, in <see cref="ReservedCurrency"/>; null where nothing was.</summary>
    public decimal? Reserved { get; init; }

    /// <summary>Three letters (ISO 4217).</summary>
    public string? ReservedCurrency { get; init; }

    /// <summary>From sending to the first content.</summary>
    public TimeSpan? TimeToFirstToken { get; init; }
    public TimeSpan Duration { get; init; }
    public required AttemptOutcome Outcome { get; init; }

    /// <summary>Code of the failure (<c>upstream_connect_failed</c>, <c>upstream_status_503</c> …); null for a completed attempt.</summary>
    public string? Reason { get; init; }

    /// <summary>Finish reason in neutral words.</summary>
    public string? Finish { get; init; }
    public int? UpstreamStatus { get; init; }
    public string? UpstreamRequestId { get; init; }

    /// <summary>A connection to the platform stood when the request was sent: the platform may have seen and billed it.</summary>
    public bool Reached { get; init; }

    /// <summary>The exchange ended with this attempt: no other follows. For the running totals; not stored, since the ledger knows all rows of an exchange.</summary>
    public bool EndsExchange { get; init; }

    /// <summary>
    /// What was not passed on as it came: JSON pointers of what could not cross protocols (answers' pointers begin with <c>response:</c>), and how many values of which kind
    /// were taken out (<c>redacted:email=2</c>), never the values.
    /// </summary>
    public IReadOnlyList<string> Losses { get; init; } = [];
}
