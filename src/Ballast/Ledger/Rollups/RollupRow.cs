namespace Ballast.Ledger.Rollups;

/// <summary>Sums of one bucket and group.</summary>
/// <param name="At">Where the bucket begins.</param>
/// <param name="Keys">The group's values, in the order that was asked for.</param>
/// <param name="Attempts">All of them.</param>
/// <param name="Answered">Those that gave an answer, in full or in part.</param>
/// <param name="Tokens">Of all classes.</param>
/// <param name="UnknownCost">Attempts whose cost is not known.</param>
/// <param name="CostUsd">US dollars of the others.</param>
public sealed record RollupRow(DateTimeOffset At, IReadOnlyList<string> Keys, long Attempts, long Answered, long Tokens, long UnknownCost, decimal CostUsd);
