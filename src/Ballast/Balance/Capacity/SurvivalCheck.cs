using Ballast.Catalog;
using Ballast.Configuration.Policies;
using Ballast.Ledger;

namespace Ballast.Balance.Capacity;

/// <summary>Whether what a policy wants to survive would: a scope's measured demand without the worst component, held against what must go on.</summary>
/// <param name="Rule">The rule's id.</param>
/// <param name="Keep">Part of the demand that must go on, from 0 to 1.</param>
/// <param name="Worst">The component whose loss leaves least; null where the scope had no traffic.</param>
/// <param name="Left">What it leaves at the busiest minutes.</param>
public sealed record SurvivalCheck(string Rule, double Keep, Component? Worst, Survived Left)
{
    private const double Tolerance = 1e-9;

    /// <summary>True and false where it is known; null where it hangs on quotas that nobody knows, or there was no traffic.</summary>
    public bool? Holds => Worst is null ? null : Left.Low >= Keep - Tolerance ? true : Left.High < Keep - Tolerance ? false : null;

    /// <summary>One for each <c>survive</c> rule.</summary>
    internal static IEnumerable<SurvivalCheck> Of(
        PolicyOptions policy, IReadOnlyDictionary<string, ApiKey> keys, Criticality criticality, ComponentMap components, Quotas quotas, IReadOnlyList<DemandMinute> minutes, Func<DemandLabel, IReadOnlyList<Deployment>> lawfulOf)
    {
        foreach (PolicyScopeOptions scope in policy.Scopes.Where(static scope => scope.Survive.Count > 0))
        {
            HashSet<DemandLabel> own = new(minutes.Where(static cell => cell.Answered > 0).Select(static cell => cell.Label).Distinct().Where(label => IsOf(scope.Match, label, keys, criticality)), ReferenceEqualityComparer.Instance);
            CapacityAnalysis capacity = CapacityAnalysis.Build(components, quotas, minutes.Where(cell => own.Contains(cell.Label)), lawfulOf);
            foreach (SurvivalOptions rule in scope.Survive)
            {
                ComponentKind?[] kinds = [.. rule.Any.Select(ComponentKindName.Find)];
                CapacityLeft? worst = own.SelectMany(lawfulOf).Distinct().SelectMany(components.Of).Select(static edge => edge.Component).Where(component => kinds.Contains(component.Kind)).Distinct()
                    .Select(component => capacity.Without(component)).OrderBy(static left => left.Peak.High).ThenBy(static left => left.Peak.Low).FirstOrDefault();
                yield return new SurvivalCheck(rule.Id, rule.Keep, worst?.Gone[0], worst?.Peak ?? default);
            }
        }
    }

    private static bool IsOf(PolicyMatch match, DemandLabel label, IReadOnlyDictionary<string, ApiKey> keys, Criticality criticality) =>
        (match.Apps.Count == 0 || match.Apps.Contains(label.App)) && (match.Keys.Count == 0 || match.Keys.Contains(label.KeyId)) && (match.Models.Count == 0 || match.Models.Contains(label.RequestedModel))
        && (match.Tiers.Count == 0 || match.Tiers.Contains(keys.TryGetValue(label.KeyId, out ApiKey? key) ? criticality.TierOf(key) : criticality.TierOf(label.App)));
}
