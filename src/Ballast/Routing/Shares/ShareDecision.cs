namespace Ballast.Routing.Shares;

/// <summary>What a decision is asked for.</summary>
/// <param name="Rules">Rules whose scope the request belongs to, one bit each.</param>
/// <param name="Preferred">Candidates that are healthy, one bit each.</param>
/// <param name="Eligible">Those and the ones that are only just recovering.</param>
/// <param name="Units">Expected size.</param>
/// <param name="Sticky">Candidate that has this session's cache warm; -1 where none has.</param>
/// <param name="DebtMax">By how many units a candidate may run ahead of its weight for the sake of warm caches.</param>
/// <param name="YieldsFirst">Others are more critical, and somebody is away: no cap gives way for it, and the lower half of every cap's bucket is left to them.</param>
public readonly record struct ShareAsk(ulong Rules, ulong Preferred, ulong Eligible, double Units, int Sticky = -1, double DebtMax = 0, bool YieldsFirst = false);

/// <summary>Where a request goes.</summary>
/// <param name="Index">The candidate; -1 where every one would break a rule that refuses rather than gives way.</param>
/// <param name="Charged">Rules whose buckets were charged.</param>
/// <param name="Relaxed">Rules that were suspended for this request, one bit each: their buckets stand still.</param>
/// <param name="Earners">Candidates that earned their weight's part of its size: a correction is theirs as well, and nobody else's.</param>
public readonly record struct ShareDecision(int Index, ulong Charged, ulong Relaxed, ulong Earners);
