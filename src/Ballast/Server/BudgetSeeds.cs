using Ballast.Guards;
using Ballast.Ledger;
using Ballast.Tenancy;

namespace Ballast.Server;

/// <summary>Tells new budgets what was spent in their period before: the ledger knows it, so that nothing is forgotten or stuck after a crash.</summary>
internal sealed class BudgetSeeds(MeterBook meters, LedgerReader ledger, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);

    public void Dispose() => _turn.Dispose();

    /// <exception cref="LedgerException">The ledger cannot be read.</exception>
    public async Task PlantAsync(TenantView view)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            foreach (BudgetMeter budget in meters.Unseeded.ToArray())
            {
                BudgetPeriod period = BudgetPeriod.At(budget.Options, time.GetUtcNow());
                budget.Seed(await SpentAsync(budget, period, view).ConfigureAwait(false), period);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<decimal> SpentAsync(BudgetMeter budget, BudgetPeriod period, TenantView view)
    {
        // What this process has booked is in the budget already.
        LedgerFilter filter = new(period.From, budget.CountsFrom < period.To ? budget.CountsFrom : period.To);
        string subject = budget.Options.Subject;
        IEnumerable<LedgerFilter> filters = budget.Options.SubjectKind switch
        {
            TenantView.KeyKind => [filter with { KeyId = subject }],
            TenantView.AppKind => [filter with { App = subject }],
            TenantView.TeamKind => view.Apps.Values.Where(app => app.Team == subject).Select(app => filter with { App = app.Id }),
            _ => view.Apps.Values.Where(app => app.Team is { } team && view.Teams.GetValueOrDefault(team)?.Organisation == subject).Select(app => filter with { App = app.Id }),
        };
        decimal spent = 0;
        foreach (LedgerFilter one in filters)
        {
            UsageRow total = (await ledger.UsageAsync([], one).ConfigureAwait(false)).Total;
            spent += budget.IsMoney
                ? total.CostUsd + (total.UnknownCost * (budget.Options.UnpricedRequestUsd ?? 0))
                : total.InputTokens + total.CacheReadTokens + total.CacheWriteTokens + total.CacheWriteLongTokens + total.OutputTokens;
        }

        return spent;
    }
}
