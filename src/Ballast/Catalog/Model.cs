using Ballast.Configuration;

namespace Ballast.Catalog;

/// <summary>How the candidates of a model are put in order.</summary>
public enum Selection
{
    /// <summary>As written.</summary>
    Ordered,

    /// <summary>At random, in proportion to the weights; the rest follows in the same manner as fallback.</summary>
    Weighted,
}

/// <summary>One deployment that may answer for a model.</summary>
public sealed record Candidate(Deployment Deployment, double Weight);

/// <summary>A public name that clients ask for, and who may answer it. Every deployment is also a model of its own name with one candidate.</summary>
public sealed record Model(string Name, Selection Selection, IReadOnlyList<Candidate> Candidates, long CreatedUnixSeconds)
{
    /// <summary>The model is a deployment addressed by its own name, not a route.</summary>
    public bool IsDeployment { get; init; }

    /// <summary>Another name for a single deployment, which has no substitute by definition: its own model name without the provider.</summary>
    public bool IsBareName => Candidates is [var only] && only.Deployment.Model == Name;

    /// <summary>Another account may answer in the place of <paramref name="deployment"/> for a model of the same vendor.</summary>
    public bool HasOtherAccount(Deployment deployment) =>
        Candidates.Any(other => other.Deployment.Vendor == deployment.Vendor && other.Deployment.Provider.Name != deployment.Provider.Name);

    /// <summary>Of all callers together.</summary>
    public RateLimitOptions RateLimits { get; init; } = new();

    /// <summary>What happens on this route when a field cannot cross protocols; null leaves it to the key.</summary>
    public LossPolicy? LossPolicy { get; init; }
}
