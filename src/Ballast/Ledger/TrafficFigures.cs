namespace Ballast.Ledger;

/// <summary>What the organisation's own traffic tells of one vendor or platform. Sums only; rates are computed where they are shown.</summary>
public sealed record TrafficFigures
{
    public static TrafficFigures None { get; } = new();

    public long Attempts { get; init; }

    /// <summary>Exchanges answered, in full or in part.</summary>
    public long Answered { get; init; }

    /// <summary>
    /// Attempts that failed or were interrupted, without 429 and without requests that any platform would have refused (400, 413, 415, 422).
    /// </summary>
    public long Errors { get; init; }

    /// <summary>Attempts answered with 429.</summary>
    public long RateLimited { get; init; }

    /// <summary>Answers in which the model declined or the platform's filter cut it off.</summary>
    public long Refusals { get; init; }
    public long InputTokens { get; init; }
    public long OutputTokens { get; init; }
    public decimal CostUsd { get; init; }
    public long UnknownCost { get; init; }

    /// <summary>Input and output cost, and the tokens they were paid for: only attempts whose cost is recorded in both parts.</summary>
    public decimal PricedInputUsd { get; init; }
    public decimal PricedOutputUsd { get; init; }
    public long PricedInputTokens { get; init; }
    public long PricedOutputTokens { get; init; }

    /// <summary>Tokens after the first, and the time they took, of completed streams.</summary>
    public long StreamedTokens { get; init; }
    public TimeSpan StreamedTime { get; init; }
    public TimeSpan? TtftP50 { get; init; }
    public TimeSpan? TtftP95 { get; init; }
}
