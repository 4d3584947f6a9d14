namespace Ballast.Configuration;

/// <summary>A client's API key, as written under <c>keys:</c>; only its digest is kept.</summary>
public sealed record KeyOptions
{
    /// <summary>Name for ledger and log.</summary>
    public required string Id { get; init; }

    /// <summary>SHA-256 of the key's UTF-8 bytes; empty where the key could not be read.</summary>
    public ReadOnlyMemory<byte> Digest { get; init; }

    /// <summary>The key itself stands in the file.</summary>
    public bool IsLiteral { get; init; }

    /// <summary>Null means <see cref="Id"/>.</summary>
    public string? App { get; init; }
    public AllowOptions? Allow { get; init; }

    /// <summary><c>strict</c>, <c>warn</c> (default) or <c>allow</c>.</summary>
    public string LossPolicy { get; init; } = "warn";

    /// <summary>Models and deployments the key may ask for; null means all.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    /// <summary>From then on the key is unknown; null never ends.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>What may be asked of the gateway (<see cref="KeyScopeName.All"/>); null means everything.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }
    public RateLimitOptions RateLimits { get; init; } = new();
}

/// <summary>The words for what a key may do.</summary>
public static class KeyScopeName
{
    public static IReadOnlyList<string> All { get; } =
        ["chat", "embeddings", "images", "audio", "moderations", "completions", "rerank", "files", "batches", "state"];
}

/// <summary>What a key's data may be sent to. What is left out does not restrict, but training must be allowed expressly.</summary>
public sealed record AllowOptions
{
    public IReadOnlyList<string>? Geo { get; init; }
    public int? RetentionDaysMax { get; init; }
    public bool Training { get; init; }
}
