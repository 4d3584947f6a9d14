namespace Ballast.Configuration;

/// <summary>Judges organisations, teams, apps and budgets: names that name nothing, and grants that are wider than the grant above them.</summary>
internal static class TenancyValidator
{
    public const int TenantsMax = 10_000;

    public static void Validate(BallastOptions options, Judge judge)
    {
        TenancyOptions tenancy = options.Tenancy;
        if (tenancy.Organisations.Count + tenancy.Teams.Count + tenancy.Apps.Count > TenantsMax)
        {
            judge.Error("apps", $"more than {TenantsMax} organisations, teams and apps", "");
        }

        if (tenancy.IsShared)
        {
            ValidateShared(options, judge);
        }

        Known(tenancy.Teams, "teams", tenancy.Organisations, "organisation", judge);
        Known(tenancy.Apps, "apps", tenancy.Teams, "team", judge);
        if (tenancy.Apps.Count > 0)
        {
            ValidateKeys(options, judge);
        }

        foreach (BudgetOptions budget in tenancy.Budgets.Where(static budget => budget.Subject.Length > 0))
        {
            IEnumerable<string> names = budget.SubjectKind switch
            {
                "organisation" => tenancy.Organisations.Select(static one => one.Id),
                "team" => tenancy.Teams.Select(static one => one.Id),
                "app" => tenancy.Apps.Select(static one => one.Id).Concat(options.Keys.Select(static key => key.App ?? key.Id)),
                _ => options.Keys.Select(static key => key.Id),
            };
            if (!names.Contains(budget.Subject))
            {
                judge.Warning(
                    SourceMap.Join(SourceMap.Join("budgets", budget.Id), budget.SubjectKind), $"there is no {budget.SubjectKind} '{budget.Subject}' in this file",
                    NearestName.Hint(budget.Subject, names, "it counts once one is made through the administration port"));
            }
        }
    }

    /// <summary>Gateways that share keys have one database and one pepper.</summary>
    private static void ValidateShared(BallastOptions options, Judge judge)
    {
        if (options.Ledger.Connection is null)
        {
            judge.Error("tenancy.store", "'postgres' is the ledger's database, and the ledger has none", "write store: postgres and a connection under 'ledger:'");
        }

        if (options.Tenancy.Pepper is null)
        {
            judge.Error("tenancy.store", "'postgres' needs the pepper that all gateways on it have", "such as pepper_env: BALLAST_PEPPER");
        }

        if (options.Tenancy.Path is not null)
        {
            judge.Error("tenancy.path", "'path' is for store: sqlite", "leave it out");
        }
    }

    private static void Known(IReadOnlyList<TenantOptions> children, string list, IReadOnlyList<TenantOptions> parents, string key, Judge judge)
    {
        foreach (TenantOptions child in children.Where(static child => child.Parent is not null))
        {
            TenantOptions? parent = parents.FirstOrDefault(one => one.Id == child.Parent);
            string path = SourceMap.Join(list, child.Id);
            if (parent is null)
            {
                judge.Error(SourceMap.Join(path, key), $"there is no {key} '{child.Parent}'", NearestName.Hint(child.Parent!, parents.Select(static one => one.Id), $"add it under '{key}s:'"));
                continue;
            }

            Within(child.Allow, child.Models, parent, path, key, judge);
        }
    }

    private static void ValidateKeys(BallastOptions options, Judge judge)
    {
        foreach (KeyOptions key in options.Keys)
        {
            if (options.Tenancy.Apps.FirstOrDefault(app => app.Id == (key.App ?? key.Id)) is { } app)
            {
                Within(key.Allow, key.Models, app, SourceMap.Join("keys", key.Id), "app", judge);
            }
        }
    }

    /// <summary>What is written wider than the grant above is cut down where it is used; to write it is a mistake all the same.</summary>
    private static void Within(AllowOptions? allow, IReadOnlyList<string>? models, TenantOptions parent, string path, string key, Judge judge)
    {
        string hint = $"a grant is never wider than that of its {key} '{parent.Id}'";
        if (allow?.Geo is { } geos && parent.Allow?.Geo is { } over && geos.FirstOrDefault(geo => !over.Contains(geo)) is { } beyond)
        {
            judge.Error(SourceMap.Join(path, "allow"), $"geography '{beyond}' is not allowed above", hint);
        }

        if (allow?.RetentionDaysMax > parent.Allow?.RetentionDaysMax)
        {
            judge.Error(SourceMap.Join(path, "allow"), "'retention_days_max' is more than is allowed above", hint);
        }

        if (allow is { Training: true } && parent.Allow is { Training: false })
        {
            judge.Error(SourceMap.Join(path, "allow"), "'training' is not allowed above", hint);
        }

        if (models is not null && parent.Models is { } may && models.FirstOrDefault(model => !may.Contains(model)) is { } other)
        {
            judge.Error(SourceMap.Join(path, "models"), $"model '{other}' is not allowed above", hint);
        }
    }
}
