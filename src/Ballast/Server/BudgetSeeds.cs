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
                // What this process has booked is in the budget already.
                budget.Seed(await SpentAsync(budget, period, budget.CountsFrom, view).ConfigureAwait(false), period);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>What the ledger knows of a shared budget's current period, asked once by one of the gateways before anything was spent of it.</summary>
    /// <exception cref="TenancyStoreException">The ledger cannot be read.</exception>
    public async Task<decimal> SpentBeforeAsync(BudgetMeter budget, TenantView view)
    {
        BudgetPeriod period = budget.Standing.Period;
        if (period.From > budget.CountsFrom)
        {
            return 0; // it counted before the period began: all of it is by leases
        }

        try
        {
            // A hard one spends nothing without a lease; a soft one has counted for itself since this gateway knows of it.
            return await SpentAsync(budget, period, budget.Options.IsHard ? period.To : budget.CountsFrom, view).ConfigureAwait(false);
        }
        catch (LedgerException failure)
        {
            throw new TenancyStoreException("What a shared budget has spent is not known while the ledger cannot be read.", failure);
        }
    }

    private async Task<decimal> SpentAsync(BudgetMeter budget, BudgetPeriod period, DateTimeOffset until, TenantView view)
    {
        LedgerFilter filter = new(period.From, until < period.To ? until : period.To);
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
            if (await TotalAsync(one).ConfigureAwait(false) is not { } total)
            {
                return 0;
            }

            spent += budget.IsMoney
                ? total.CostUsd + (total.UnknownCost == 0 ? 0 : await UnpricedAsync(budget, one).ConfigureAwait(false))
                : total.InputTokens + total.CacheReadTokens + total.CacheWriteTokens + total.CacheWriteLongTokens + total.OutputTokens;
        }

        return spent;
    }

    /// <summary>What nobody knows is what was reserved for it, as it was in the process that booked it.</summary>
    private async Task<decimal> UnpricedAsync(BudgetMeter budget, LedgerFilter filter)
    {
        (decimal reserved, long others) = await ledger.UnpricedAsync(filter).ConfigureAwait(false);
        return reserved + (others * (budget.Options.UnpricedRequestUsd ?? 0));
    }

    /// <summary>Null where nothing was ever written.</summary>
    private async Task<UsageRow?> TotalAsync(LedgerFilter filter)
    {
        try
        {
            return (await ledger.UsageAsync([], filter).ConfigureAwait(false)).Total;
        }
        catch (LedgerException failure) when (failure.IsMissing)
        {
            return null;
        }
    }
}
