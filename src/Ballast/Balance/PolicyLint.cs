using System.Globalization;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Configuration.Policies;

namespace Ballast.Balance;

/// <summary>
/// Says of a policy, before it is in force, whether it can hold for this catalog: why not, and the smallest change that makes it feasible. An error means that some
/// request would suspend a hard rule even with everything up.
/// </summary>
public sealed class PolicyLint
{
    private const double Tolerance = 1e-9;

    private readonly PolicyOptions _policy;
    private readonly CatalogSnapshot _catalog;
    private readonly ComponentMap _components;
    private readonly Criticality _criticality;
    private readonly List<ConfigurationFault> _faults = [];

    private PolicyLint(PolicyOptions policy, CatalogSnapshot catalog, ComponentMap components)
    {
        (_policy, _catalog, _components) = (policy, catalog, components);
        _criticality = new Criticality(policy.Criticality);
    }

    public static IReadOnlyList<ConfigurationFault> Check(PolicyOptions policy, CatalogSnapshot catalog, ComponentMap components)
    {
        PolicyLint lint = new(policy, catalog, components);
        foreach (PolicyScopeOptions scope in policy.Scopes)
        {
            lint.CheckNames(scope);
            lint.CheckFloors(scope);
            lint.CheckClasses(scope);
            lint.CheckSurvival(scope);
        }

        lint.CheckResidency();
        lint.CheckSubstitutes();
        lint.CheckPrices();
        return lint._faults;
    }

    private void CheckNames(PolicyScopeOptions scope)
    {
        HashSet<Component> known = [.. _catalog.Deployments.Values.SelectMany(_components.Of).Select(static edge => edge.Component)];
        foreach (ShareRuleOptions rule in scope.Rules.Where(static rule => rule.Name is not null))
        {
            if (!known.Contains(Target(rule)))
            {
                string[] names = [.. known.Where(component => ComponentKindName.Of(component.Kind) == rule.Kind).Select(static component => component.Name).Order(StringComparer.Ordinal)];
                Add(rule.Path, $"no deployment has {rule.Kind} '{rule.Name}': this rule {(rule.IsFloor ? "can never be met" : "never binds")}",
                    (NearestName.Find(rule.Name!, names) is { } near ? $"did you mean '{near}'? " : "") + (names.Length == 0 ? $"nothing has a {rule.Kind}: see policies/components.yaml" : $"known: {string.Join(", ", names)}"), isWarning: !rule.IsFloor || !rule.IsHard);
            }
        }

        foreach (string model in scope.Match.Models.Where(model => !_catalog.Models.ContainsKey(model)))
        {
            Add(scope.Path, $"there is no model '{model}'", NearestName.Hint(model, _catalog.ModelOrder.Select(static known => known.Name), "the scope's 'match.models' names models of the configuration"), isWarning: true);
        }

        CheckWho(scope.Match, scope.Path);
    }

    /// <summary>Whom nobody is does not hold anybody: a slip in a name would leave a scope, or the data of an app, without its rules.</summary>
    private void CheckWho(PolicyMatch match, string path)
    {
        string[] apps = [.. _catalog.Keys.Select(static key => key.App).Distinct(StringComparer.Ordinal)];
        foreach (string app in match.Apps.Where(app => !apps.Contains(app, StringComparer.Ordinal)))
        {
            Add(path, $"no key of the configuration belongs to app '{app}'", NearestName.Hint(app, apps, "apps made at run time are not looked at here"), isWarning: true);
        }

        foreach (string id in match.Keys.Where(id => _catalog.Keys.All(key => key.Id != id)))
        {
            Add(path, $"the configuration has no key '{id}'", NearestName.Hint(id, _catalog.Keys.Select(static key => key.Id), "keys made at run time are not looked at here"), isWarning: true);
        }
    }

    /// <summary>Floors of one kind of component part the traffic: together they cannot want more than all of it, and no more than caps leave.</summary>
    private void CheckFloors(PolicyScopeOptions scope)
    {
        foreach (IGrouping<string, ShareRuleOptions> kind in scope.Rules.Where(static rule => rule is { IsFloor: true, IsHard: true, Name: not null }).GroupBy(static rule => rule.Kind))
        {
            double sum = kind.Sum(static rule => rule.Share);
            if (sum > 1 + Tolerance)
            {
                ShareRuleOptions largest = kind.MaxBy(static rule => rule.Share)!;
                Add(largest.Path, $"the floors on {kind.Key} add up to {Percent(sum)}, and there is only 100 %: {List(kind)}",
                    $"lower '{largest.Id}' by {Percent(sum - 1)}, to {Percent(largest.Share - (sum - 1))}", isWarning: false);
            }
        }

        foreach (ShareRuleOptions floor in scope.Rules.Where(static rule => rule is { IsFloor: true, Name: not null }))
        {
            ShareRuleOptions? cap = scope.Rules.FirstOrDefault(rule => rule is { IsFloor: false } && rule.Kind == floor.Kind && rule.Name == floor.Name && rule.Share < floor.Share - Tolerance);
            if (cap is not null)
            {
                Add(floor.Path, $"'{floor.Id}' wants at least {Percent(floor.Share)} of what '{cap.Id}' allows at most {Percent(cap.Share)} of",
                    $"raise '{cap.Id}' to {Percent(floor.Share)}, or lower '{floor.Id}' to {Percent(cap.Share)}", isWarning: !(floor.IsHard && cap.IsHard));
            }
        }
    }

    /// <summary>
    /// Traffic may turn out to be all of one class, so every class must be able to hold the caps alone: for each kind of component the caps on what its candidates
    /// have must leave room for all of it.
    /// </summary>
    private void CheckClasses(PolicyScopeOptions scope)
    {
        HashSet<string> told = [];
        foreach ((ApiKey key, Model model, Deployment[] lawful) in Classes(scope))
        {
            foreach (string kind in scope.Rules.Where(static rule => rule is { IsFloor: false, IsHard: true }).Select(static rule => rule.Kind).Distinct(StringComparer.Ordinal))
            {
                ComponentKind dimension = ComponentKindName.Find(kind)!.Value;
                string[] groups = [.. lawful.SelectMany(deployment => _components.Of(deployment)).Where(edge => edge.Component.Kind == dimension).Select(static edge => edge.Component.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
                if (groups.Length == 0 || lawful.Any(deployment => _components.Of(deployment).All(edge => edge.Component.Kind != dimension)))
                {
                    continue;
                }

                double room = groups.Sum(name => CapOf(scope, kind, name));
                if (room < 1 - Tolerance && told.Add($"{kind} {model.Name} {string.Join(',', groups)}"))
                {
                    TellInfeasible(scope, kind, key, model, groups, room);
                }
            }
        }
    }

    private void TellInfeasible(PolicyScopeOptions scope, string kind, ApiKey key, Model model, string[] groups, double room)
    {
        double missing = 1 - room;
        ShareRuleOptions rule = scope.Rules.Where(one => one is { IsFloor: false, IsHard: true } && one.Kind == kind && (one.Name is null || groups.Contains(one.Name)))
            .OrderByDescending(static one => one.Share).First();
        double raise = Math.Ceiling(((rule.Name is null ? missing / groups.Length : missing) * 1e4) - 1e-6) / 1e4; // as it is printed, it must be enough
        string who = $"requests of app '{key.App}' for '{model.Name}' may only go to {kind} {string.Join(" and ", groups)}";
        string change = rule.Share + raise <= 1 + Tolerance
            ? $"the smallest change: raise '{rule.Id}' by {Percent(raise)}, to {Percent(rule.Share + raise)}; or add a lawful deployment on another {kind}; or write 'enforce: soft'"
            : $"add a lawful deployment on another {kind}, or write 'enforce: soft'";
        Add(rule.Path, $"the caps on {kind} leave room for {Percent(room)} of the traffic, and {who}: if all traffic were theirs, {Percent(missing)} would have nowhere to go", change, isWarning: IsNarrow(scope, key, model));
    }

    /// <summary>Others in the scope have more choice: they can make room for these, as long as there are enough of them.</summary>
    private bool IsNarrow(PolicyScopeOptions scope, ApiKey key, Model model)
    {
        int own = Lawful(key, model).Length;
        return Classes(scope).Any(other => other.Lawful.Length > own);
    }

    private static double CapOf(PolicyScopeOptions scope, string kind, string name)
    {
        double cap = 1;
        foreach (ShareRuleOptions rule in scope.Rules)
        {
            if (rule is { IsFloor: false, IsHard: true } && rule.Kind == kind && (rule.Name is null || rule.Name == name))
            {
                cap = Math.Min(cap, rule.Share);
            }
        }

        return cap;
    }

    /// <summary>Without any one component of these kinds, every model of the scope must still have a lawful deployment.</summary>
    private void CheckSurvival(PolicyScopeOptions scope)
    {
        foreach (SurvivalOptions wish in scope.Survive)
        {
            CheckWithin(wish);
            foreach ((ApiKey key, Model model, Deployment[] lawful) in Classes(scope))
            {
                Component[] fatal =
                [
                    .. wish.Any.Select(static kind => ComponentKindName.Find(kind)!.Value).SelectMany(kind => _components.Of(lawful[0]).Where(edge => edge.Component.Kind == kind))
                        .Select(static edge => edge.Component).Where(component => lawful.All(deployment => _components.Depends(deployment, component))),
                ];
                if (fatal.Length > 0)
                {
                    Add(wish.Path, $"'{model.Name}' for app '{key.App}' does not survive the loss of {string.Join(" or ", fatal)}: all of its {lawful.Length} lawful deployments need it",
                        $"add a lawful deployment without it to '{model.Name}'", isWarning: false);
                }
            }
        }
    }

    /// <summary>What refuses is left at once; what takes requests and stays silent, only when its time is up.</summary>
    private void CheckWithin(SurvivalOptions wish)
    {
        (string Name, TimeSpan Value) slowest = _catalog.Limits.FirstTokenTimeout >= _catalog.Limits.ConnectTimeout
            ? ("first_token_timeout", _catalog.Limits.FirstTokenTimeout) : ("connect_timeout", _catalog.Limits.ConnectTimeout);
        if (wish.Within is { } within && slowest.Value > within)
        {
            Add(wish.Path, string.Create(CultureInfo.InvariantCulture, $"'{wish.Id}' wants requests to go on within {within.TotalSeconds:0.#} s, and a deployment that stays silent is left after {slowest.Value.TotalSeconds:0.#} s"),
                string.Create(CultureInfo.InvariantCulture, $"set limits.{slowest.Name} to {within.TotalSeconds:0.#}s or less"), isWarning: true);
        }
    }

    private void CheckResidency()
    {
        foreach (ResidencyOptions rule in _policy.Residency)
        {
            CheckWho(rule.Match, rule.Path);
            if (rule.Match.Models.Count > 0)
            {
                Add(rule.Path, "residency is about whose data it is, not about which model is asked", "match apps, keys or tiers", isWarning: false);
            }
        }

        foreach (ApiKey key in _catalog.Keys)
        {
            foreach (Model model in _catalog.ModelOrder.Where(model => !model.IsDeployment && (key.Models is null || key.Models.Contains(model.Name))))
            {
                if (_policy.Residency.Count > 0 && Lawful(key, model).Length == 0 && model.Candidates.Any(candidate => key.Allow.Allows(candidate.Deployment.Data)))
                {
                    Add(_policy.Residency[0].Path, $"under this residency nothing may answer '{model.Name}' for app '{key.App}'", "such requests end with ballast_no_lawful_deployment", isWarning: true);
                }
            }
        }
    }

    private void CheckSubstitutes()
    {
        foreach (SubstituteOptions substitute in _policy.Substitutes)
        {
            Deployment? subject = Find(substitute.For, substitute.Path);
            foreach (Deployment other in substitute.By.Select(name => Find(name, substitute.Path)).OfType<Deployment>())
            {
                string[] shared =
                [
                    .. subject is null ? [] : _components.Of(subject).Select(static edge => edge.Component)
                        .Intersect(_components.Of(other).Select(static edge => edge.Component)).Select(static component => component.ToString()),
                ];
                if (shared.Length > 0)
                {
                    Add(substitute.Path, $"{other.Name} stands in for {substitute.For} and shares {string.Join(", ", shared)} with it", "what takes one away may take the other away", isWarning: true);
                }
            }
        }
    }

    private void CheckPrices()
    {
        string[] unpriced = _policy.Unit != ShareUnit.Usd ? [] : [.. _catalog.Deployments.Values.Where(static deployment => deployment.Prices is null).Select(static deployment => deployment.Name).Order(StringComparer.Ordinal)];
        if (unpriced.Length > 0)
        {
            Add("units", $"shares are counted in dollars, and these have no price: {string.Join(", ", unpriced)}", "they count as nothing: give them prices", isWarning: true);
        }
    }

    private Deployment? Find(string name, string path)
    {
        Deployment? found = _catalog.Deployments.GetValueOrDefault(name);
        if (found is null)
        {
            Add(path, $"there is no deployment '{name}'", "provider/model, as in the configuration", isWarning: false);
        }

        return found;
    }

    private IEnumerable<(ApiKey Key, Model Model, Deployment[] Lawful)> Classes(PolicyScopeOptions scope) =>
        from key in _catalog.Keys.Count > 0 ? _catalog.Keys : [new ApiKey { Id = "any", App = "any", Digest = default }]
        where (scope.Match.Apps.Count == 0 || scope.Match.Apps.Contains(key.App)) && (scope.Match.Keys.Count == 0 || scope.Match.Keys.Contains(key.Id))
            && (scope.Match.Tiers.Count == 0 || scope.Match.Tiers.Contains(_criticality.TierOf(key)))
        from model in _catalog.ModelOrder
        where !model.IsDeployment && !model.IsBareName && (key.Models is null || key.Models.Contains(model.Name)) && (scope.Match.Models.Count == 0 || scope.Match.Models.Contains(model.Name))
        let lawful = Lawful(key, model)
        where lawful.Length > 0
        select (key, model, lawful);

    private Deployment[] Lawful(ApiKey key, Model model)
    {
        DataAllowance allow = Routing.Shares.SharePolicy.Restrict(key, _policy).Allow;
        return [.. model.Candidates.Select(static candidate => candidate.Deployment).Where(deployment => allow.Allows(deployment.Data))];
    }

    private static Component Target(ShareRuleOptions rule) => new(ComponentKindName.Find(rule.Kind)!.Value, rule.Name!);

    private static string List(IEnumerable<ShareRuleOptions> rules) => string.Join(", ", rules.Select(static rule => $"{rule.Id} {Percent(rule.Share)}"));

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.##} %");

    private void Add(string path, string message, string hint, bool isWarning)
    {
        (int line, int column) = _policy.Source.At(path);
        _faults.Add(new ConfigurationFault(path, line, column, message, hint, isWarning));
    }
}
