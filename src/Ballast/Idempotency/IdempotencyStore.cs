using System.Threading.Channels;
using Ballast.Tenancy;
using Microsoft.Data.Sqlite;

namespace Ballast.Idempotency;

/// <summary>
/// Keeps, for a day, what requests with an <c>Idempotency-Key</c> were answered with, in one SQLite file that is made when the first one comes. One task owns the
/// connection and does many things in one transaction; whoever asked goes on once it is on the disk. All methods throw <see cref="IdempotencyStoreException"/> where
/// the file cannot be used.
/// </summary>
public sealed class IdempotencyStore : IAsyncDisposable
{
    /// <summary>How long an answer is kept.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>Things done in one transaction.</summary>
    private const int BatchMax = 256;

    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ContentSeal? _seal;
    private readonly Channel<Work> _queue = Channel.CreateUnbounded<Work>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Task _loop;
    private readonly Dictionary<string, int> _countByScope = new(StringComparer.Ordinal);
    private IdempotencyRows? _rows;
    private long _bytes;
    private bool _isCounted;
    private DateTimeOffset _sweptAt = DateTimeOffset.MinValue;

    /// <param name="path">The file, made when it is needed.</param>
    /// <param name="time">Tells what is over.</param>
    /// <param name="seal">Answers are encrypted with; null keeps them in clear.</param>
    public IdempotencyStore(string path, TimeProvider time, ContentSeal? seal = null)
    {
        (_path, _time, _seal) = (path, time, seal);
        _loop = Task.Run(RunAsync);
    }

    /// <summary>What is kept under that name; null where nothing is, or nothing any more.</summary>
    public async Task<KeptAnswer?> FindAsync(IdempotencyName name) => (KeptAnswer?)await AskAsync(rows => rows.Find(name, Oldest)).ConfigureAwait(false);

    /// <summary>Writes down that a request is about to be sent upstream; on the disk when this returns. False where its API key has as many names as it may have.</summary>
    public async Task<bool> BeginAsync(IdempotencyName name, byte[] fingerprint, string exchangeId, int entriesMax) => (bool)(await AskAsync(rows =>
    {
        string scope = Convert.ToHexStringLower(name.Scope);
        if (_countByScope.GetValueOrDefault(scope) >= entriesMax && rows.Expire(Oldest) > 0)
        {
            _bytes = rows.Count(_countByScope);
        }

        int count = _countByScope.GetValueOrDefault(scope);
        if (count >= entriesMax)
        {
            return false;
        }

        rows.Insert(name, fingerprint, exchangeId, Now);
        _countByScope[scope] = count + 1;
        return true;
    }).ConfigureAwait(false))!;

    /// <summary>Keeps an answer; where all of them would be more than so many bytes, only that there was one. On the disk when this returns.</summary>
    public Task CompleteAsync(IdempotencyName name, KeptAnswer answer, long bytesMax) => AskAsync(rows =>
    {
        bool isKept = answer.State == KeptState.Answered && _bytes + answer.Body.Length <= bytesMax;
        rows.Complete(name, isKept ? answer : answer with { State = KeptState.NotKept, Headers = [], Body = default });
        _bytes += isKept ? answer.Body.Length : 0;
        return null;
    });

    /// <summary>Nothing was sent upstream after all.</summary>
    public Task ForgetAsync(IdempotencyName name) => AskAsync(rows =>
    {
        rows.Delete(name);
        _isCounted = false;
        return null;
    });

    /// <summary>Does all that waits.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        _rows?.Dispose();
        _rows = null;
    }

    private long Now => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private long Oldest => Now - (Lifetime.Ticks / TimeSpan.TicksPerMicrosecond);

    private async Task<object?> AskAsync(Func<IdempotencyRows, object?> ask)
    {
        Work work = new(ask);
        return _queue.Writer.TryWrite(work) ? await work.Done.Task.ConfigureAwait(false) : throw new IdempotencyStoreException("The store is closed.");
    }

    private async Task RunAsync()
    {
        List<Work> batch = [];
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            batch.Clear();
            while (batch.Count < BatchMax && _queue.Reader.TryRead(out Work? work))
            {
                batch.Add(work);
            }

            Do(batch);
        }
    }

    private void Do(List<Work> batch)
    {
        List<object?> results = new(batch.Count);
        try
        {
            IdempotencyRows rows = _rows ??= IdempotencyRows.Open(_path, _seal);
            using SqliteTransaction transaction = rows.BeginTransaction();
            Prepare(rows);
            foreach (Work work in batch)
            {
                results.Add(work.Run(rows));
            }

            transaction.Commit();
        }
        catch (Exception failure) when (failure is SqliteException or IOException or UnauthorizedAccessException or IdempotencyStoreException)
        {
            _isCounted = false;
            foreach (Work work in batch)
            {
                work.Done.TrySetException(new IdempotencyStoreException($"The kept answers in {_path} cannot be used: {failure.Message}", failure));
            }

            return;
        }

        for (int i = 0; i < batch.Count; i++)
        {
            batch[i].Done.TrySetResult(results[i]);
        }
    }

    private void Prepare(IdempotencyRows rows)
    {
        DateTimeOffset now = _time.GetUtcNow();
        if (now - _sweptAt >= SweepEvery)
        {
            _sweptAt = now;
            _isCounted &= rows.Expire(Oldest) == 0;
        }

        if (!_isCounted)
        {
            _bytes = rows.Count(_countByScope);
            _isCounted = true;
        }
    }

    private sealed class Work(Func<IdempotencyRows, object?> run)
    {
        public Func<IdempotencyRows, object?> Run { get; } = run;
        public TaskCompletionSource<object?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
