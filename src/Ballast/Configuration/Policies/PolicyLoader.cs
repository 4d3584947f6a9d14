using System.Text;

namespace Ballast.Configuration.Policies;

/// <summary>What came of reading a policy: options only where there is no error.</summary>
public sealed record PolicyLoadResult
{
    public PolicyOptions? Options { get; init; }
    public IReadOnlyList<ConfigurationFault> Faults { get; init; } = [];

    /// <summary>Keys by kind of section, as the reader asked for them.</summary>
    public IReadOnlyDictionary<string, IReadOnlyCollection<string>> KnownKeys { get; init; } = new Dictionary<string, IReadOnlyCollection<string>>();
}

/// <summary>Reads <c>kind: BalancePolicy</c>. All faults are reported at once, with their places.</summary>
public static class PolicyLoader
{
    public const string ApiVersion = "ballast/v1";
    public const string Kind = "BalancePolicy";

    /// <summary>Largest file taken, in bytes.</summary>
    public const int FileBytesMax = 256 * 1024;

    private const int TierMax = 9;
    private const double BurstMax = 1e12;

    private static readonly TimeSpan s_waitDefault = TimeSpan.FromSeconds(5);

    /// <param name="yaml">The text.</param>
    /// <param name="kinds">Words for kinds of components.</param>
    public static PolicyLoadResult Load(string yaml, IReadOnlyList<string> kinds)
    {
        LoadContext context = new("policy.yaml", static _ => null, TimeProvider.System);
        if (Encoding.UTF8.GetByteCount(yaml) > FileBytesMax)
        {
            context.Faults.Error("", 0, 0, $"the file is larger than {FileBytesMax / 1024} KiB", "");
            return new PolicyLoadResult { Faults = context.Faults.ToList() };
        }

        YamlTree? root = YamlTreeReader.Read(yaml, context.Faults, "apiVersion: ballast/v1");
        if (root is not null and not YamlMap)
        {
            context.Faults.Error("", root.Line, root.Column, $"the file must be a mapping, not {root.Describe()}", $"begin with 'apiVersion: {ApiVersion}'");
        }

        PolicyOptions? options = root is YamlMap map ? Read(context, new SectionReader(context, "policy", "", map), kinds) : null;
        return new PolicyLoadResult
        {
            Options = context.Faults.HasErrors ? null : options,
            Faults = context.Faults.ToList(),
            KnownKeys = context.KnownKeys,
        };
    }

    private static PolicyOptions Read(LoadContext context, SectionReader file, IReadOnlyList<string> kinds)
    {
        file.OneOf("apiVersion", [ApiVersion]);
        file.OneOf("kind", [Kind]);
        SectionReader? metadata = file.Section("metadata", "metadata");
        string? name = metadata?.Reference("name");
        int? version = metadata?.Whole("version", 1, int.MaxValue);
        IReadOnlyList<string> approved = Texts(metadata?.Scalars("approved_by"));
        metadata?.End();
        metadata?.Require("name", "a name for this policy");
        metadata?.Require("version", "a whole number that grows with every change");
        SectionReader? units = file.Section("units", "units");
        string? unit = units?.OneOf("share", ["tokens", "usd", "requests"]);
        units?.End();
        PolicyOptions options = new()
        {
            Name = name ?? "",
            Version = version ?? 0,
            ApprovedBy = approved,
            Unit = unit switch { "usd" => ShareUnit.Usd, "requests" => ShareUnit.Requests, _ => ShareUnit.Tokens },
            Scopes = [.. Sections(context, file, "scopes", "scope").Select(section => ReadScope(context, section, kinds))],
            Residency = [.. Sections(context, file, "residency", "residency").Select(ReadResidency)],
            Substitutes = [.. Sections(context, file, "substitutes", "substitute").Select(ReadSubstitute)],
            Affinity = ReadAffinity(file.Section("affinity", "affinity")),
            Criticality = ReadCriticality(file),
            ShedFromTier = ReadPrecedence(file.Section("precedence", "precedence")),
            Source = context.Source,
        };
        file.End();
        file.Require("apiVersion", ApiVersion);
        file.Require("kind", Kind);
        file.Require("metadata", "metadata: { name: group-default, version: 1 }");
        CheckIds(file, options);
        return options;
    }

    private static int ReadPrecedence(SectionReader? section)
    {
        int? tier = section?.Whole("shed_from_tier", 2, TierMax + 1);
        section?.End();
        return tier ?? PolicyOptions.ShedFromTierDefault;
    }

    private static void CheckIds(SectionReader file, PolicyOptions options)
    {
        HashSet<string> ids = new(StringComparer.Ordinal);
        foreach ((string id, string path) in options.Scopes.SelectMany(static scope =>
            scope.Rules.Select(static rule => (rule.Id, rule.Path)).Concat(scope.Survive.Select(static rule => (rule.Id, rule.Path))).Append((Id: "scope " + scope.Id, scope.Path))))
        {
            if (!ids.Add(id))
            {
                file.ErrorAt(path, $"the id '{id}' is used twice", "ids are what reports and events name a rule by");
            }
        }
    }

    private static PolicyScopeOptions ReadScope(LoadContext context, SectionReader section, IReadOnlyList<string> kinds)
    {
        string? id = section.Text("id");
        PolicyMatch match = ReadMatch(section.Section("match", "match"));
        List<ShareRuleOptions> rules = [];
        List<SurvivalOptions> survive = [];
        foreach (SectionReader rule in Sections(context, section, "rules", "rule"))
        {
            ReadRule(rule, kinds, rules, survive);
        }

        section.End();
        section.Require("id", "a name for this scope, such as org");
        return new PolicyScopeOptions { Id = id ?? "", Match = match, Rules = rules, Survive = survive, Path = section.Path };
    }

    private static PolicyMatch ReadMatch(SectionReader? section)
    {
        if (section is null)
        {
            return PolicyMatch.Everything;
        }

        List<int> tiers = [];
        foreach ((YamlScalar value, string path) in section.Scalars("tiers") ?? [])
        {
            if (int.TryParse(value.Text, out int tier) && tier is >= 1 and <= TierMax)
            {
                tiers.Add(tier);
            }
            else
            {
                section.Fault(value, path, "a tier is a whole number", $"from 1, the most critical, to {TierMax}");
            }
        }

        PolicyMatch match = new()
        {
            Apps = Texts(section.Scalars("apps")),
            Keys = Texts(section.Scalars("keys")),
            Models = Texts(section.Scalars("models")),
            Tiers = tiers,
        };
        section.End();
        return match;
    }

    private static void ReadRule(SectionReader section, IReadOnlyList<string> kinds, List<ShareRuleOptions> rules, List<SurvivalOptions> survive)
    {
        string? id = section.Text("id");
        SectionReader? cap = section.Section("cap", "component");
        SectionReader? floor = section.Section("floor", "component");
        SectionReader? survival = section.Section("survive", "survival");
        decimal? share = section.Number("share", 0, 1);
        string? enforce = section.OneOf("enforce", ["hard", "soft"]);
        string? conflict = section.OneOf("on_conflict", ["serve", "shed", "queue"]);
        TimeSpan? wait = section.Duration("wait", TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));
        decimal? burst = section.Number("burst", 1, (decimal)BurstMax);
        string? purpose = section.Text("purpose");
        section.End();
        section.Require("id", "what reports and events name this rule by");
        if ((cap is null ? 0 : 1) + (floor is null ? 0 : 1) + (survival is null ? 0 : 1) != 1)
        {
            section.Error("id", "a rule is exactly one of 'cap', 'floor' and 'survive'", "cap: { platform: azure }");
            return;
        }

        if (wait is not null && conflict != "queue")
        {
            section.Error("wait", "'wait' is for rules whose requests wait for room", "on_conflict: queue");
        }

        if (survival is not null)
        {
            string[] any = [.. Texts(survival.Scalars("any")).Where(kind => IsKind(survival, "any", kind, kinds))];
            decimal? keep = survival.Number("keep", 0, 1);
            TimeSpan? within = survival.Duration("within", TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
            survival.End();
            survival.Require("any", "any: [platform, vendor, region]");
            survive.Add(new SurvivalOptions { Id = id ?? "", Any = any, Keep = (double)(keep ?? 1), Within = within, Path = section.Path });
            return;
        }

        section.Require("share", "a part of the scope's traffic from 0 to 1");
        (string? kind, string? name) = ReadComponent((cap ?? floor)!, kinds);
        if (kind is not null)
        {
            rules.Add(new ShareRuleOptions
            {
                Id = id ?? "",
                IsFloor = floor is not null,
                Kind = kind,
                Name = name,
                Share = (double)(share ?? 0),
                IsHard = enforce != "soft",
                Sheds = conflict is "shed" or "queue",
                Wait = conflict == "queue" ? wait ?? s_waitDefault : TimeSpan.Zero,
                Burst = (double?)burst,
                Purpose = purpose,
                Path = section.Path,
            });
        }
    }

    /// <summary><c>{ platform: azure }</c>, or <c>{ component: any, dimension: platform }</c> for one rule each.</summary>
    private static (string? Kind, string? Name) ReadComponent(SectionReader section, IReadOnlyList<string> kinds)
    {
        (string? Kind, string? Name) found = default;
        int count = 0;
        foreach (string kind in kinds)
        {
            if (section.Reference(kind) is { } name)
            {
                found = (kind, name);
                count++;
            }
        }

        string? any = section.OneOf("component", ["any"]);
        string? dimension = section.OneOf("dimension", kinds);
        section.End();
        if (any is not null && dimension is not null && count == 0)
        {
            return (dimension, null);
        }

        if (count != 1)
        {
            section.ErrorAt(section.Path, "exactly one component is expected here", "{ platform: azure }, or { component: any, dimension: platform }");
            return default;
        }

        return found;
    }

    private static bool IsKind(SectionReader section, string key, string kind, IReadOnlyList<string> kinds)
    {
        bool isKind = kinds.Contains(kind);
        if (!isKind)
        {
            section.Error(key, $"'{kind}' is no kind of component", NearestName.Hint(kind, kinds, $"one of {string.Join(", ", kinds)}"));
        }

        return isKind;
    }

    private static ResidencyOptions ReadResidency(SectionReader section)
    {
        PolicyMatch match = ReadMatch(section.Section("match", "match"));
        SectionReader? allow = section.Section("allow", "residency_allow");
        string[]? geo = allow?.Scalars("geo") is { } written ? [.. Texts(written)] : null;
        int? retention = allow?.Whole("retention_days_max", 0, 36_500);
        bool? zdr = allow?.Flag("zdr");
        bool? noTrain = allow?.Flag("no_train");
        allow?.End();
        section.End();
        section.Require("allow", "allow: { geo: [eu], zdr: true, no_train: true }");
        return new ResidencyOptions
        {
            Match = match,
            Geo = geo,
            RetentionDaysMax = zdr == true ? 0 : retention,
            Training = noTrain != true,
            Path = section.Path,
        };
    }

    private static SubstituteOptions ReadSubstitute(SectionReader section)
    {
        string? subject = section.Reference("for");
        IReadOnlyList<string> by = Texts(section.Scalars("by"));
        decimal? parity = section.Number("parity", 0, 1);
        section.End();
        section.Require("for", "provider/model");
        section.Require("by", "[provider/model]");
        return new SubstituteOptions { For = subject ?? "", By = by, Parity = (double?)parity, Path = section.Path };
    }

    private static Dictionary<string, int> ReadCriticality(SectionReader file)
    {
        Dictionary<string, int> tiers = new(StringComparer.Ordinal);
        foreach ((string app, string value, string path) in file.NamedTexts("criticality"))
        {
            if (int.TryParse(value, out int tier) && tier is >= 1 and <= TierMax)
            {
                tiers[app] = tier;
            }
            else
            {
                file.ErrorAt(path, $"the tier of '{app}' must be a whole number", $"from 1, the most critical, to {TierMax}");
            }
        }

        return tiers;
    }

    private static AffinityOptions? ReadAffinity(SectionReader? section)
    {
        if (section is null)
        {
            return null;
        }

        section.OneOf("key", ["session"]);
        decimal? debt = section.Number("max_debt", 0, (decimal)BurstMax);
        TimeSpan? ttl = section.Duration("ttl", TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        int? prefix = section.Whole("min_cached_prefix", 1, 1_000_000);
        section.End();
        return new AffinityOptions
        {
            DebtMax = (double?)debt,
            Ttl = ttl ?? AffinityOptions.TtlDefault,
            CachedPrefixMin = prefix ?? AffinityOptions.CachedPrefixDefault,
        };
    }

    private static List<SectionReader> Sections(LoadContext context, SectionReader file, string key, string kind)
    {
        List<SectionReader> sections = [];
        foreach ((YamlTree item, string path) in file.Items(key) ?? [])
        {
            if (item is YamlMap map)
            {
                sections.Add(new SectionReader(context, kind, path, map));
            }
            else
            {
                context.Faults.Error(path, item.Line, item.Column, $"a mapping is expected here, not {item.Describe()}", "");
            }
        }

        return sections;
    }

    private static IReadOnlyList<string> Texts(IReadOnlyList<(YamlScalar Value, string Path)>? scalars) => [.. (scalars ?? []).Select(static scalar => scalar.Value.Text)];
}
