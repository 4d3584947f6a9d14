namespace Ballast.Ledger;

/// <summary>What <see cref="LiveTotals"/> held at one moment.</summary>
public sealed record LiveSnapshot
{
    /// <summary>Exchanges that had an attempt.</summary>
    public required long Requests { get; init; }

    /// <summary>Exchanges whose last attempt failed: their clients got an error and no content.</summary>
    public required long RequestsFailed { get; init; }

    /// <summary>Exchanges that nothing was tried for: every deployment rested, none was lawful, or there was no room. Not among <see cref="Requests"/>.</summary>
    public required long RequestsTurnedAway { get; init; }
    public required long Attempts { get; init; }
    public required long Completed { get; init; }
    public required long Failed { get; init; }
    public required long Interrupted { get; init; }
    public required long Cancelled { get; init; }

    /// <summary>Answers given by a second or later attempt.</summary>
    public required long Failovers { get; init; }
    public required long InputTokens { get; init; }
    public required long OutputTokens { get; init; }

    /// <summary>US dollars, as far as known.</summary>
    public required decimal CostUsd { get; init; }

    /// <summary>Of it, what was spent since midnight UTC.</summary>
    public decimal CostUsdToday { get; init; }

    /// <summary>Exchanges begun within the last ten seconds, per second.</summary>
    public required double RequestsPerSecond { get; init; }

    /// <summary>Of streams, to within 10 %.</summary>
    public required TimeSpan? TtftP50 { get; init; }
    public required TimeSpan? TtftP95 { get; init; }
    public required LiveTimes Ttft { get; init; }

    /// <summary>By name.</summary>
    public required IReadOnlyList<LiveComponent> Platforms { get; init; }
    public required IReadOnlyList<LiveComponent> Vendors { get; init; }
    public required IReadOnlyList<LiveComponent> Deployments { get; init; }
}
