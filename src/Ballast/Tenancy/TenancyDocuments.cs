using System.Text.Json.Serialization;

namespace Ballast.Tenancy;

/// <summary>Where data may be sent, as JSON. What is left out does not restrict, but training must be allowed expressly.</summary>
public sealed record AllowDocument
{
    public IReadOnlyList<string>? Geo { get; init; }
    public int? RetentionDaysMax { get; init; }
    public bool Training { get; init; }
}

/// <summary>How much may be asked for at once and within any 60 seconds, as JSON; null does not limit.</summary>
public sealed record RateLimitsDocument
{
    public int? RequestsPerMinute { get; init; }
    public int? InputTokensPerMinute { get; init; }
    public int? OutputTokensPerMinute { get; init; }
    public int? ConcurrentRequests { get; init; }
}

/// <summary>What all documents have: a name, where it is from, and its revision, which is its ETag.</summary>
public abstract record TenancyDocument
{
    /// <summary>A lower-case word, unique among its kind.</summary>
    public string? Id { get; init; }

    /// <summary>Given by the gateway: <c>file</c> (read-only, declared in ballast.yaml) or <c>api</c>. Not stored.</summary>
    public string? Source { get; init; }

    /// <summary>Given by the gateway; counts up with every change. Not stored.</summary>
    public long? Revision { get; init; }
}

/// <summary>An organisation, a team or an app, as JSON: which of the fields are used depends on which it is.</summary>
public sealed record TenantDocument : TenancyDocument
{
    /// <summary>Of a team.</summary>
    public string? Organisation { get; init; }

    /// <summary>Of an app.</summary>
    public string? Team { get; init; }

    /// <summary>Of an app: who answers for it, for people.</summary>
    public string? Owner { get; init; }

    /// <summary>Of an app: how critical it is, from 1 (most) to 3.</summary>
    public int? Tier { get; init; }

    /// <summary>Of an app: <c>public</c>, <c>internal</c>, <c>confidential</c> or <c>restricted</c>.</summary>
    public string? DataClass { get; init; }
    public AllowDocument? Allow { get; init; }

    /// <summary>Models that may be asked for; null means all.</summary>
    public IReadOnlyList<string>? Models { get; init; }
    public RateLimitsDocument? RateLimits { get; init; }

    /// <summary>Of an app: kinds of values that are taken out of its requests before they leave; null takes nothing out.</summary>
    public IReadOnlyList<string>? Redact { get; init; }

    /// <summary>Of an app: regular expressions of one's own by their names.</summary>
    public IReadOnlyDictionary<string, string>? RedactPatterns { get; init; }

    /// <summary>Of an app: <c>pass</c> (default) or <c>redact</c> what a model itself writes.</summary>
    public string? RedactAnswers { get; init; }

    /// <summary>Of an app: <c>refuse</c> (default) or <c>pass</c> what cannot be searched.</summary>
    public string? RedactUnreadable { get; init; }

    /// <summary>Of an app: <c>refuse</c> (default) or <c>serve</c>, once the store of keys has been out of sight for too long.</summary>
    public string? WhenStoreIsLost { get; init; }
}

/// <summary>An API key, as JSON. The key itself is shown once, in the answer that makes it.</summary>
public sealed record KeyDocument : TenancyDocument
{
    public string? App { get; init; }

    /// <summary>What may be asked of the gateway; null means everything.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }
    public AllowDocument? Allow { get; init; }
    public IReadOnlyList<string>? Models { get; init; }
    public RateLimitsDocument? RateLimits { get; init; }

    /// <summary><c>strict</c>, <c>warn</c> (default) or <c>allow</c>.</summary>
    public string? LossPolicy { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Given by the gateway.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>Given by the gateway: the token that made it.</summary>
    public string? CreatedBy { get; init; }

    /// <summary>Given by the gateway: from then on the key is unknown.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>Given by the gateway, once: the key itself.</summary>
    public string? Key { get; init; }

    /// <summary>Stored only: what the key's text is recognised by. During a rotation there are two.</summary>
    public IReadOnlyList<SecretDocument>? Secrets { get; init; }
}

/// <summary>A stored digest: HMAC-SHA256 of the key's text under the pepper, in hexadecimal digits.</summary>
public sealed record SecretDocument
{
    public required string Hash { get; init; }

    /// <summary>From then on it is unknown: the end of a rotation's overlap.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>A budget, as JSON: exactly one of the four subjects, and money or tokens.</summary>
public sealed record BudgetDocument : TenancyDocument
{
    public string? Organisation { get; init; }
    public string? Team { get; init; }
    public string? App { get; init; }
    public string? Key { get; init; }
    public decimal? Usd { get; init; }
    public long? Tokens { get; init; }

    /// <summary><c>day</c>, <c>week</c> or <c>month</c> (default).</summary>
    public string? Period { get; init; }

    /// <summary>IANA name; default UTC.</summary>
    public string? Zone { get; init; }

    /// <summary>Shares in per cent.</summary>
    public IReadOnlyList<int>? AlertAt { get; init; }

    /// <summary>Default true.</summary>
    public bool? Hard { get; init; }
    public decimal? UnpricedRequestUsd { get; init; }
    public decimal? UnpricedBatchUsd { get; init; }

    /// <summary>Given by the gateway: where it stands. Not stored.</summary>
    public BudgetStateDocument? State { get; init; }
}

/// <summary>Where a budget stands in its current period; amounts are US dollars or tokens.</summary>
public sealed record BudgetStateDocument
{
    public decimal Spent { get; init; }
    public decimal Reserved { get; init; }
    public decimal Remaining { get; init; }
    public DateTimeOffset From { get; init; }
    public DateTimeOffset To { get; init; }
}

/// <summary>A token for administration, as JSON. The token itself is shown once.</summary>
public sealed record TokenDocument : TenancyDocument
{
    /// <summary><c>admin</c> changes, <c>viewer</c> only looks.</summary>
    public string? Role { get; init; }

    /// <summary>At most one of the three: only what lies below it is seen and changed.</summary>
    public string? Organisation { get; init; }
    public string? Team { get; init; }
    public string? App { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Given by the gateway.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>Given by the gateway: the token that made it.</summary>
    public string? CreatedBy { get; init; }

    /// <summary>Given by the gateway, once: the token itself.</summary>
    public string? Token { get; init; }

    /// <summary>Stored only.</summary>
    public string? Hash { get; init; }
}

/// <summary>One row of the record of changes.</summary>
public sealed record AuditDocument
{
    public long Sequence { get; init; }
    public DateTimeOffset At { get; init; }

    /// <summary>The token that changed it.</summary>
    public required string Actor { get; init; }

    /// <summary><c>create</c>, <c>replace</c>, <c>delete</c>, <c>rotate</c>, <c>revoke</c>.</summary>
    public required string Action { get; init; }
    public required string Kind { get; init; }
    public required string Id { get; init; }

    /// <summary>The document after it, without secrets; null after a deletion.</summary>
    public string? After { get; init; }
}

/// <summary>How documents are read and written: source-generated, unknown and repeated fields refused.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(TenantDocument))]
[JsonSerializable(typeof(KeyDocument))]
[JsonSerializable(typeof(BudgetDocument))]
[JsonSerializable(typeof(TokenDocument))]
[JsonSerializable(typeof(AuditDocument))]
public sealed partial class TenancyJson : JsonSerializerContext;
