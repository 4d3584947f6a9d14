using System.Collections.Frozen;
using System.Text.Json;
using Ballast.Catalog;
using Ballast.Configuration;

namespace Ballast.Tenancy;

/// <summary>
/// Who uses the gateway, at one moment: what the file declares and what was made at run time, one tree. Immutable. Where both have a name, the file's counts.
/// </summary>
public sealed class TenantView
{
    public const string OrganisationKind = "organisation";
    public const string TeamKind = "team";
    public const string AppKind = "app";
    public const string KeyKind = "key";
    public const string BudgetKind = "budget";
    public const string TokenKind = "token";

    private const string FromFile = "file";
    private const string FromApi = "api";

    private readonly SortedDictionary<string, TenantDocument> _organisations = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, TenantDocument> _teams = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, TenantDocument> _apps = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, KeyDocument> _keys = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, BudgetDocument> _budgets = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, TokenDocument> _tokens = new(StringComparer.Ordinal);

    private TenantView(CatalogSnapshot catalog, long version)
    {
        Catalog = catalog;
        Version = version;
    }

    /// <summary>The configuration whose declarations are in it.</summary>
    public CatalogSnapshot Catalog { get; }

    /// <summary>Of the store.</summary>
    public long Version { get; }
    public IReadOnlyDictionary<string, TenantDocument> Organisations => _organisations;
    public IReadOnlyDictionary<string, TenantDocument> Teams => _teams;
    public IReadOnlyDictionary<string, TenantDocument> Apps => _apps;

    /// <summary>Those of the file without their digests, which are the catalog's.</summary>
    public IReadOnlyDictionary<string, KeyDocument> Keys => _keys;
    public IReadOnlyDictionary<string, BudgetDocument> Budgets => _budgets;
    public IReadOnlyDictionary<string, TokenDocument> Tokens => _tokens;

    /// <exception cref="TenancyStoreException">A stored document cannot be read.</exception>
    public static TenantView Of(CatalogSnapshot catalog, StoredState stored)
    {
        TenantView view = new(catalog, stored.Version);
        foreach (StoredRecord record in stored.Records)
        {
            view.Take(record);
        }

        view.Declare(catalog);
        return view;
    }

    /// <summary>Organisations, teams or apps.</summary>
    public IReadOnlyDictionary<string, TenantDocument> Tenants(string kind) => kind switch
    {
        OrganisationKind => Organisations,
        TeamKind => Teams,
        _ => Apps,
    };

    /// <summary>An app, its team and that one's organisation, as far as they are known; the narrowest first.</summary>
    public IEnumerable<(string Kind, TenantDocument Tenant)> Above(string? app)
    {
        string? team = null;
        if (app is not null && Apps.TryGetValue(app, out TenantDocument? found))
        {
            team = found.Team;
            yield return (AppKind, found);
        }

        string? organisation = null;
        if (team is not null && Teams.TryGetValue(team, out found))
        {
            organisation = found.Organisation;
            yield return (TeamKind, found);
        }

        if (organisation is not null && Organisations.TryGetValue(organisation, out found))
        {
            yield return (OrganisationKind, found);
        }
    }

    /// <summary>The key as it is at this moment: its own grant, cut down to that of everything above it.</summary>
    public ApiKey Bound(ApiKey key)
    {
        (string Kind, TenantDocument Tenant)[] above = [.. Above(key.App)];
        DataAllowance allow = key.Allow;
        IReadOnlySet<string>? models = key.Models;
        foreach ((_, TenantDocument tenant) in above)
        {
            allow = allow.And(AllowanceOf(tenant.Allow));
            models = Both(models, tenant.Models);
        }

        ApiKey bound = key with
        {
            Tier = above.FirstOrDefault(static one => one.Kind == AppKind).Tenant?.Tier ?? key.Tier,
            Team = above.FirstOrDefault(static one => one.Kind == TeamKind).Tenant?.Id,
            Organisation = above.FirstOrDefault(static one => one.Kind == OrganisationKind).Tenant?.Id,
            Allow = allow,
            Models = models,
        };
        return Catalog.Restriction?.Invoke(bound) ?? bound;
    }

    /// <summary>The key that a document made at run time stands for, without a digest and not yet <see cref="Bound"/>.</summary>
    public static ApiKey KeyOf(KeyDocument made, string app) => new()
    {
        Id = made.Id!,
        App = app,
        Digest = default,
        Allow = AllowanceOf(made.Allow),
        LossPolicy = CatalogBuilder.PolicyOf(made.LossPolicy ?? "warn"),
        Models = made.Models?.ToHashSet(StringComparer.Ordinal),
        ExpiresAt = made.ExpiresAt,
        Scopes = KeyScope.Of(made.Scopes),
        RateLimits = RatesOf(made.RateLimits),
    };

    /// <summary>Every key that counts, of the file and made at run time, cut down to what is above it. For analysis: none of them opens anything.</summary>
    public IEnumerable<ApiKey> EveryKey() =>
        Catalog.Keys.Where(key => Keys[key.Id].Source == FromFile).Select(Bound)
            .Concat(Keys.Values.Where(made => made is { Secrets: not null, RevokedAt: null, App: { } app } && Apps.ContainsKey(app)).Select(made => Bound(KeyOf(made, made.App!))));

    public static DataAllowance AllowanceOf(AllowDocument? allow) =>
        CatalogBuilder.AllowanceOf(allow is null ? null : new AllowOptions { Geo = allow.Geo, RetentionDaysMax = allow.RetentionDaysMax, Training = allow.Training });

    public static RateLimitOptions RatesOf(RateLimitsDocument? limits) => limits is null ? new RateLimitOptions() : new RateLimitOptions
    {
        RequestsPerMinute = limits.RequestsPerMinute,
        InputTokensPerMinute = limits.InputTokensPerMinute,
        OutputTokensPerMinute = limits.OutputTokensPerMinute,
        ConcurrentRequests = limits.ConcurrentRequests,
    };

    /// <summary>What is taken out of an app's requests; null where nothing is.</summary>
    public static RedactionOptions? RedactionOf(TenantDocument app)
    {
        RedactionOptions options = new()
        {
            Kinds = app.Redact ?? [],
            Patterns = [.. (app.RedactPatterns ?? new Dictionary<string, string>()).Select(static pattern => new RedactionPattern(pattern.Key, pattern.Value))],
            RedactsAnswers = app.RedactAnswers == "redact",
            RefusesUnreadable = app.RedactUnreadable != "pass",
        };
        return options.IsEmpty ? null : options;
    }

    private static IReadOnlySet<string>? Both(IReadOnlySet<string>? one, IReadOnlyList<string>? other) =>
        other is null ? one : one is null ? other.ToFrozenSet(StringComparer.Ordinal) : one.Intersect(other).ToFrozenSet(StringComparer.Ordinal);

    private void Take(StoredRecord record)
    {
        try
        {
            switch (record.Kind)
            {
                case OrganisationKind:
                    _organisations[record.Id] = Read(record, TenancyJson.Default.TenantDocument);
                    break;
                case TeamKind:
                    _teams[record.Id] = Read(record, TenancyJson.Default.TenantDocument);
                    break;
                case AppKind:
                    _apps[record.Id] = Read(record, TenancyJson.Default.TenantDocument);
                    break;
                case KeyKind:
                    _keys[record.Id] = Read(record, TenancyJson.Default.KeyDocument);
                    break;
                case BudgetKind:
                    _budgets[record.Id] = Read(record, TenancyJson.Default.BudgetDocument);
                    break;
                case TokenKind:
                    _tokens[record.Id] = Read(record, TenancyJson.Default.TokenDocument);
                    break;
            }
        }
        catch (JsonException failure)
        {
            throw new TenancyStoreException($"The stored {record.Kind} '{record.Id}' cannot be read: it was written by a newer Ballast, or the store is damaged.", failure);
        }
    }

    private static T Read<T>(StoredRecord record, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : TenancyDocument =>
        JsonSerializer.Deserialize(record.Body, type)! with { Id = record.Id, Revision = record.Revision, Source = FromApi };

    private void Declare(CatalogSnapshot catalog)
    {
        foreach (TenantOptions one in catalog.Tenancy.Organisations)
        {
            _organisations[one.Id] = DocumentOf(one);
        }

        foreach (TenantOptions one in catalog.Tenancy.Teams)
        {
            _teams[one.Id] = DocumentOf(one) with { Organisation = one.Parent };
        }

        foreach (TenantOptions one in catalog.Tenancy.Apps)
        {
            _apps[one.Id] = DocumentOf(one) with
            {
                Team = one.Parent,
                Owner = one.Owner,
                Tier = one.Tier,
                DataClass = one.DataClass,
                Redact = one.Redaction?.Kinds,
                RedactPatterns = one.Redaction is { Patterns.Count: > 0 } redaction ? redaction.Patterns.ToDictionary(static pattern => pattern.Name, static pattern => pattern.Pattern) : null,
                RedactAnswers = one.Redaction is { RedactsAnswers: true } ? "redact" : null,
                RedactUnreadable = one.Redaction is { RefusesUnreadable: false } ? "pass" : null,
                WhenStoreIsLost = one.RefusesWhenStale ? "refuse" : "serve",
            };
        }

        foreach (ApiKey key in catalog.Keys)
        {
            // An app that is named by a key alone is one without a team.
            _apps.TryAdd(key.App, new TenantDocument { Id = key.App, Source = FromFile, Revision = 0 });
            _keys[key.Id] = DocumentOf(key);
        }

        foreach (BudgetOptions budget in catalog.Tenancy.Budgets)
        {
            _budgets[budget.Id] = DocumentOf(budget);
        }
    }

    private static TenantDocument DocumentOf(TenantOptions written) => new()
    {
        Id = written.Id,
        Source = FromFile,
        Revision = 0,
        Allow = written.Allow is { } allow ? new AllowDocument { Geo = allow.Geo, RetentionDaysMax = allow.RetentionDaysMax, Training = allow.Training } : null,
        Models = written.Models,
        RateLimits = DocumentOf(written.RateLimits),
    };

    private static KeyDocument DocumentOf(ApiKey key) => new()
    {
        Id = key.Id,
        Source = FromFile,
        Revision = 0,
        App = key.App,
        Scopes = key.Scopes == KeyScopes.All ? null : [.. KeyScopeName.All.Where(word => key.Scopes.HasFlag(KeyScope.Of([word])))],
        Allow = key.Allow == DataAllowance.Everything ? null
            : new AllowDocument { Geo = key.Allow.Geos is { } geos ? [.. geos.Order(StringComparer.Ordinal)] : null, RetentionDaysMax = key.Allow.RetentionDaysMax, Training = key.Allow.Training },
        Models = key.Models is { } models ? [.. models.Order(StringComparer.Ordinal)] : null,
        RateLimits = DocumentOf(key.RateLimits),
        LossPolicy = key.LossPolicy switch { LossPolicy.Strict => "strict", LossPolicy.Allow => "allow", _ => "warn" },
        ExpiresAt = key.ExpiresAt,
    };

    private static RateLimitsDocument? DocumentOf(RateLimitOptions limits) => limits.IsEmpty ? null : new RateLimitsDocument
    {
        RequestsPerMinute = limits.RequestsPerMinute,
        InputTokensPerMinute = limits.InputTokensPerMinute,
        OutputTokensPerMinute = limits.OutputTokensPerMinute,
        ConcurrentRequests = limits.ConcurrentRequests,
    };

    private static BudgetDocument DocumentOf(BudgetOptions budget) => new()
    {
        Id = budget.Id,
        Source = FromFile,
        Revision = 0,
        Organisation = budget.SubjectKind == OrganisationKind ? budget.Subject : null,
        Team = budget.SubjectKind == TeamKind ? budget.Subject : null,
        App = budget.SubjectKind == AppKind ? budget.Subject : null,
        Key = budget.SubjectKind == KeyKind ? budget.Subject : null,
        Usd = budget.Usd,
        Tokens = budget.Tokens,
        Period = budget.Period,
        Zone = budget.Zone,
        AlertAt = budget.AlertAt,
        Hard = budget.IsHard,
        UnpricedRequestUsd = budget.UnpricedRequestUsd,
        UnpricedBatchUsd = budget.UnpricedBatchUsd,
    };

    /// <summary>The budget as it is enforced.</summary>
    public static BudgetOptions OptionsOf(BudgetDocument budget) => new()
    {
        Id = budget.Id!,
        SubjectKind = budget.Organisation is not null ? OrganisationKind : budget.Team is not null ? TeamKind : budget.App is not null ? AppKind : KeyKind,
        Subject = budget.Organisation ?? budget.Team ?? budget.App ?? budget.Key ?? "",
        Usd = budget.Usd,
        Tokens = budget.Tokens,
        Period = budget.Period ?? "month",
        Zone = budget.Zone ?? "UTC",
        AlertAt = budget.AlertAt is { } shares ? [.. shares.Order()] : [],
        IsHard = budget.Hard ?? true,
        UnpricedRequestUsd = budget.UnpricedRequestUsd,
        UnpricedBatchUsd = budget.UnpricedBatchUsd,
    };
}
