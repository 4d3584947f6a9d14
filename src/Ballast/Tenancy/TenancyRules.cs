using Ballast.Catalog;
using Ballast.Configuration;

namespace Ballast.Tenancy;

/// <summary>What a document must be before it is stored: sound by itself, about things that there are, and no wider than the grant above it.</summary>
internal static class TenancyRules
{
    private const int ListMax = 1000;
    private const int TextMax = 200;
    private const decimal UsdMax = 1_000_000_000m;

    public static void Check(TenantView view, string kind, TenantDocument document)
    {
        CheckId(document.Id);
        string? parent = kind == TenantView.TeamKind ? document.Organisation : document.Team;
        (string ParentKind, IReadOnlyDictionary<string, TenantDocument> Parents)? above =
            kind == TenantView.TeamKind ? (TenantView.OrganisationKind, view.Organisations)
            : kind == TenantView.AppKind ? (TenantView.TeamKind, view.Teams)
            : null;
        Refuse(kind != TenantView.TeamKind && document.Organisation is not null, "organisation", $"The organisation of {An(kind)} is not its own field.");
        Refuse(kind != TenantView.AppKind && document.Team is not null, "team", "Only an app has a team.");
        Refuse(
            kind != TenantView.AppKind && (document.Owner ?? document.DataClass ?? document.WhenStoreIsLost ?? document.Tier?.ToString(System.Globalization.CultureInfo.InvariantCulture)) is not null,
            "owner", "Only an app has owner, tier, data_class and when_store_is_lost.");
        if (above is { } known && parent is not null && !known.Parents.ContainsKey(parent))
        {
            throw TenancyProblemException.Invalid(known.ParentKind, $"There is no {known.ParentKind} '{parent}'.");
        }

        Refuse(document.Owner?.Length > TextMax, "owner", $"'owner' is longer than {TextMax} characters.");
        Refuse(document.Tier is < 1 or > 3, "tier", "'tier' is 1, 2 or 3.");
        Among(document.DataClass, TenancyReader.DataClasses, "data_class");
        Among(document.WhenStoreIsLost, ["refuse", "serve"], "when_store_is_lost");
        CheckRates(document.RateLimits);
        CheckRedaction(kind, document);
        IEnumerable<TenantDocument> over = kind switch
        {
            TenantView.TeamKind when parent is not null => [view.Organisations[parent]],
            TenantView.AppKind when parent is not null => view.Teams[parent] is { Organisation: { } organisation } team
                && view.Organisations.TryGetValue(organisation, out TenantDocument? found) ? [team, found] : [view.Teams[parent]],
            _ => [],
        };
        CheckGrant(document.Allow, document.Models, over);
    }

    public static void Check(TenantView view, KeyDocument document, DateTimeOffset now)
    {
        CheckId(document.Id);
        if (document.App is not { } app || !view.Apps.ContainsKey(app))
        {
            throw TenancyProblemException.Invalid("app", document.App is null ? "A key belongs to an app." : $"There is no app '{document.App}'.");
        }

        foreach (string scope in document.Scopes ?? [])
        {
            Among(scope, KeyScopeName.All, "scopes");
        }

        Among(document.LossPolicy, ["strict", "warn", "allow"], "loss_policy");
        Refuse(document.ExpiresAt <= now, "expires_at", "'expires_at' is over already.");
        CheckRates(document.RateLimits);
        CheckGrant(document.Allow, document.Models, view.Above(app).Select(static one => one.Tenant));
    }

    public static void Check(TenantView view, BudgetDocument document)
    {
        CheckId(document.Id);
        (string Kind, string? Id, bool IsKnown)[] subjects =
        [
            (TenantView.OrganisationKind, document.Organisation, document.Organisation is { } one && view.Organisations.ContainsKey(one)),
            (TenantView.TeamKind, document.Team, document.Team is { } two && view.Teams.ContainsKey(two)),
            (TenantView.AppKind, document.App, document.App is { } three && view.Apps.ContainsKey(three)),
            (TenantView.KeyKind, document.Key, document.Key is { } four && view.Keys.ContainsKey(four)),
        ];
        (string Kind, string? Id, bool IsKnown)[] named = [.. subjects.Where(static subject => subject.Id is not null)];
        Refuse(named.Length != 1, "app", "A budget is for exactly one organisation, team, app or key.");
        Refuse(!named[0].IsKnown, named[0].Kind, $"There is no {named[0].Kind} '{named[0].Id}'.");
        Refuse(document.Usd is null == document.Tokens is null, "usd", "A budget is in money (usd) or in tokens.");
        Refuse(document.Usd is < 0 or > UsdMax, "usd", "'usd' is from 0 to a milliard.");
        Refuse(document.Tokens < 1, "tokens", "'tokens' is at least 1.");
        Among(document.Period, TenancyReader.Periods, "period");
        Refuse(document.Zone is { } zone && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _), "zone", "There is no such time zone; it is an IANA name, such as Europe/Berlin.");
        Refuse(document.AlertAt is { Count: > 100 } || document.AlertAt?.Any(static share => share is < 1 or > 100) == true, "alert_at", "'alert_at' holds shares in per cent, from 1 to 100.");
        Refuse(document.UnpricedRequestUsd is < 0 or > UsdMax, "unpriced_request_usd", "'unpriced_request_usd' is at least 0.");
        Refuse(document.UnpricedBatchUsd is < 0 or > UsdMax, "unpriced_batch_usd", "'unpriced_batch_usd' is at least 0.");
    }

    public static void Check(TenantView view, TokenDocument document, DateTimeOffset now)
    {
        CheckId(document.Id);
        if (document.Role is null)
        {
            throw TenancyProblemException.Invalid("role", "A token's role is admin or viewer.");
        }

        Among(document.Role, ["admin", "viewer"], "role");
        Refuse(new[] { document.Organisation, document.Team, document.App }.Count(static one => one is not null) > 1, "app", "A token is for one organisation, team or app, or for everything.");
        if (AdminIdentity.RootOf(document) is { } root && !view.Tenants(root.Kind).ContainsKey(root.Id))
        {
            throw TenancyProblemException.Invalid(root.Kind, $"There is no {root.Kind} '{root.Id}'.");
        }

        Refuse(document.ExpiresAt <= now, "expires_at", "'expires_at' is over already.");
    }

    private static void CheckId(string? id) => Refuse(id is null || !ConfiguredName.IsWord(id), "id", $"'id' is a name: {ConfiguredName.WordRule}.");

    private static void CheckRates(RateLimitsDocument? limits)
    {
        Refuse(limits?.RequestsPerMinute < 1, "rate_limits.requests_per_minute", "A limit is at least 1.");
        Refuse(limits?.InputTokensPerMinute < 1, "rate_limits.input_tokens_per_minute", "A limit is at least 1.");
        Refuse(limits?.OutputTokensPerMinute < 1, "rate_limits.output_tokens_per_minute", "A limit is at least 1.");
        Refuse(limits?.ConcurrentRequests < 1, "rate_limits.concurrent_requests", "A limit is at least 1.");
    }

    private static void CheckRedaction(string kind, TenantDocument document)
    {
        bool hasAny = (document.Redact ?? (object?)document.RedactPatterns ?? document.RedactAnswers ?? document.RedactUnreadable) is not null;
        Refuse(kind != TenantView.AppKind && hasAny, "redact", "Only an app has redact, redact_patterns, redact_answers and redact_unreadable.");
        foreach (string word in document.Redact ?? [])
        {
            Among(word, RedactionOptions.AllKinds, "redact");
        }

        Refuse(document.RedactPatterns?.Count > RedactionReader.PatternsMax, "redact_patterns", $"There may be {RedactionReader.PatternsMax} patterns.");
        foreach ((string name, string pattern) in document.RedactPatterns ?? new Dictionary<string, string>())
        {
            string? fault = RedactionReader.FaultOf(name, pattern);
            Refuse(fault is not null, "redact_patterns", $"{fault}.");
        }

        Among(document.RedactAnswers, ["pass", "redact"], "redact_answers");
        Among(document.RedactUnreadable, ["refuse", "pass"], "redact_unreadable");
    }

    private static void CheckGrant(AllowDocument? allow, IReadOnlyList<string>? models, IEnumerable<TenantDocument> above)
    {
        Refuse(allow?.Geo?.Count > ListMax || allow?.Geo?.All(ConfiguredName.IsWord) == false, "allow.geo", "A geography is a lower-case word.");
        Refuse(allow?.RetentionDaysMax is < 0 or > 36_500, "allow.retention_days_max", "'retention_days_max' is from 0 to 36500.");
        Refuse(models?.Count > ListMax || models?.All(ConfiguredName.IsReference) == false, "models", $"Models are names, {ListMax} at most.");
        foreach (TenantDocument over in above)
        {
            DataAllowance most = TenantView.AllowanceOf(over.Allow);
            Exceeds(over, "allow.geo", allow?.Geo is { } geos && most.Geos is { } may && !geos.All(may.Contains));
            Exceeds(over, "allow.retention_days_max", allow?.RetentionDaysMax > most.RetentionDaysMax);
            Exceeds(over, "allow.training", allow is { Training: true } && !most.Training);
            Exceeds(over, "models", models is not null && over.Models is { } list && !models.All(list.Contains));
        }
    }

    private static void Exceeds(TenantDocument over, string field, bool isMore)
    {
        if (isMore)
        {
            throw new TenancyProblemException(422, "exceeds_grant", $"'{field}' is wider than '{over.Id}' above it allows.", field);
        }
    }

    private static void Among(string? word, IReadOnlyList<string> allowed, string field) =>
        Refuse(word is not null && !allowed.Contains(word), field, $"'{field}' is one of {string.Join(", ", allowed)}.");

    private static void Refuse(bool isWrong, string field, string message)
    {
        if (isWrong)
        {
            throw TenancyProblemException.Invalid(field, message);
        }
    }

    private static string An(string kind) => kind[0] is 'a' or 'o' ? $"an {kind}" : $"a {kind}";
}
