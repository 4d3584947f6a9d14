using System.Threading.Channels;

namespace Ballast.Ledger;

/// <summary>
/// Takes rows off the request path and writes them in groups: a bounded queue, one task, one transaction for up to
/// <see cref="LedgerWriterOptions.BatchRowsMax"/> rows or 50 ms. A row is never dropped: a full queue makes the recorder wait, a store that
/// fails is tried again. The store is not owned: dispose of the writer first, then of the store.
/// </summary>
public sealed class LedgerWriter : IAsyncDisposable
{
    private readonly ILedgerStore _store;
    private readonly LedgerWriterOptions _options;
    private readonly TimeProvider _time;
    private readonly Action<LedgerFailure>? _onFailure;
    private readonly LiveTotals? _totals;
    private readonly Channel<Item> _queue;
    private readonly CancellationTokenSource _giveUp = new();
    private readonly int _hurryAt;
    private readonly Task _loop;
    private TaskCompletionSource _hurry = NewSignal();
    private long _written;
    private long _pending;
    private long _failures;
    private long _lost;
    private int _flushes;
    private int _closing;

    public LedgerWriter(
        ILedgerStore store,
        LedgerWriterOptions options,
        TimeProvider time,
        LiveTotals? totals = null,
        Action<LedgerFailure>? onFailure = null)
    {
        _store = store;
        _options = options;
        _time = time;
        _totals = totals;
        _onFailure = onFailure;
        _hurryAt = Math.Min(options.BatchRowsMax, options.QueueMax);
        _queue = Channel.CreateBounded<Item>(new BoundedChannelOptions(options.QueueMax)
        {
            SingleReader = true,
            FullMode = BoundedChannelFullMode.Wait,
        });
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Rows that the store has taken.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>Rows recorded, or waiting to be, that the store has not taken yet.</summary>
    public long Pending => Interlocked.Read(ref _pending);

    /// <summary>Batches that the store refused.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>Rows given up because the store did not take them within the drain timeout.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Completes when the row is queued, at once unless the queue is full. Throws <see cref="ObjectDisposedException"/> after disposal.</summary>
    public ValueTask RecordAsync(LedgerEntry entry)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _closing) != 0, this);
        // The count goes up first and the signal is read after it; the loop sets a new signal first and reads the count after it. So one of them sees the other.
        if (Interlocked.Increment(ref _pending) >= _hurryAt)
        {
            Volatile.Read(ref _hurry).TrySetResult();
        }

        Item item = new(entry, Flushed: null);
        if (!_queue.Writer.TryWrite(item))
        {
            return RecordWhenRoomAsync(item);
        }

        _totals?.Record(entry);
        return ValueTask.CompletedTask;
    }

    /// <summary>Completes when all that was recorded before is in the store.</summary>
    public async Task FlushAsync(CancellationToken cancellation = default)
    {
        TaskCompletionSource flushed = NewSignal();
        Interlocked.Increment(ref _flushes);
        try
        {
            Volatile.Read(ref _hurry).TrySetResult();
            await _queue.Writer.WriteAsync(new Item(Entry: null, flushed), cancellation).ConfigureAwait(false);
            await flushed.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            await _loop.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _flushes);
        }
    }

    /// <summary>Writes all that is queued; after the drain timeout what is left is given up and reported as lost.</summary>
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
            // Completing the queue would throw out those who wait for room. A flush stands in line behind them.
            await FlushAsync(CancellationToken.None).ConfigureAwait(false);
            _queue.Writer.TryComplete();
            await _loop.ConfigureAwait(false);
        }

        _giveUp.Dispose();
    }

    private async ValueTask RecordWhenRoomAsync(Item item)
    {
        try
        {
            await _queue.Writer.WriteAsync(item).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            Interlocked.Decrement(ref _pending);
            throw new ObjectDisposedException(nameof(LedgerWriter));
        }

        _totals?.Record(item.Entry!);
    }

    private async Task RunAsync()
    {
        List<LedgerEntry> batch = new(_options.BatchRowsMax);
        List<TaskCompletionSource> flushes = [];
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            await LingerAsync().ConfigureAwait(false);
            Take(batch, flushes);
            await WriteAsync(batch).ConfigureAwait(false);
            foreach (TaskCompletionSource flushed in flushes)
            {
                flushed.TrySetResult();
            }
        }
    }

    /// <summary>Waits for company, unless there is enough of it or somebody waits for a flush.</summary>
    private async Task LingerAsync()
    {
        TaskCompletionSource hurry = NewSignal();
        Interlocked.Exchange(ref _hurry, hurry);
        if (Pending < _hurryAt && Volatile.Read(ref _flushes) == 0)
        {
            using CancellationTokenSource stop = new();
            await Task.WhenAny(hurry.Task, Task.Delay(_options.Linger, _time, stop.Token)).ConfigureAwait(false);
            await stop.CancelAsync().ConfigureAwait(false);
        }
    }

    private void Take(List<LedgerEntry> batch, List<TaskCompletionSource> flushes)
    {
        batch.Clear();
        flushes.Clear();
        while (batch.Count < _options.BatchRowsMax && _queue.Reader.TryRead(out Item item))
        {
            if (item.Entry is not null)
            {
                batch.Add(item.Entry);
            }

            if (item.Flushed is not null)
            {
                flushes.Add(item.Flushed);
            }
        }
    }

    private async Task WriteAsync(List<LedgerEntry> batch)
    {
        if (batch.Count == 0)
        {
            return;
        }

        TimeSpan wait = _options.RetryWait;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                _giveUp.Token.ThrowIfCancellationRequested();
                await _store.AppendAsync(batch, _giveUp.Token).ConfigureAwait(false);
                Interlocked.Add(ref _written, batch.Count);
                Interlocked.Add(ref _pending, -batch.Count);
                return;
            }
#pragma warning disable CA1031 // whatever the store throws, the rows are kept and tried again
            catch (Exception failure)
#pragma warning restore CA1031
            {
                if (_giveUp.IsCancellationRequested)
                {
                    GiveUp(batch.Count, failure, attempt);
                    return;
                }

                Interlocked.Increment(ref _failures);
                Report(new LedgerFailure(failure, attempt, wait, Pending, Lost));
            }

            await Task.Delay(wait, _time, _giveUp.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait = wait * 2 < _options.RetryWaitMax ? wait * 2 : _options.RetryWaitMax;
        }
    }

    private void GiveUp(int rows, Exception failure, int attempt)
    {
        Interlocked.Add(ref _lost, rows);
        Interlocked.Add(ref _pending, -rows);
        Report(new LedgerFailure(failure, attempt, RetryIn: null, Pending, Lost));
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

    /// <summary>A row, or the mark of somebody who waits until all before it is written.</summary>
    private readonly record struct Item(LedgerEntry? Entry, TaskCompletionSource? Flushed);
}
