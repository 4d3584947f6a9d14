namespace Ballast.Configuration.Policies;

/// <summary>What shares are counted in.</summary>
public enum ShareUnit
{
    Tokens,

    /// <summary>Cost; in millionths of a US dollar where it is counted.</summary>
    Usd,
    Requests,
}

/// <summary>A balance policy as written: which shares must hold, for whom, and what gives way. Lists keep the order of the file.</summary>
public sealed record PolicyOptions
{
    public required string Name { get; init; }
    public required int Version { get; init; }
    public IReadOnlyList<string> ApprovedBy { get; init; } = [];
    public ShareUnit Unit { get; init; }
    public IReadOnlyList<PolicyScopeOptions> Scopes { get; init; } = [];
    public IReadOnlyList<ResidencyOptions> Residency { get; init; } = [];
    public IReadOnlyList<SubstituteOptions> Substitutes { get; init; } = [];
    public AffinityOptions? Affinity { get; init; }

    /// <summary>By app: how critical it is, from 1, the most critical.</summary>
    public IReadOnlyDictionary<string, int> Criticality { get; init; } = new Dictionary<string, int>();

    /// <summary>Apps of this tier and less critical ones are refused before a cap gives way, while somebody whom they might be sent to is away.</summary>
    public int ShedFromTier { get; init; } = ShedFromTierDefault;

    /// <summary>The third tier of apps is the one that can wait.</summary>
    public const int ShedFromTierDefault = 3;

    /// <summary>Where each value stood.</summary>
    public SourceMap Source { get; init; } = new();
}

/// <summary>Whose requests a scope or a residency rule is for; what is empty stands for all.</summary>
public sealed record PolicyMatch
{
    public static PolicyMatch Everything { get; } = new();
    public IReadOnlyList<string> Apps { get; init; } = [];
    public IReadOnlyList<string> Keys { get; init; } = [];
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Criticality: 1 is the most critical.</summary>
    public IReadOnlyList<int> Tiers { get; init; } = [];
}

/// <summary>Traffic that is shared as one whole, and the rules for it.</summary>
public sealed record PolicyScopeOptions
{
    public required string Id { get; init; }
    public PolicyMatch Match { get; init; } = PolicyMatch.Everything;
    public IReadOnlyList<ShareRuleOptions> Rules { get; init; } = [];
    public IReadOnlyList<SurvivalOptions> Survive { get; init; } = [];

    /// <summary>Where the scope stands in the file.</summary>
    public string Path { get; init; } = "";
}

/// <summary>One cap or floor.</summary>
public sealed record ShareRuleOptions
{
    public required string Id { get; init; }
    public bool IsFloor { get; init; }

    /// <summary>Kind of component, in <c>Catalog</c>'s words.</summary>
    public required string Kind { get; init; }

    /// <summary>Name of the component; null makes one rule for each of its kind.</summary>
    public string? Name { get; init; }

    /// <summary>From 0 to 1.</summary>
    public required double Share { get; init; }
    public bool IsHard { get; init; } = true;

    /// <summary>Refuse rather than exceed.</summary>
    public bool Sheds { get; init; }

    /// <summary>How long a request waits for room before it is refused; zero refuses at once. Only where it <see cref="Sheds"/>.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>Most that the bucket holds, in the policy's unit; null takes the unit's default.</summary>
    public double? Burst { get; init; }
    public string? Purpose { get; init; }
    public string Path { get; init; } = "";
}

/// <summary>What must go on when any one component of these kinds is gone.</summary>
public sealed record SurvivalOptions
{
    public required string Id { get; init; }

    /// <summary>Kinds of components.</summary>
    public required IReadOnlyList<string> Any { get; init; }

    /// <summary>Part of the scope's traffic that must still be answered, from 0 to 1.</summary>
    public required double Keep { get; init; }

    /// <summary>How soon; null does not say.</summary>
    public TimeSpan? Within { get; init; }
    public string Path { get; init; } = "";
}

/// <summary>Where data may go; never relaxed.</summary>
public sealed record ResidencyOptions
{
    public PolicyMatch Match { get; init; } = PolicyMatch.Everything;
    public IReadOnlyList<string>? Geo { get; init; }
    public int? RetentionDaysMax { get; init; }

    /// <summary>Endpoints that train on data are allowed.</summary>
    public bool Training { get; init; } = true;
    public string Path { get; init; } = "";
}

/// <summary>Which deployments may stand in for one.</summary>
public sealed record SubstituteOptions
{
    public required string For { get; init; }
    public required IReadOnlyList<string> By { get; init; }

    /// <summary>Part of the work that has been shown to be taken over without loss, from 0 to 1; null where nobody has shown it.</summary>
    public double? Parity { get; init; }
    public string Path { get; init; } = "";
}

/// <summary>How far warm caches may pull requests away from the weights.</summary>
public sealed record AffinityOptions
{
    public static readonly TimeSpan TtlDefault = TimeSpan.FromMinutes(5);
    public const int CachedPrefixDefault = 1024;

    /// <summary>In the policy's unit; null takes four bursts.</summary>
    public double? DebtMax { get; init; }
    public TimeSpan Ttl { get; init; } = TtlDefault;

    /// <summary>Tokens that a request must have for a cache to be worth keeping; four bytes are taken for a token.</summary>
    public int CachedPrefixMin { get; init; } = CachedPrefixDefault;
}
