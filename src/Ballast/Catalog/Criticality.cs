namespace Ballast.Catalog;

/// <summary>How critical the apps are: tier 1 is the most critical. The one place that tells. What a policy says of an app goes before what its owner says (<c>apps:</c>).</summary>
public sealed class Criticality
{
    private readonly IReadOnlyDictionary<string, int> _policy;
    private readonly Dictionary<string, int> _apps = new(StringComparer.Ordinal);

    /// <param name="policy">By app, as a balance policy says.</param>
    /// <param name="keys">Tell what is said of their apps elsewhere; needed where apps are asked for by name.</param>
    public Criticality(IReadOnlyDictionary<string, int> policy, IEnumerable<ApiKey>? keys = null)
    {
        _policy = policy;
        foreach (ApiKey key in keys ?? [])
        {
            if (key.Tier is { } tier)
            {
                _apps[key.App] = tier;
            }
        }
    }

    /// <summary>Of an app that nobody has judged.</summary>
    public const int TierDefault = 2;

    public int TierOf(string app) => _policy.TryGetValue(app, out int judged) ? judged : _apps.GetValueOrDefault(app, TierDefault);

    public int TierOf(ApiKey key) => _policy.TryGetValue(key.App, out int judged) ? judged : key.Tier ?? TierOf(key.App);

    /// <summary>What a request of the app weighs in exposure: tier 1 counts 4, tier 2 counts 2, all others 1.</summary>
    public int WeightOf(string app) => TierOf(app) switch { 1 => 4, 2 => 2, _ => 1 };
}
