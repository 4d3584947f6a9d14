using Ballast.Catalog;

namespace Ballast.Routing.Shares;

/// <summary>
/// One cap or floor as the router keeps it. A floor of f on a component is a cap of 1 - f on everything else, so there is only one mechanism: a bucket that is
/// filled by the traffic of its scope and emptied by the traffic of its group.
/// </summary>
public sealed record ShareRule
{
    /// <summary>Unique in its policy.</summary>
    public required string Id { get; init; }

    /// <summary>Id of the scope whose traffic is shared.</summary>
    public string Scope { get; init; } = "";
    public required Component Target { get; init; }
    public bool IsFloor { get; init; }

    /// <summary>As written, from 0 to 1.</summary>
    public required double Share { get; init; }

    /// <summary>A hard rule diverts requests; a soft one only chooses among those that the hard ones leave.</summary>
    public bool IsHard { get; init; } = true;

    /// <summary>Where nothing else is left the request is refused; else it is served, and the rule suspended for it.</summary>
    public bool Sheds { get; init; }

    /// <summary>How long such a request waits for room before it is refused; zero refuses at once.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>Most that the bucket holds, in units: how far a share may run ahead after a lull of its group.</summary>
    public required double Burst { get; init; }

    /// <summary>Share of the scope's traffic that the bucket's group may have.</summary>
    public double Cap => IsFloor ? 1 - Share : Share;
}
