namespace Ballast.Configuration;

/// <summary>Reads <c>tenancy:</c>, <c>organisations:</c>, <c>teams:</c>, <c>apps:</c>, <c>budgets:</c> and <c>alerts:</c>.</summary>
internal static class TenancyReader
{
    /// <summary>Shortest pepper and shortest signing key, in characters.</summary>
    public const int SecretLengthMin = 32;

    /// <summary>Labels of data, the least careful first.</summary>
    public static readonly IReadOnlyList<string> DataClasses = ["public", "internal", "confidential", "restricted"];

    public static readonly IReadOnlyList<string> Periods = ["day", "week", "month"];

    /// <summary>What a budget can be for, from the widest to the narrowest.</summary>
    public static readonly IReadOnlyList<string> Subjects = ["organisation", "team", "app", "key"];

    private const int RateMax = int.MaxValue;

    public static TenancyOptions Read(LoadContext context, SectionReader file)
    {
        TenancyOptions options = ReadStore(context, file.Section("tenancy", "tenancy"));
        return options with
        {
            Organisations = ReadTenants(file, "organisations", "organisation", parent: null),
            Teams = ReadTenants(file, "teams", "team", parent: "organisation"),
            Apps = ReadTenants(file, "apps", "app", parent: "team"),
            Budgets = ReadBudgets(file),
            Alerts = ReadAlerts(context, file.Section("alerts", "alerts")),
        };
    }

    public static RateLimitOptions ReadRates(SectionReader? section)
    {
        if (section is null)
        {
            return new RateLimitOptions();
        }

        RateLimitOptions options = new()
        {
            RequestsPerMinute = section.Whole("requests_per_minute", 1, RateMax),
            InputTokensPerMinute = section.Whole("input_tokens_per_minute", 1, RateMax),
            OutputTokensPerMinute = section.Whole("output_tokens_per_minute", 1, RateMax),
            ConcurrentRequests = section.Whole("concurrent_requests", 1, RateMax),
        };
        section.End();
        return options;
    }

    private static TenancyOptions ReadStore(LoadContext context, SectionReader? section)
    {
        TenancyOptions options = new();
        if (section is null)
        {
            return options;
        }

        options = options with
        {
            IsShared = section.OneOf("store", ["sqlite", "postgres"]) == "postgres",
            Path = section.Text("path") is { } path ? context.Locate(path) : null,
            Pepper = ReadSecret(context, section, "pepper"),
            StaleAfter = section.Duration("stale_after", TimeSpan.FromSeconds(1), TimeSpan.FromDays(30)) ?? options.StaleAfter,
        };
        section.End();
        return options;
    }

    private static SecretOptions? ReadSecret(LoadContext context, SectionReader section, string name)
    {
        SecretOptions? secret = SecretReader.Read(context, section, name, [], literal: null);
        if (secret?.Reveal().Length < SecretLengthMin)
        {
            string way = new[] { name, name + "_env", name + "_file" }.First(key => context.Source.Has(section.PathOf(key)));
            section.Error(way, $"the value of '{way}' is shorter than {SecretLengthMin} characters", "openssl rand -hex 32 makes a good one");
        }

        return secret;
    }

    private static List<TenantOptions> ReadTenants(SectionReader file, string list, string kind, string? parent)
    {
        List<TenantOptions> tenants = [];
        foreach ((string id, SectionReader section) in file.NamedSections(list, kind, ConfiguredName.IsWord, ConfiguredName.WordRule))
        {
            bool isApp = kind == "app";
            tenants.Add(new TenantOptions
            {
                Id = id,
                Parent = parent is null ? null : section.Word(parent),
                Owner = isApp ? section.Text("owner") : null,
                Tier = isApp ? section.Whole("tier", 1, 3) : null,
                DataClass = isApp ? section.OneOf("data_class", DataClasses) : null,
                RefusesWhenStale = !isApp || section.OneOf("when_store_is_lost", ["refuse", "serve"]) != "serve",
                Allow = KeyReader.ReadAllow(section.Section("allow", "allow")),
                Models = KeyReader.ReadModels(section),
                RateLimits = ReadRates(section.Section("rate_limits", "rate_limits")),
                Redaction = isApp ? RedactionReader.Read(section) : null,
            });
            section.End();
        }

        return tenants;
    }

    private static List<BudgetOptions> ReadBudgets(SectionReader file)
    {
        const decimal usdMax = 1_000_000_000m;
        List<BudgetOptions> budgets = [];
        foreach ((string id, SectionReader section) in file.NamedSections("budgets", "budget", ConfiguredName.IsWord, ConfiguredName.WordRule))
        {
            List<(string Kind, string? Id)> subjects = [.. Subjects.Select(kind => (kind, section.Word(kind))).Where(static one => one.Item2 is not null)];
            decimal? usd = section.Number("usd", 0, usdMax);
            decimal? tokens = section.Number("tokens", 1, long.MaxValue);
            string period = section.OneOf("period", Periods) ?? "month";
            string zone = section.Text("zone") ?? "UTC";
            if (!TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
            {
                section.Error("zone", $"there is no time zone '{zone}'", "an IANA name, such as Europe/Berlin");
            }

            BudgetOptions budget = new()
            {
                Id = id,
                SubjectKind = subjects.Count > 0 ? subjects[0].Kind : "app",
                Subject = subjects.Count > 0 ? subjects[0].Id! : "",
                Usd = usd,
                Tokens = (long?)tokens,
                Period = period,
                Zone = zone,
                AlertAt = ReadShares(section),
                IsHard = section.Flag("hard") ?? true,
                UnpricedRequestUsd = section.Number("unpriced_request_usd", 0, usdMax),
                UnpricedBatchUsd = section.Number("unpriced_batch_usd", 0, usdMax),
            };
            section.End();
            if (subjects.Count != 1)
            {
                section.Error("app", $"budget '{id}' must be for exactly one subject", $"one of {string.Join(", ", Subjects)}");
            }

            if (usd is null == tokens is null)
            {
                section.Error("usd", $"budget '{id}' must be in money or in tokens", "usd: 100, or tokens: 1000000");
            }

            budgets.Add(budget);
        }

        return budgets;
    }

    private static List<int> ReadShares(SectionReader section)
    {
        List<int> shares = [];
        foreach ((YamlScalar scalar, string path) in section.Scalars("alert_at") ?? [])
        {
            if (int.TryParse(scalar.Text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int share) && share is >= 1 and <= 100)
            {
                shares.Add(share);
            }
            else
            {
                section.Fault(scalar, path, "an alert is set at a share in per cent, from 1 to 100", "alert_at: [50, 80, 100]");
            }
        }

        shares.Sort();
        return shares;
    }

    private static AlertOptions ReadAlerts(LoadContext context, SectionReader? section)
    {
        if (section is null)
        {
            return new AlertOptions();
        }

        AlertOptions options = new()
        {
            Webhook = section.Address("webhook"),
            Secret = ReadSecret(context, section, "secret"),
            AllowPrivateAddresses = section.Flag("allow_private_addresses") ?? false,
        };
        section.End();
        if (options.Webhook is not null && options.Secret is null)
        {
            section.Require("secret", "secret_env: NAME; alerts are signed with it");
        }

        return options;
    }
}
