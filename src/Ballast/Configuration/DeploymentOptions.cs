namespace Ballast.Configuration;

/// <summary>One upstream model at a provider, as written under <c>deployments:</c>.</summary>
public sealed record DeploymentOptions
{
    /// <summary>Public name within the provider.</summary>
    public required string Name { get; init; }

    /// <summary>Who makes the model.</summary>
    public string? Vendor { get; init; }

    /// <summary>What the upstream calls it; null means <see cref="Name"/>.</summary>
    public string? Model { get; init; }

    /// <summary>Entry under <c>prices:</c>; null looks for <c>provider/name</c>, then <c>vendor/name</c>.</summary>
    public string? Price { get; init; }
    public long? MaxOutputTokens { get; init; }

    /// <summary>The protocols it can be asked in, the preferred one first; empty takes the provider's.</summary>
    public IReadOnlyList<string> Protocols { get; init; } = [];
    public IReadOnlyList<string> Features { get; init; } = [];
    public string? Region { get; init; }
    public DataOptions? Data { get; init; }
    public bool Embedding { get; init; }

    /// <summary>Day from which its vendor advises against it; null where none is known.</summary>
    public DateOnly? Deprecated { get; init; }

    /// <summary>Day on which it stops; null where none is known.</summary>
    public DateOnly? EndOfLife { get; init; }

    /// <summary>What its account allows it; null where that is not written.</summary>
    public QuotaOptions? Quota { get; init; }
}
