using System.Runtime.CompilerServices;
using Ballast.Catalog;
using Ballast.Configuration.Policies;
using Ballast.Protocols.Conversation;

namespace Ballast.Routing.Shares;

/// <summary>
/// A balance policy made for one catalog: rules as buckets, and for each model and key which of them apply. The masks are worked out once; a request looks them up.
/// The book inside is guarded by <see cref="ShareControl"/>.
/// </summary>
public sealed class SharePolicy
{
    /// <summary>Default bursts: two and a half of the largest usual requests.</summary>
    public const double TokenBurst = 150_000;
    public const double RequestBurst = 32;
    public const double UsdBurst = 500_000; // half a dollar

    private readonly ConditionalWeakTable<Model, ModelShares> _models = [];
    private readonly ConditionalWeakTable<ApiKey, KeyShares> _keys = [];
    private readonly ComponentMap _components;
    private readonly Criticality _criticality;
    private readonly (PolicyMatch Match, ulong Rules)[] _scopes;

    private SharePolicy(PolicyOptions options, string digest, IReadOnlyList<ShareRule> rules, IReadOnlyList<(PolicyMatch, ulong)> scopes, ComponentMap components)
    {
        Options = options;
        Digest = digest;
        Book = new ShareBook(rules);
        _scopes = [.. scopes];
        _components = components;
        _criticality = new Criticality(options.Criticality);
        Affinity = options.Affinity;
        DebtMax = options.Affinity is { } affinity ? affinity.DebtMax ?? 4 * BurstOf(options.Unit) : 0;
    }

    public PolicyOptions Options { get; }

    /// <summary>SHA-256 of the policy's text, in hex.</summary>
    public string Digest { get; }
    public ShareBook Book { get; }
    public AffinityOptions? Affinity { get; }
    internal SessionTable Sessions { get; } = new();
    internal double DebtMax { get; }

    /// <summary>One rule where a component is named; one for each of its kind in the catalog where it says <c>any</c>.</summary>
    /// <exception cref="ArgumentException">More rules than one book holds.</exception>
    public static SharePolicy Compile(PolicyOptions options, string digest, CatalogSnapshot catalog, ComponentMap components)
    {
        List<ShareRule> rules = [];
        List<(PolicyMatch, ulong)> scopes = [];
        foreach (PolicyScopeOptions scope in options.Scopes)
        {
            ulong mask = 0;
            foreach (ShareRule rule in scope.Rules.SelectMany(written => Expand(written, scope, options.Unit, catalog, components)))
            {
                mask |= rules.Count < ShareBook.RulesMax ? 1UL << rules.Count : throw new ArgumentException($"A policy has at most {ShareBook.RulesMax} caps and floors.", nameof(options));
                rules.Add(rule);
            }

            scopes.Add((scope.Match, mask));
        }

        return new SharePolicy(options, digest, rules, scopes, components);
    }

    /// <summary>What a key may be used for under the policy's residency, which nothing relaxes.</summary>
    public static ApiKey Restrict(ApiKey key, PolicyOptions options)
    {
        Criticality criticality = new(options.Criticality);
        DataAllowance allow = key.Allow;
        foreach (ResidencyOptions rule in options.Residency)
        {
            if (IsOf(rule.Match, key, criticality))
            {
                allow = allow.And(new DataAllowance(rule.Geo?.ToHashSet(StringComparer.Ordinal), rule.RetentionDaysMax, rule.Training));
            }
        }

        return allow == key.Allow ? key : key with { Allow = allow };
    }

    public static double BurstOf(ShareUnit unit) => unit switch { ShareUnit.Usd => UsdBurst, ShareUnit.Requests => RequestBurst, _ => TokenBurst };

    /// <summary>Expected size of a request in the policy's unit: tokens, requests, or millionths of a dollar.</summary>
    public double Units(Deployment deployment, double inputTokens, double outputTokens, DateTimeOffset at) => Options.Unit switch
    {
        ShareUnit.Requests => 1,
        ShareUnit.Usd => deployment.Prices?.At(at)?.For((long)inputTokens) is { } price ? (inputTokens * (double)price.Input) + (outputTokens * (double)price.Output) : 0,
        _ => inputTokens + outputTokens,
    };

    /// <summary>True size.</summary>
    public double Units(Deployment deployment, Usage usage, DateTimeOffset at)
    {
        if (Options.Unit != ShareUnit.Usd)
        {
            return Units(deployment, usage.TotalInputTokens, usage.OutputTokens, at);
        }

        return deployment.Prices?.At(at, usage.ServiceTier)?.For(usage.TotalInputTokens) is not { } price ? 0 : (double)((usage.InputTokens * price.Input)
            + (usage.CacheReadTokens * price.CacheRead) + (usage.CacheWriteTokens * price.CacheWrite) + (usage.CacheWriteLongTokens * price.CacheWriteLong)
            + (usage.OutputTokens * price.Output));
    }

    /// <summary>Adds a request to what each rule's group and scope had without the policy.</summary>
    /// <param name="served">Who answered it.</param>
    /// <param name="model">What was asked for.</param>
    /// <param name="key">Who asked.</param>
    /// <param name="units">Its size.</param>
    /// <param name="group">By rule.</param>
    /// <param name="total">By rule.</param>
    public void AddAsServed(Deployment served, Model model, ApiKey key, double units, double[] group, double[] total)
    {
        ulong rules = RulesOf(key, Of(model));
        ulong members = MembersOf(served);
        for (int rule = 0; rule < total.Length; rule++)
        {
            ulong bit = 1UL << rule;
            total[rule] += (rules & bit) != 0 ? units : 0;
            group[rule] += (rules & members & bit) != 0 ? units : 0;
        }
    }

    /// <summary>Rules whose scopes a request of this key for this model belongs to.</summary>
    internal ulong RulesOf(ApiKey key, ModelShares model) => model.Rules & RulesOf(key);

    internal ModelShares Of(Model model) => _models.TryGetValue(model, out ModelShares? known) ? known : _models.GetValue(model, Make);

    /// <summary>Its requests are refused before a cap gives way.</summary>
    internal bool YieldsFirst(ApiKey key) => Of(key).YieldsFirst;

    private ulong RulesOf(ApiKey key) => Of(key).Rules;

    private KeyShares Of(ApiKey key) => _keys.TryGetValue(key, out KeyShares? known) ? known : _keys.GetValue(key, MakeKey);

    private KeyShares MakeKey(ApiKey key)
    {
        ulong rules = 0;
        foreach ((PolicyMatch match, ulong own) in _scopes)
        {
            rules |= IsOf(match, key, _criticality) ? own : 0;
        }

        return new KeyShares(rules, _criticality.TierOf(key) >= Options.ShedFromTier);
    }

    private static bool IsOf(PolicyMatch match, ApiKey key, Criticality criticality) =>
        (match.Apps.Count == 0 || match.Apps.Contains(key.App))
        && (match.Keys.Count == 0 || match.Keys.Contains(key.Id))
        && (match.Tiers.Count == 0 || match.Tiers.Contains(criticality.TierOf(key)));

    private ModelShares Make(Model model)
    {
        ulong rules = 0;
        foreach ((PolicyMatch match, ulong own) in _scopes)
        {
            rules |= match.Models.Count == 0 || match.Models.Contains(model.Name) ? own : 0;
        }

        int count = Math.Min(model.Candidates.Count, ShareClass.CandidatesMax);
        ulong[] members = [.. model.Candidates.Take(count).Select(candidate => MembersOf(candidate.Deployment))];
        double[]? weights = model.Selection == Selection.Ordered ? null : [.. model.Candidates.Take(count).Select(static candidate => candidate.Weight)];
        return new ModelShares(model, rules, members, weights);
    }

    private ulong MembersOf(Deployment deployment)
    {
        HashSet<Component> needs = [.. _components.Of(deployment).Select(static edge => edge.Component)];
        ulong members = 0;
        for (int index = 0; index < Book.Rules.Count; index++)
        {
            ShareRule rule = Book.Rules[index];
            members |= needs.Contains(rule.Target) != rule.IsFloor ? 1UL << index : 0;
        }

        return members;
    }

    private static IEnumerable<ShareRule> Expand(ShareRuleOptions written, PolicyScopeOptions scope, ShareUnit unit, CatalogSnapshot catalog, ComponentMap components)
    {
        ComponentKind kind = ComponentKindName.Find(written.Kind) ?? throw new InvalidOperationException($"'{written.Kind}' is no kind of component.");
        IEnumerable<string> names = written.Name is { } one ? [one]
            : catalog.Deployments.Values.SelectMany(components.Of).Where(edge => edge.Component.Kind == kind).Select(static edge => edge.Component.Name)
                .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        return names.Select(name => new ShareRule
        {
            Id = written.Name is null ? $"{written.Id}:{name}" : written.Id,
            Scope = scope.Id,
            Target = new Component(kind, name),
            IsFloor = written.IsFloor,
            Share = written.Share,
            IsHard = written.IsHard,
            Sheds = written.Sheds,
            Wait = written.Wait,
            Burst = written.Burst is { } burst ? unit == ShareUnit.Usd ? burst * 1e6 : burst : BurstOf(unit),
        });
    }

    private sealed record KeyShares(ulong Rules, bool YieldsFirst);
}
