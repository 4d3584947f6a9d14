using Ballast.Configuration;

namespace Ballast.Catalog;

/// <summary>What happens when a field cannot cross protocols, the strictest first: of a key's and a route's the stricter counts.</summary>
public enum LossPolicy
{
    /// <summary>The request is refused, naming the field.</summary>
    Strict,

    /// <summary>The request goes on; the loss is named in a response header and in the ledger.</summary>
    Warn,

    /// <summary>The request goes on; the loss is named in the ledger.</summary>
    Allow,
}

/// <summary>An API key as the gateway knows it: a digest, never the key itself.</summary>
public sealed record ApiKey
{
    /// <summary>Name for ledger and log.</summary>
    public required string Id { get; init; }

    /// <summary>SHA-256 of the key's UTF-8 bytes.</summary>
    public required ReadOnlyMemory<byte> Digest { get; init; }
    public required string App { get; init; }

    /// <summary>The app's team and that one's organisation; null where there is none.</summary>
    public string? Team { get; init; }
    public string? Organisation { get; init; }

    /// <summary>How critical its app is, from 1 (most); null where nobody has said.</summary>
    public int? Tier { get; init; }

    /// <summary>From then on the key is unknown; null never ends.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>What may be asked of the gateway with it.</summary>
    public KeyScopes Scopes { get; init; } = KeyScopes.All;
    public RateLimitOptions RateLimits { get; init; } = new();
    public DataAllowance Allow { get; init; } = DataAllowance.Everything;
    public LossPolicy LossPolicy { get; init; } = LossPolicy.Warn;

    /// <summary>Models and deployments this key may ask for; null means all.</summary>
    public IReadOnlySet<string>? Models { get; init; }
}
