namespace Ballast.Configuration;

/// <summary>Who uses the gateway, as written: organisations, teams and apps, what each may use and spend, and where what is made at run time is kept.</summary>
public sealed record TenancyOptions
{
    /// <summary>SQLite file of what is made through the administration port; null means beside the ledger.</summary>
    public string? Path { get; init; }

    /// <summary>Kept in the ledger's PostgreSQL database instead, where several gateways share keys, limits and budgets.</summary>
    public bool IsShared { get; init; }

    /// <summary>What keys made at run time are hashed with; null keeps one in a file beside <see cref="Path"/>.</summary>
    public SecretOptions? Pepper { get; init; }

    /// <summary>How long keys made at run time are taken without a sight of their store; after it each app's own choice counts.</summary>
    public TimeSpan StaleAfter { get; init; } = TimeSpan.FromMinutes(15);
    public IReadOnlyList<TenantOptions> Organisations { get; init; } = [];
    public IReadOnlyList<TenantOptions> Teams { get; init; } = [];
    public IReadOnlyList<TenantOptions> Apps { get; init; } = [];
    public IReadOnlyList<BudgetOptions> Budgets { get; init; } = [];
    public AlertOptions Alerts { get; init; } = new();
}

/// <summary>An organisation, a team or an app. What is left out does not restrict: the grant above counts.</summary>
public sealed record TenantOptions
{
    public required string Id { get; init; }

    /// <summary>A team's organisation, an app's team; null where there is none.</summary>
    public string? Parent { get; init; }

    /// <summary>Who answers for an app, for people.</summary>
    public string? Owner { get; init; }

    /// <summary>How critical an app is, from 1 (most) to 3.</summary>
    public int? Tier { get; init; }

    /// <summary><c>public</c>, <c>internal</c>, <c>confidential</c> or <c>restricted</c>: a label; <see cref="Allow"/> is what binds.</summary>
    public string? DataClass { get; init; }
    public AllowOptions? Allow { get; init; }
    public IReadOnlyList<string>? Models { get; init; }
    public RateLimitOptions RateLimits { get; init; } = new();

    /// <summary>What is taken out of an app's requests before they leave; null takes nothing out.</summary>
    public RedactionOptions? Redaction { get; init; }

    /// <summary>Keys made at run time are refused when their store has been out of sight for too long; false serves them on.</summary>
    public bool RefusesWhenStale { get; init; } = true;
}

/// <summary>How much may be asked for at once and within any 60 seconds; null does not limit.</summary>
public sealed record RateLimitOptions
{
    public int? RequestsPerMinute { get; init; }
    public int? InputTokensPerMinute { get; init; }
    public int? OutputTokensPerMinute { get; init; }
    public int? ConcurrentRequests { get; init; }

    public bool IsEmpty => (RequestsPerMinute ?? InputTokensPerMinute ?? OutputTokensPerMinute ?? ConcurrentRequests) is null;
}

/// <summary>What one organisation, team, app or key may spend in a calendar period, in money or in tokens.</summary>
public sealed record BudgetOptions
{
    public required string Id { get; init; }

    /// <summary><c>organisation</c>, <c>team</c>, <c>app</c> or <c>key</c>.</summary>
    public required string SubjectKind { get; init; }
    public required string Subject { get; init; }
    public decimal? Usd { get; init; }
    public long? Tokens { get; init; }

    /// <summary><c>day</c>, <c>week</c> (from Monday) or <c>month</c>.</summary>
    public string Period { get; init; } = "month";

    /// <summary>IANA name of the time zone in which the period begins.</summary>
    public string Zone { get; init; } = "UTC";

    /// <summary>Shares in per cent at which an alert is sent.</summary>
    public IReadOnlyList<int> AlertAt { get; init; } = [];

    /// <summary>Requests are refused when it is used up; false only alerts.</summary>
    public bool IsHard { get; init; } = true;

    /// <summary>US dollars that a request without a known price is taken for; null refuses such requests.</summary>
    public decimal? UnpricedRequestUsd { get; init; }

    /// <summary>US dollars that a whole batch is taken for; null refuses batches.</summary>
    public decimal? UnpricedBatchUsd { get; init; }
}

/// <summary>Where alerts of budgets are posted.</summary>
public sealed record AlertOptions
{
    public Uri? Webhook { get; init; }

    /// <summary>Key of the signature (HMAC-SHA256).</summary>
    public SecretOptions? Secret { get; init; }
    public bool AllowPrivateAddresses { get; init; }
}
