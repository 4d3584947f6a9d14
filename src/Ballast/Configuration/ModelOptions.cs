namespace Ballast.Configuration;

/// <summary>A public model and who may answer it, as written under <c>models:</c>.</summary>
public sealed record ModelOptions
{
    public required string Name { get; init; }

    /// <summary><c>ordered</c> (default) or <c>weighted</c>.</summary>
    public string Selection { get; init; } = "ordered";

    /// <summary><c>strict</c>, <c>warn</c> or <c>allow</c>; null leaves it to the key.</summary>
    public string? LossPolicy { get; init; }
    public IReadOnlyList<CandidateOptions> Deployments { get; init; } = [];

    /// <summary>Of all callers together.</summary>
    public RateLimitOptions RateLimits { get; init; } = new();
}

/// <summary>One deployment named by a model, with its weight.</summary>
public sealed record CandidateOptions(string Deployment, double Weight = 1);
