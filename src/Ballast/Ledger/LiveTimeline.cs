namespace Ballast.Ledger;

/// <summary>Tokens of the last minutes by platform and by vendor, in slots of <see cref="TokenRing.StepSeconds"/> seconds, the oldest first; the last one is still running.</summary>
/// <param name="Second">Since the start.</param>
/// <param name="Platforms">By name: all series are of one length.</param>
/// <param name="Vendors">By name.</param>
public sealed record LiveTimeline(long Second, IReadOnlyList<LiveSeries> Platforms, IReadOnlyList<LiveSeries> Vendors);

/// <summary>One line of a timeline.</summary>
/// <param name="Name">Of the platform or vendor.</param>
/// <param name="Tokens">Of the requests that it answered, by slot.</param>
public sealed record LiveSeries(string Name, IReadOnlyList<long> Tokens);
