using System.Data.Common;
using Ballast.Balance;
using Ballast.Ledger;
using Ballast.Routing.Shares;

namespace Ballast.Server;

/// <summary>
/// The way of a suspension: into a file on the local disk first, from there to the ledger. A store that is away is tried again; what it has not taken when the gateway
/// stops it is offered at the next start, from the file.
/// </summary>
internal sealed class RelaxationCarrier : IRelaxationStore, IAsyncDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>How long a stop waits for the store.</summary>
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Waiting ones beyond this stay in the file until the next start.</summary>
    private const int WaitingMax = 10_000;

    private readonly RelaxationFile _file;
    private readonly ILedgerEventStore _store;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _onFailure;
    private readonly List<Relaxation> _waiting = [];
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _carrying = Task.CompletedTask;

    public RelaxationCarrier(RelaxationFile file, ILedgerEventStore store, TimeProvider time, Action<Exception> onFailure)
    {
        (_file, _store, _time, _onFailure) = (file, store, time, onFailure);
        _waiting.AddRange(_file.Read());
        Carry();
    }

    /// <inheritdoc/>
    public void Append(IReadOnlyList<Relaxation> changes)
    {
        lock (_lock)
        {
            _waiting.AddRange(changes.Take(WaitingMax - _waiting.Count));
        }

        _file.Append(changes);
        Carry();
    }

    /// <inheritdoc/>
    public IReadOnlyList<Relaxation> Read() => _file.Read();

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _carrying.ConfigureAwait(false);
        try
        {
            using CancellationTokenSource deadline = new(DrainTimeout, _time);
            await TakeOverAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (Exception fault) when (IsOfTheStore(fault))
        {
            // It is in the file.
        }

        _stop.Dispose();
    }

    private void Carry()
    {
        lock (_lock)
        {
            if (_waiting.Count > 0 && _carrying.IsCompleted && !_stop.IsCancellationRequested)
            {
                _carrying = Task.Run(CarryAsync);
            }
        }
    }

    private async Task CarryAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (!await TakeOverAsync(_stop.Token).ConfigureAwait(false))
                {
                    return;
                }
            }
            catch (Exception fault) when (IsOfTheStore(fault))
            {
                if (!_stop.IsCancellationRequested)
                {
                    _onFailure(fault);
                }

                await Task.Delay(RetryAfter, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>True where more came meanwhile.</summary>
    private async Task<bool> TakeOverAsync(CancellationToken cancellation)
    {
        Relaxation[] taken;
        lock (_lock)
        {
            taken = [.. _waiting];
        }

        if (taken.Length > 0)
        {
            await _store.AppendEventsAsync([.. taken.SelectMany(RelaxationEvents.Write)], cancellation).ConfigureAwait(false);
        }

        lock (_lock)
        {
            _waiting.RemoveRange(0, taken.Length);
            return _waiting.Count > 0;
        }
    }

    private static bool IsOfTheStore(Exception fault) => fault is DbException or LedgerException or IOException or OperationCanceledException or TimeoutException or ObjectDisposedException;
}
