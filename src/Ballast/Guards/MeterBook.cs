using System.Collections.Concurrent;
using Ballast.Configuration;
using Ballast.Guards.Leases;
using Ballast.Tenancy;

namespace Ballast.Guards;

/// <summary>The meters and budgets of the process, by what they count for: they live on when keys and files change.</summary>
public sealed class MeterBook(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, RateMeter> _rates = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, BudgetMeter> _budgets = new(StringComparer.Ordinal);

    /// <summary>Told when a budget's share is reached; must be quick and must not throw.</summary>
    public Action<BudgetAlert>? Alert { get; set; }

    /// <summary>Where several gateways share limits and budgets; null where this one has them alone. Set before the first view is taken.</summary>
    public LeaseShare? Share { get; set; }

    /// <summary>Budgets that count and do not know yet what was spent before.</summary>
    public IEnumerable<BudgetMeter> Unseeded => _budgets.Values.Where(static budget => !budget.IsSeeded);

    public IEnumerable<BudgetMeter> Budgets => _budgets.Values.OrderBy(static budget => budget.Options.Id, StringComparer.Ordinal);

    public BudgetMeter? Budget(string id) => _budgets.GetValueOrDefault(id);

    internal RateMeter? FindRate(string name) => _rates.GetValueOrDefault(name);

    public RateMeter Rate(string name, RateLimitOptions limits)
    {
        RateMeter meter = _rates.GetOrAdd(name, static (_, limits) => new RateMeter(limits), limits);
        meter.Limits = limits;
        if (Share is { } share)
        {
            meter.Share(name, share);
        }

        return meter;
    }

    /// <summary>Takes over the budgets of a view: what is new begins, what changed goes on, what is gone is forgotten.</summary>
    public void Take(TenantView view)
    {
        foreach (string gone in _budgets.Keys.Where(id => !view.Budgets.ContainsKey(id)))
        {
            _budgets.TryRemove(gone, out _);
        }

        foreach (BudgetDocument document in view.Budgets.Values)
        {
            BudgetOptions options = TenantView.OptionsOf(document);
            if (!_budgets.TryGetValue(options.Id, out BudgetMeter? known) || !known.TryChange(options))
            {
                _budgets[options.Id] = new BudgetMeter(options, time, alert => Alert?.Invoke(alert), Share);
            }
        }
    }

    public IEnumerable<BudgetMeter> BudgetsOf(string kind, string id) =>
        _budgets.Values.Where(budget => budget.Options.SubjectKind == kind && budget.Options.Subject == id).OrderBy(static budget => budget.Options.Id, StringComparer.Ordinal);
}
