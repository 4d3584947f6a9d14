namespace Ballast.Ledger;

/// <summary>How long something took, since the start.</summary>
/// <param name="Buckets">By rising bound; each holds the shorter times too.</param>
/// <param name="Count">Times in all, those above the last bound included.</param>
/// <param name="Sum">Of all times.</param>
public sealed record LiveTimes(IReadOnlyList<LiveTimeBucket> Buckets, long Count, TimeSpan Sum);

/// <summary>So many times were at most so long.</summary>
public readonly record struct LiveTimeBucket(double UpToSeconds, long Count);
