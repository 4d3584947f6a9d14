namespace Ballast.Ledger;

/// <summary>What one vendor's models on one platform did in one stretch of time. Sums only.</summary>
/// <param name="Vendor">Who makes the models.</param>
/// <param name="Platform">Who operates the endpoints.</param>
/// <param name="From">The stretch's begin.</param>
public sealed record TrafficBucket(string Vendor, string Platform, DateTimeOffset From)
{
    public long Attempts { get; init; }
    public long Answered { get; init; }

    /// <summary>As in <see cref="TrafficFigures.Errors"/>.</summary>
    public long Errors { get; init; }
    public long Refusals { get; init; }

    /// <summary>Tokens of all classes of what was answered.</summary>
    public long Tokens { get; init; }
    public decimal PricedInputUsd { get; init; }
    public decimal PricedOutputUsd { get; init; }
    public long PricedInputTokens { get; init; }
    public long PricedOutputTokens { get; init; }
    public long StreamedTokens { get; init; }
    public TimeSpan StreamedTime { get; init; }

    /// <summary>Completed streams whose time to the first content is known, and the sum of those times.</summary>
    public long TtftCount { get; init; }
    public TimeSpan TtftTime { get; init; }
}
