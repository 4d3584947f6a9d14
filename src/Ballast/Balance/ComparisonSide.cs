using Ballast.Ledger;

namespace Ballast.Balance;

/// <summary>One vendor or platform seen through the organisation's own traffic. A rate is null where nothing was there to measure it by.</summary>
public sealed record ComparisonSide
{
    public required ComparisonSubject Subject { get; init; }
    public required TrafficFigures Figures { get; init; }

    /// <summary>US dollars per million tokens as paid: cache discounts and the mix of models are contained.</summary>
    public decimal? InputPrice => PerMillion(Figures.PricedInputUsd, Figures.PricedInputTokens);
    public decimal? OutputPrice => PerMillion(Figures.PricedOutputUsd, Figures.PricedOutputTokens);

    /// <summary>Output tokens per second of streaming, after the first token.</summary>
    public double? TokensPerSecond => Ratio(Figures.StreamedTokens, Figures.StreamedTime.TotalSeconds);

    /// <summary>Of attempts.</summary>
    public double? ErrorRate => Ratio(Figures.Errors, Figures.Attempts);
    public double? RateLimitedRate => Ratio(Figures.RateLimited, Figures.Attempts);

    /// <summary>Of answers.</summary>
    public double? RefusalRate => Ratio(Figures.Refusals, Figures.Answered);

    /// <summary>Of all requests answered, and of all known cost.</summary>
    public double? RequestShare { get; init; }
    public double? CostShare { get; init; }

    /// <summary>Null without a catalog.</summary>
    public IReadOnlyList<ModelPlaces>? Elsewhere { get; init; }

    /// <summary>Null where nothing is declared for it.</summary>
    public DeclaredProfile? Declared { get; init; }

    private static decimal? PerMillion(decimal dollars, long tokens) => tokens == 0 ? null : dollars / tokens * 1_000_000m;

    private static double? Ratio(double part, double whole) => whole == 0 ? null : part / whole;
}
