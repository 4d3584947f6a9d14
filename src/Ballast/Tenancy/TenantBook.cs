using Ballast.Catalog;

namespace Ballast.Tenancy;

/// <summary>
/// Holds the view in use and swaps it whole, after a reload of the file, after a change made here and after one made elsewhere. A store that cannot be reached leaves the
/// last view in use. What was changed counts before its change is answered.
/// </summary>
public sealed class TenantBook : IAsyncDisposable
{
    /// <summary>How often it is looked whether somebody else has changed the store.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>Changes by others that one change of ours puts up with.</summary>
    private const int TriesMax = 5;

    private readonly ITenancyStore _store;
    private readonly CatalogHolder _catalog;
    private readonly TimeProvider _time;
    private readonly Action<Exception>? _onFailure;
    private readonly TenantSnapshot? _snapshot;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Lock _swap = new();
    private readonly CancellationTokenSource _stop = new();
    private StoredState _state = StoredState.Empty;
    private volatile TenantView _view;
    private long _seenTimestamp;
    private Task _looking = Task.CompletedTask;
    private Task _listening = Task.CompletedTask;
    private int _toldOf;

    private TenantBook(ITenancyStore store, CatalogHolder catalog, TimeProvider time, Action<Exception>? onFailure, TenantSnapshot? snapshot, LastSeen? seen)
    {
        _store = store;
        _catalog = catalog;
        _time = time;
        _onFailure = onFailure;
        _snapshot = snapshot;
        _state = seen?.State ?? StoredState.Empty;
        _view = TenantView.Of(catalog.Current, _state);
    }

    /// <summary>Called with every new view, one at a time, before whoever caused it goes on; must be quick and must not throw.</summary>
    public Action<TenantView>? Changed { get; set; }

    public TenantView View => _view;

    /// <summary>How long the store has been out of sight.</summary>
    public TimeSpan UnseenFor => _time.GetElapsedTime(Interlocked.Read(ref _seenTimestamp));

    /// <exception cref="TenancyStoreException">The store cannot be read: without a first view nothing is served.</exception>
    public static Task<TenantBook> OpenAsync(ITenancyStore store, CatalogHolder catalog, TimeProvider time, Action<Exception>? onFailure = null) =>
        OpenAsync(store, catalog, time, onFailure, snapshot: null, seen: null);

    /// <param name="store">Which may be away where there is a last view of it.</param>
    /// <param name="catalog">What the file declares.</param>
    /// <param name="time">By which it is looked.</param>
    /// <param name="onFailure">Told when the store is lost.</param>
    /// <param name="snapshot">Where each view is kept; null for nowhere.</param>
    /// <param name="seen">The last view, where the store is away.</param>
    /// <exception cref="TenancyStoreException">The store cannot be read: without a first view nothing is served.</exception>
    internal static async Task<TenantBook> OpenAsync(
        ITenancyStore store, CatalogHolder catalog, TimeProvider time, Action<Exception>? onFailure, TenantSnapshot? snapshot, LastSeen? seen)
    {
        TenantBook book = new(store, catalog, time, onFailure, snapshot, seen);
        if (seen is null)
        {
            await book.ReloadAsync(CancellationToken.None).ConfigureAwait(false);
        }
        else
        {
            // Out of sight since then, not since this start.
            long age = (long)((time.GetUtcNow() - seen.At).TotalSeconds * time.TimestampFrequency);
            book._seenTimestamp = time.GetTimestamp() - Math.Max(0, age);
        }

        catalog.Reloaded += book.Rebuild;
        book._looking = Task.Run(book.LookAsync);
        book._listening = Task.Run(() => store.ListenAsync(book.Hear, time, book._stop.Token));
        return book;
    }

    /// <summary>Makes one change after another. What <paramref name="make"/> throws is the caller's.</summary>
    /// <exception cref="TenancyStoreException">The store cannot be written.</exception>
    public async Task<RecordChange> ChangeAsync(Func<TenantView, RecordChange> make, string actor, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            for (int i = 0; i < TriesMax; i++)
            {
                RecordChange change = make(_view);
                bool isDone = await _store.TryChangeAsync(_view.Version, change, actor, _time.GetUtcNow(), cancellation).ConfigureAwait(false);
                await ReloadAsync(CancellationToken.None).ConfigureAwait(false);
                if (isDone)
                {
                    return change;
                }
            }

            throw new TenancyStoreException("The store of keys is being changed by too many at once.");
        }
        finally
        {
            _turn.Release();
        }
    }

    public Task<IReadOnlyList<AuditDocument>> AuditAsync(long? before, int countMax, CancellationToken cancellation) => _store.AuditAsync(before, countMax, cancellation);

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        _catalog.Reloaded -= Rebuild;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _looking.ConfigureAwait(false);
        await _listening.ConfigureAwait(false);
        await _store.DisposeAsync().ConfigureAwait(false);
    }

    private async Task ReloadAsync(CancellationToken cancellation)
    {
        StoredState state = await _store.LoadAsync(cancellation).ConfigureAwait(false);
        Interlocked.Exchange(ref _seenTimestamp, _time.GetTimestamp());
        lock (_swap)
        {
            // An older look may end after a newer one.
            if (state.Version >= _state.Version)
            {
                _state = state;
            }

            Swap(_catalog.Current);
        }

        Keep();
    }

    /// <summary>Before a change is answered it is in the last view, too: a restart does not bring back what was revoked.</summary>
    private void Keep()
    {
        if (_snapshot is null)
        {
            return;
        }

        try
        {
            _snapshot.Keep(_state);
        }
        catch (TenancyStoreException failure)
        {
            _onFailure?.Invoke(failure); // the store itself has it
        }
    }

    private void Rebuild(CatalogSnapshot catalog)
    {
        lock (_swap)
        {
            Swap(_catalog.Current);
        }
    }

    private void Swap(CatalogSnapshot catalog)
    {
        TenantView view = TenantView.Of(catalog, _state);
        _view = view;
        Changed?.Invoke(view);
    }

    /// <summary>Somebody else may have changed the store: it is looked at now, once for all that is told meanwhile.</summary>
    private void Hear()
    {
        if (Interlocked.Exchange(ref _toldOf, 1) == 0)
        {
            _ = Task.Run(async () =>
            {
                Interlocked.Exchange(ref _toldOf, 0);
                try
                {
                    await LookOnceAsync().ConfigureAwait(false);
                }
                catch (Exception failure) when (failure is OperationCanceledException or ObjectDisposedException or TenancyStoreException)
                {
                    // The next regular look says so, if it is still so.
                }
            });
        }
    }

    private async Task LookOnceAsync()
    {
        if (await _store.VersionAsync(_stop.Token).ConfigureAwait(false) != _view.Version)
        {
            await ReloadAsync(_stop.Token).ConfigureAwait(false);
        }

        Interlocked.Exchange(ref _seenTimestamp, _time.GetTimestamp());
        Keep();
    }

    private async Task LookAsync()
    {
        using PeriodicTimer timer = new(LookEvery, _time);
        bool hasFailed = false;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (!await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
                {
                    return;
                }

                await LookOnceAsync().ConfigureAwait(false);
                hasFailed = false;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (TenancyStoreException failure)
            {
                // Said once for each time that it is lost, not twice a second.
                if (!hasFailed)
                {
                    _onFailure?.Invoke(failure);
                }

                hasFailed = true;
            }
        }
    }
}
