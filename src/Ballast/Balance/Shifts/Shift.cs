using Ballast.Catalog;

namespace Ballast.Balance.Shifts;

/// <summary>What may shift.</summary>
public enum ShiftMetric
{
    /// <summary>US dollars per million input tokens as paid: cache discounts and the mix of models are contained.</summary>
    InputPrice,

    /// <summary>US dollars per million output tokens as paid.</summary>
    OutputPrice,

    /// <summary>Mean time to the first content of completed streams, seconds.</summary>
    Ttft,

    /// <summary>Output tokens per second after the first content.</summary>
    TokensPerSecond,

    /// <summary>Of attempts, without 429 and the callers' own faults.</summary>
    ErrorRate,

    /// <summary>Of answers.</summary>
    RefusalRate,

    /// <summary>Of the tokens of all that was answered.</summary>
    Share,
}

/// <summary>A figure of one vendor or platform in two windows, with what speaks for a change.</summary>
public sealed record Shift
{
    /// <summary>A vendor or a platform.</summary>
    public required Component Subject { get; init; }
    public required ShiftMetric Metric { get; init; }

    /// <summary>Means over stretches of time; of prices, times and speeds geometric ones.</summary>
    public required double Before { get; init; }
    public required double After { get; init; }

    /// <summary>95 % interval of <see cref="After"/>, <see cref="Before"/> being taken as it is.</summary>
    public required (double Low, double High) Interval { get; init; }

    /// <summary>Of <see cref="Before"/>; null where that is zero.</summary>
    public double? Change => Before == 0 ? null : (After - Before) / Before;

    /// <summary>Of a difference as large as this where nothing has changed.</summary>
    public required double Probability { get; init; }

    /// <summary>The same for any one of all comparisons made together (Holm).</summary>
    public required double FamilyProbability { get; init; }

    /// <summary>Stretches of time compared.</summary>
    public required int CountBefore { get; init; }
    public required int CountAfter { get; init; }

    /// <summary>Applications that used it in either window.</summary>
    public IReadOnlyList<string> Apps { get; init; } = [];

    /// <summary>It is improbable and large enough to be told.</summary>
    public bool IsFound => Probability < ShiftAnalysis.ProbabilityMax && (Change is not { } change ? After > 0 : Math.Abs(change) >= ShiftAnalysis.ChangeMin);
}
