using Ballast.Routing.Shares;

namespace Ballast.Balance.Watch;

/// <summary>Shares at one moment, as kept and as weights alone would have made them.</summary>
public sealed record BalanceStanding
{
    public required IReadOnlyList<RuleShares> Rules { get; init; }

    /// <summary>By platform: share of the last <see cref="BalanceWatch.Window"/> requests, from 0 to 1.</summary>
    public required IReadOnlyDictionary<string, double> Kept { get; init; }
    public required IReadOnlyDictionary<string, double> Weighted { get; init; }
    public required IReadOnlyList<Act> Acts { get; init; }

    /// <summary>Percentage points over the worst hard rule in the worst window so far; below zero where none was ever over.</summary>
    public required double WorstExcess { get; init; }
    public required double WeightedWorstExcess { get; init; }

    /// <summary>The oldest first.</summary>
    public required IReadOnlyList<BalanceNote> Notes { get; init; }

    /// <summary>A rule's component's share of the last requests, from 0 to 1; null before there were any.</summary>
    public sealed record RuleShares(ShareRule Rule, double? Kept, double? Weighted);

    /// <summary>Shares by platform over a whole act.</summary>
    public sealed record Act(string Name, IReadOnlyDictionary<string, double> Kept, IReadOnlyDictionary<string, double> Weighted);
}

/// <summary>What happened when, in one sentence.</summary>
public sealed record BalanceNote(DateTimeOffset At, string Text);
