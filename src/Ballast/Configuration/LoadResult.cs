namespace Ballast.Configuration;

/// <summary>What came of reading a configuration: the options, and every fault and warning at once.</summary>
public sealed record LoadResult
{
    /// <summary>Null unless the configuration is valid: an invalid one cannot be applied by mistake.</summary>
    public BallastOptions? Options { get; init; }

    /// <summary>Faults and warnings in the order of the file.</summary>
    public required IReadOnlyList<ConfigurationFault> Faults { get; init; }

    public bool IsValid => Options is not null;

    /// <summary>The keys that each kind of section takes, as the loader asked for them: what the JSON Schema must say.</summary>
    internal IReadOnlyDictionary<string, IReadOnlyCollection<string>> KnownKeys { get; init; } =
        new Dictionary<string, IReadOnlyCollection<string>>();
}
