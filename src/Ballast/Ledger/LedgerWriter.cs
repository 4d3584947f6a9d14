using Ballast.Ledger.Spool;

namespace Ballast.Ledger;

/// <summary>
/// The way of a row: kept in the spool while its request waits, then carried to the store in groups by one task. What the store does not take stays in the spool and is
/// offered again, after a restart too; the store leaves rows that it has as they are, so that each is there exactly once. Store and spool are not owned: dispose of the
/// writer first, then of them.
/// </summary>
public sealed class LedgerWriter : IAsyncDisposable
{
    private readonly ILedgerStore _store;
    private readonly LedgerSpool _spool;
    private readonly SpoolReader _reader;
    private readonly LedgerWriterOptions _options;
    private readonly TimeProvider _time;
    private readonly Action<LedgerFailure>? _onFailure;
    private readonly LiveTotals? _totals;
    private readonly CancellationTokenSource _giveUp = new();
    private readonly Task _loop;
    private TaskCompletionSource _hurry = NewSignal();
    private TaskCompletionSource _progress = NewSignal();
    private long _written;
    private long _failures;
    private int _flushes;
    private int _isWaiting;
    private int _closing;

    public LedgerWriter(
        ILedgerStore store, LedgerSpool spool, LedgerWriterOptions options, TimeProvider time, LiveTotals? totals = null, Action<LedgerFailure>? onFailure = null)
    {
        _store = store;
        _spool = spool;
        _reader = new SpoolReader(spool.Files);
        _options = options;
        _time = time;
        _totals = totals;
        _onFailure = onFailure;
        spool.Kept = Wake;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Rows that the store has taken.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>Rows settled that the store has not taken yet.</summary>
    public long Pending => Math.Max(0, _spool.Settles - Written);

    /// <summary>Batches that the store refused.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>Rows that neither store nor spool could take: the disk took nothing until the process ended.</summary>
    public long Lost => _spool.Lost;

    /// <summary>Where rows are kept first.</summary>
    public LedgerSpool Spool => _spool;

    /// <summary>See <see cref="LedgerSpool.IntendAsync"/>.</summary>
    /// <exception cref="SpoolFullException">There is no room.</exception>
    public ValueTask<bool> IntendAsync(LedgerEntry row, out SpoolTicket place) => _spool.IntendAsync(row, out place);

    /// <summary>See <see cref="LedgerSpool.SettleAsync"/>.</summary>
    public ValueTask<bool> SettleAsync(LedgerEntry row, SpoolTicket? place = null)
    {
        _totals?.Record(row);
        return _spool.SettleAsync(row, place);
    }

    /// <summary>See <see cref="LedgerSpool.Settle"/>.</summary>
    public void Settle(LedgerEntry row, SpoolTicket? place)
    {
        _totals?.Record(row);
        _spool.Settle(row, place);
    }

    /// <summary>Completes when all that was settled before is in the store.</summary>
    public async Task FlushAsync(CancellationToken cancellation = default)
    {
        long target = _spool.Settles;
        Interlocked.Increment(ref _flushes);
        try
        {
            while (Written < target && !_loop.IsCompleted)
            {
                TaskCompletionSource progress = Volatile.Read(ref _progress);
                if (Written < target)
                {
                    Volatile.Read(ref _hurry).TrySetResult();
                    await Task.WhenAny(progress.Task, _loop).WaitAsync(cancellation).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref _flushes);
        }
    }

    /// <summary>Takes no more; carries what is left to the store, within the drain timeout. The rest stays in the spool.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closing, 1) != 0)
        {
            await _loop.ConfigureAwait(false);
            return;
        }

        using (ITimer deadline = _time.CreateTimer(
            static state => ((CancellationTokenSource)state!).Cancel(), _giveUp, _options.DrainTimeout, Timeout.InfiniteTimeSpan))
        {
            _spool.Stop();
            Interlocked.Increment(ref _closing);
            Volatile.Read(ref _hurry).TrySetResult();
            await _loop.ConfigureAwait(false);
        }

        _giveUp.Dispose();
    }

    private void Wake()
    {
        if (Volatile.Read(ref _isWaiting) != 0 || Pending >= _options.BatchRowsMax)
        {
            Volatile.Read(ref _hurry).TrySetResult();
        }
    }

    private async Task RunAsync()
    {
        List<LedgerEntry> batch = new(_options.BatchRowsMax);
        await LingerAsync(isUntilWoken: true).ConfigureAwait(false);
        while (!_giveUp.IsCancellationRequested)
        {
            // Read before the reader looks: what was kept before the spool ended is seen.
            bool isLast = Volatile.Read(ref _closing) > 1;
            batch.Clear();
            _reader.Read(batch, _options.BatchRowsMax);
            if (batch.Count > 0 && !await WriteAsync(batch).ConfigureAwait(false))
            {
                return;
            }

            CrashPoint.Reach("apply.committed");
            _reader.Confirm();
            Interlocked.Add(ref _written, batch.Count);
            Interlocked.Exchange(ref _progress, NewSignal()).TrySetResult();
            if (batch.Count == 0 && isLast)
            {
                return;
            }

            if (batch.Count < _options.BatchRowsMax)
            {
                await LingerAsync(isUntilWoken: batch.Count == 0).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits for company, unless somebody waits for a flush; where there was nothing at all, until there is something.</summary>
    private async Task LingerAsync(bool isUntilWoken)
    {
        TaskCompletionSource hurry = NewSignal();
        Interlocked.Exchange(ref _hurry, hurry);
        if (isUntilWoken)
        {
            Volatile.Write(ref _isWaiting, 1);
            // Whoever keeps a row reads the mark after it; here the rows are looked for after the mark.
            Interlocked.MemoryBarrier();
            if (Pending == 0 && Volatile.Read(ref _closing) <= 1)
            {
                await hurry.Task.ConfigureAwait(false);
            }

            Volatile.Write(ref _isWaiting, 0);
            hurry = NewSignal();
            Interlocked.Exchange(ref _hurry, hurry);
        }

        if (Volatile.Read(ref _flushes) == 0 && Volatile.Read(ref _closing) == 0 && Pending < _options.BatchRowsMax)
        {
            using CancellationTokenSource stop = new();
            await Task.WhenAny(hurry.Task, Task.Delay(_options.Linger, _time, stop.Token)).ConfigureAwait(false);
            await stop.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task<bool> WriteAsync(List<LedgerEntry> batch)
    {
        TimeSpan wait = _options.RetryWait;
        for (int attempt = 1; ; attempt++)
        {
            using CancellationTokenSource timeout = CancellationTokenSource.CreateLinkedTokenSource(_giveUp.Token);
            try
            {
                _giveUp.Token.ThrowIfCancellationRequested();
                timeout.CancelAfter(_options.StoreTimeout);
                CrashPoint.Reach("apply.begin");
                await _store.AppendAsync(batch, timeout.Token).ConfigureAwait(false);
                return true;
            }
#pragma warning disable CA1031 // whatever the store throws, the rows are kept and tried again
            catch (Exception failure)
#pragma warning restore CA1031
            {
                bool isOver = _giveUp.IsCancellationRequested;
                Interlocked.Increment(ref _failures);
                Report(new LedgerFailure(failure, attempt, isOver ? null : wait, Pending));
                if (isOver)
                {
                    return false;
                }
            }

            await Task.Delay(wait, _time, _giveUp.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait = wait * 2 < _options.RetryWaitMax ? wait * 2 : _options.RetryWaitMax;
        }
    }

    /// <summary>A fault in the logging must not end the task that the ledger depends on.</summary>
    private void Report(LedgerFailure failure)
    {
        try
        {
            _onFailure?.Invoke(failure);
        }
#pragma warning disable CA1031 // see the summary
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
