namespace Ballast.Ledger.Rollups;

/// <summary>How long sums by minute and by hour are kept; those by day are kept for good. What they no longer tell is told by the rows, more slowly.</summary>
/// <param name="Minutes">At least an hour.</param>
/// <param name="Hours">At least a day.</param>
public sealed record RollupRetention(TimeSpan Minutes, TimeSpan Hours)
{
    /// <summary>How often a store looks for what is too old.</summary>
    public static readonly TimeSpan SweepEvery = TimeSpan.FromHours(1);

    public static RollupRetention Default { get; } = new(TimeSpan.FromDays(7), TimeSpan.FromDays(400));

    /// <summary>From when on a level is kept, seen from now, in microseconds since 1970.</summary>
    internal long From(RollupLevel level, DateTimeOffset now) =>
        RollupBuckets.Floor(level, LedgerQuery.Microseconds(now - (level == RollupLevel.Minute ? Minutes : Hours)));
}
