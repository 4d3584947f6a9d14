namespace Ballast.Catalog;

/// <summary>How critical the apps are: tier 1 is the most critical. The one place that tells.</summary>
public sealed class Criticality(IReadOnlyDictionary<string, int> tiers)
{
    /// <summary>Of an app that nobody has judged.</summary>
    public const int TierDefault = 2;

    public static Criticality Unknown { get; } = new(new Dictionary<string, int>());

    public int TierOf(string app) => tiers.GetValueOrDefault(app, TierDefault);

    /// <summary>What a request of the app weighs in exposure: tier 1 counts 4, tier 2 counts 2, all others 1.</summary>
    public int WeightOf(string app) => TierOf(app) switch { 1 => 4, 2 => 2, _ => 1 };
}
