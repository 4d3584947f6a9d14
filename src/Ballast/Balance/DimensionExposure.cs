using Ballast.Catalog;

namespace Ballast.Balance;

/// <summary>How one component was used, and what stops without it.</summary>
public sealed record ComponentUse
{
    public required Component Component { get; init; }

    /// <summary>How it is known that deployments depend on it; the weakest link counts.</summary>
    public required Provenance Provenance { get; init; }

    /// <summary>Shares from 0 to 1, measured.</summary>
    public required double RequestShare { get; init; }
    public required double TokenShare { get; init; }

    /// <summary>Null where no cost is known.</summary>
    public double? CostShare { get; init; }

    /// <summary>Of the requests, each weighed by how critical its app is.</summary>
    public required double CriticalShare { get; init; }

    /// <summary>The largest share in any hour with enough requests; null where there are not two hours.</summary>
    public double? HourlyMax { get; init; }

    /// <summary>The smallest share in any such hour.</summary>
    public double? HourlyMin { get; init; }

    /// <summary>Its share of the tokens in the second half of the time, less that in the first half; null where one of them has no traffic.</summary>
    public double? Trend { get; init; }

    /// <summary>Of what would have to go elsewhere in the busiest minutes (99th percentile): the part that finds room there, as far as quotas are known.</summary>
    public required double Room { get; init; }

    /// <summary>
    /// Part of the critical work that stops if it disappears: where no lawful substitute is left, or no room with it. Modelled: substitutes are assumed to be able to do the
    /// work, and unknown quotas to have room.
    /// </summary>
    public required double Stops { get; init; }

    /// <summary>Requests that would stop in an hour of its absence, on average; modelled in the same way.</summary>
    public required double StopsPerHour { get; init; }

    /// <summary>90 % interval of <see cref="Stops"/>, by resampling hours, or shorter stretches of a short time.</summary>
    public required (double Low, double High) StopsInterval { get; init; }

    /// <summary>Part of the critical work for which nobody has shown that a substitute can do it: what stops or may degrade.</summary>
    public required double Unproven { get; init; }

    /// <summary>90 % interval of <see cref="Unproven"/>.</summary>
    public required (double Low, double High) UnprovenInterval { get; init; }
}

/// <summary>One kind of component: how the traffic spreads over it.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Components">The largest share of tokens first.</param>
public sealed record DimensionExposure(ComponentKind Kind, IReadOnlyList<ComponentUse> Components)
{
    /// <summary>Herfindahl-Hirschman index of the token shares, up to 10,000. With four clouds or fewer it is always called high: it is shown, not judged by.</summary>
    public double Hhi => 10_000 * Components.Sum(static use => use.TokenShare * use.TokenShare);

    /// <summary>As many components of equal size would be as concentrated.</summary>
    public double EffectiveNumber => Hhi <= 0 ? 0 : 10_000 / Hhi;

    /// <summary>The same by entropy: small components count for more.</summary>
    public double EntropyNumber => Components.Count == 0 ? 0 : Math.Exp(-Components.Sum(static use => use.TokenShare <= 0 ? 0 : use.TokenShare * Math.Log(use.TokenShare)));
}

/// <summary>What stops one model for some apps.</summary>
/// <param name="Model">Its public name.</param>
/// <param name="Apps">Apps that have the same lawful deployments.</param>
/// <param name="Cuts">Minimal, the smallest first.</param>
public sealed record ModelCuts(string Model, IReadOnlyList<string> Apps, IReadOnlyList<CutSet> Cuts)
{
    /// <summary>Single components that stop it.</summary>
    public IEnumerable<Component> SinglePoints => Cuts.Where(static cut => cut.Components.Count == 1).Select(static cut => cut.Components[0]);
}
