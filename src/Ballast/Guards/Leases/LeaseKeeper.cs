using Ballast.Tenancy;
using Ballast.Tenancy.Leases;

namespace Ballast.Guards.Leases;

/// <summary>
/// Keeps one gateway's parts of shared limits and budgets ahead of what is asked of them: once a second, and at once where somebody waits. It alone speaks to the store;
/// requests go by what it was given last, with or without a store.
/// </summary>
public sealed class LeaseKeeper : IAsyncDisposable
{
    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(1);

    /// <summary>Between two calls that somebody waits for: those who come meanwhile wait for the second.</summary>
    private static readonly TimeSpan s_spacing = TimeSpan.FromMilliseconds(5);

    /// <summary>Between two tries of one who waits: others give up a second's worth of what they do not need in that time.</summary>
    private static readonly TimeSpan s_retry = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest wait for the store at the end.</summary>
    private static readonly TimeSpan s_lastPatience = TimeSpan.FromSeconds(2);

    /// <summary>A gateway that was silent for so much longer than keys are taken without a sight of their store holds nothing of limits.</summary>
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(61);

    private readonly ILeaseStore _store;
    private readonly MeterBook _meters;
    private readonly LeaseShare _share;
    private readonly Func<BudgetMeter, Task<decimal>> _spentBefore;
    private readonly Action<Exception> _onFailure;
    private readonly SemaphoreSlim _wanted = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiting;
    private Task _work = Task.CompletedTask;
    private bool _hasFailed;

    /// <param name="store">Deals out the parts.</param>
    /// <param name="meters">What is limited; its <see cref="MeterBook.Share"/> is there.</param>
    /// <param name="spentBefore">What the ledger knows of a budget's current period.</param>
    /// <param name="onFailure">Told once for each time that the store is lost.</param>
    public LeaseKeeper(ILeaseStore store, MeterBook meters, Func<BudgetMeter, Task<decimal>> spentBefore, Action<Exception> onFailure)
    {
        _store = store;
        _meters = meters;
        _share = meters.Share!;
        _spentBefore = spentBefore;
        _onFailure = onFailure;
    }

    /// <summary>Calls that were answered; for tests and figures.</summary>
    public long Calls { get; private set; }

    /// <summary>Speaks to the store for the first time and goes on by itself. A store that is away holds up nothing.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        await TryShareAsync(isAll: true, cancellation).ConfigureAwait(false);
        _work = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Speaks to the store once, of everything.</summary>
    public Task ShareAsync(CancellationToken cancellation) => TryShareAsync(isAll: true, cancellation);

    /// <summary>Asks for more and waits for the answer; false where nobody answers or the time is over.</summary>
    /// <param name="tried">How often this one has waited already.</param>
    /// <param name="longest">Longest wait.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask<bool> RefillAsync(int tried, TimeSpan longest, CancellationToken cancellation)
    {
        if (!_share.IsUp || longest <= TimeSpan.Zero)
        {
            return false;
        }

        using CancellationTokenSource limit = new(longest, _share.Time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            if (tried > 0)
            {
                await Task.Delay(s_retry, _share.Time, either.Token).ConfigureAwait(false);
            }

            Task answered;
            lock (_gate)
            {
                answered = (_waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
                if (_wanted.CurrentCount == 0)
                {
                    _wanted.Release();
                }
            }

            await answered.WaitAsync(either.Token).ConfigureAwait(false);
            return _share.IsUp;
        }
        catch (OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return false;
        }
    }

    /// <summary>True for one of the gateways, whichever asks first. Where nobody can be asked it is told, twice rather than not at all.</summary>
    public async Task<bool> TryTellAsync(string alert)
    {
        try
        {
            return await _store.TryTellAsync(alert, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TenancyStoreException)
        {
            return true;
        }
    }

    /// <summary>Gives everything back that is not in use.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _work.ConfigureAwait(false);
        if (_share.IsUp)
        {
            using CancellationTokenSource patience = new(s_lastPatience);
            try
            {
                (LeaseRequest request, _) = Collect(isAll: true, isEnd: true);
                await _store.ShareAsync(request, patience.Token).ConfigureAwait(false);
                await _store.LeaveAsync(request.Lately, patience.Token).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is TenancyStoreException or OperationCanceledException)
            {
                // What it held stays taken until it is back, or its time is over.
            }
        }

        await _store.DisposeAsync().ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        long lookedAll = _share.Time.GetTimestamp();
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await WaitAsync().ConfigureAwait(false);
                TaskCompletionSource? waiting;
                lock (_gate)
                {
                    (waiting, _waiting) = (_waiting, null);
                }

                bool isAll = _share.Time.GetElapsedTime(lookedAll) > 5 * s_every;
                lookedAll = isAll ? _share.Time.GetTimestamp() : lookedAll;
                await TryShareAsync(isAll, _stop.Token).ConfigureAwait(false);
                waiting?.TrySetResult();
                await Task.Delay(s_spacing, _share.Time, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        lock (_gate)
        {
            _waiting?.TrySetCanceled();
        }
    }

    private async Task WaitAsync()
    {
        using CancellationTokenSource tick = new(s_every, _share.Time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(tick.Token, _stop.Token);
        try
        {
            await _wanted.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            // The tick.
        }
    }

    private async Task TryShareAsync(bool isAll, CancellationToken cancellation)
    {
        try
        {
            await ShareAsync(isAll, cancellation).ConfigureAwait(false);
            _share.IsUp = true;
            _hasFailed = false;
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            // Whatever it is, the next second has another try: without one nobody would be given anything any more.
            _share.IsUp = false;
            if (!_hasFailed)
            {
                _onFailure(failure);
            }

            _hasFailed = true;
        }
    }

    private async Task ShareAsync(bool isAll, CancellationToken cancellation)
    {
        for (int round = 0; round < 2; round++)
        {
            (LeaseRequest request, IReadOnlyList<(BudgetMeter Meter, BudgetReport Report)> budgets) = Collect(isAll, isEnd: false);
            LeaseReply reply = await _store.ShareAsync(request, cancellation).ConfigureAwait(false);
            Calls++;
            _share.Gateways = reply.Gateways;
            foreach (RateGrant grant in reply.Rates)
            {
                _meters.FindRate(grant.Meter)?.Apply(grant);
            }

            bool isSeeded = false;
            for (int i = 0; i < reply.Budgets.Count; i++)
            {
                if (budgets[i].Meter.Apply(reply.Budgets[i]))
                {
                    isSeeded |= await TrySeedAsync(budgets[i].Meter, reply.Budgets[i].Sheet, cancellation).ConfigureAwait(false);
                }
            }

            if (!isSeeded)
            {
                return;
            }
        }
    }

    /// <summary>A ledger that cannot be read keeps one budget waiting, not all that is shared.</summary>
    private async Task<bool> TrySeedAsync(BudgetMeter meter, string sheet, CancellationToken cancellation)
    {
        decimal spent;
        try
        {
            spent = await _spentBefore(meter).ConfigureAwait(false);
        }
        catch (TenancyStoreException failure)
        {
            _onFailure(failure);
            return false;
        }

        await _store.SeedAsync(sheet, spent, cancellation).ConfigureAwait(false);
        return true;
    }

    private (LeaseRequest Request, IReadOnlyList<(BudgetMeter Meter, BudgetReport Report)> Budgets) Collect(bool isAll, bool isEnd)
    {
        long second = Guard.SecondOf(_share.Time);
        List<RateReport> rates = [];
        foreach (RateMeter meter in _share.Rates.Values)
        {
            meter.Report(rates, second, isEnd);
        }

        List<(BudgetMeter Meter, BudgetReport Report)> budgets = [];
        foreach (BudgetMeter meter in isAll ? _meters.Budgets.Take(EveryBudgetMax).Concat(_share.Budgets.Keys).Distinct() : _share.Budgets.Keys)
        {
            meter.Report(budgets, isEnd);
        }

        // All gateways take them in one order, so that none waits for one that waits for it.
        rates.Sort(static (one, other) => string.CompareOrdinal(one.Meter, other.Meter) is var order && order != 0 ? order : one.Dimension - other.Dimension);
        budgets.Sort(static (one, other) => string.CompareOrdinal(one.Report.Sheet, other.Report.Sheet));
        return (new LeaseRequest(_share.Ahead + s_window, LeaseShare.KeptShare, rates, [.. budgets.Select(static one => one.Report)]), budgets);
    }

    /// <summary>Budgets whose standing is looked at though nobody spends of them here.</summary>
    private const int EveryBudgetMax = 1000;
}
