using System.Threading.Channels;
using Ballast.Configuration;
using Ballast.Protocols;
using Ballast.Tenancy;
using Microsoft.Data.Sqlite;

namespace Ballast.Conversations;

/// <summary>
/// Keeps answers and conversations in one SQLite file of their own. One task owns the connection and does everything in the order in which it was asked for, many
/// things in one transaction: whoever reads sees all that was kept before, and nobody who answers waits for the disk. What is found belongs to the key that asks.
/// </summary>
/// <remarks>Write-ahead log, <c>synchronous = NORMAL</c>: a crash of the process loses nothing that was written; a loss of power may cost the last moments.</remarks>
public sealed class ConversationStore : IAsyncDisposable
{
    /// <summary>Things done in one transaction.</summary>
    private const int BatchMax = 256;

    private static readonly TimeSpan SweepEvery = TimeSpan.FromHours(1);

    private readonly ConversationRows _rows;
    private readonly ConversationOptions _options;
    private readonly TimeProvider _time;
    private readonly Action<Exception>? _onFailure;
    private readonly Channel<Work> _queue = Channel.CreateUnbounded<Work>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Task _loop;
    private long _pendingBytes;
    private DateTimeOffset _sweptAt = DateTimeOffset.MinValue;

    private ConversationStore(ConversationRows rows, ConversationOptions options, TimeProvider time, Action<Exception>? onFailure)
    {
        _rows = rows;
        _options = options;
        _time = time;
        _onFailure = onFailure;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>There is room for an answer to wait for the disk; where there is none it is not kept.</summary>
    public bool HasRoom => Interlocked.Read(ref _pendingBytes) < _options.PendingBytesMax;

    /// <exception cref="ConversationStoreException">The file cannot be opened.</exception>
    public static ConversationStore Open(ConversationOptions options, TimeProvider time, Action<Exception>? onFailure = null, ContentSeal? seal = null) =>
        new(ConversationRows.Open(options.Path, seal), options, time, onFailure);

    /// <summary>Keeps an answer; returns at once.</summary>
    /// <param name="answer">What is kept.</param>
    /// <param name="conversationId">The conversation to which its items are added, or null.</param>
    /// <param name="isListed">It can be found by its own id; false where it only belongs to its conversation.</param>
    public void Keep(StoredAnswer answer, string? conversationId, bool isListed)
    {
        Interlocked.Add(ref _pendingBytes, answer.Bytes);
        bool isQueued = _queue.Writer.TryWrite(new Work(rows =>
        {
            if (isListed)
            {
                rows.InsertAnswer(answer, Now, Expiry);
            }

            if (conversationId is not null)
            {
                rows.Append(answer.KeyId, conversationId, [.. answer.Input, .. answer.Output]);
            }

            rows.Trim(answer.KeyId, _options.CountPerKeyMax, _options.BytesPerKeyMax);
            return null;
        }) { Bytes = answer.Bytes });
        if (!isQueued)
        {
            Interlocked.Add(ref _pendingBytes, -answer.Bytes);
        }
    }

    /// <summary>All that was said before a request, at most <paramref name="bytesMax"/> bytes of it.</summary>
    /// <exception cref="ConversationStoreException">It is more than that, or cannot be read.</exception>
    public Task<EarlierItems> EarlierAsync(string keyId, string? previousId, string? conversationId, IReadOnlyList<string> named, int bytesMax) =>
        AskAsync(rows => rows.Earlier(keyId, previousId, conversationId, named, bytesMax, Now));

    /// <summary>Keeps how an answer in the background has ended, once; returns at once.</summary>
    public void Finish(string keyId, string id, byte[] answer, IReadOnlyList<StoredItem> output, string? conversationId)
    {
        long bytes = answer.Length + output.Sum(static item => (long)item.Json.Length);
        Interlocked.Add(ref _pendingBytes, bytes);
        bool isQueued = _queue.Writer.TryWrite(new Work(rows =>
        {
            rows.Finish(keyId, id, answer, output, conversationId);
            rows.Trim(keyId, _options.CountPerKeyMax, _options.BytesPerKeyMax);
            return null;
        }) { Bytes = bytes });
        if (!isQueued)
        {
            Interlocked.Add(ref _pendingBytes, -bytes);
        }
    }

    /// <summary>The answer, or null.</summary>
    public Task<KeptAnswer?> FindAnswerAsync(string keyId, string id) => AskAsync(rows => rows.FindAnswer(keyId, id, Now));

    /// <summary>False where there is no such answer.</summary>
    public Task<bool> DeleteAnswerAsync(string keyId, string id) => AskAsync(rows => rows.FindAnswer(keyId, id, Now) is not null && rows.Delete(keyId, id));

    /// <summary>A page of the input items of an answer, or of the items of a conversation; null where there is none of that id.</summary>
    public Task<ItemPage?> ItemsAsync(string keyId, string ownerId, bool isAnswer, int limit, bool isDescending, string? after) =>
        AskAsync(rows => rows.Page(keyId, ownerId, isAnswer, limit, isDescending, after, Now));

    public Task CreateConversationAsync(string keyId, StoredConversation conversation, IReadOnlyList<StoredItem> items) => AskAsync(rows =>
    {
        rows.InsertConversation(keyId, conversation, Expiry);
        rows.Append(keyId, conversation.Id, items);
        rows.Trim(keyId, _options.CountPerKeyMax, _options.BytesPerKeyMax);
        return true;
    });

    public Task<StoredConversation?> FindConversationAsync(string keyId, string id) => AskAsync(rows => rows.FindConversation(keyId, id, Now));

    /// <summary>Replaces the labels; null where there is no such conversation.</summary>
    public Task<StoredConversation?> RelabelAsync(string keyId, string id, byte[] metadata) => AskAsync(rows => rows.Relabel(keyId, id, metadata, Now));

    public Task<bool> DeleteConversationAsync(string keyId, string id) =>
        AskAsync(rows => rows.FindConversation(keyId, id, Now) is not null && rows.Delete(keyId, id));

    /// <summary>False where there is no such conversation.</summary>
    public Task<bool> AddItemsAsync(string keyId, string id, IReadOnlyList<StoredItem> items) => AskAsync(rows =>
    {
        bool isThere = rows.FindConversation(keyId, id, Now) is not null && rows.Append(keyId, id, items);
        rows.Trim(keyId, _options.CountPerKeyMax, _options.BytesPerKeyMax);
        return isThere;
    });

    public Task<StoredItem?> FindItemAsync(string keyId, string conversationId, string itemId) =>
        AskAsync(rows => rows.FindConversation(keyId, conversationId, Now) is null ? null : rows.FindItem(keyId, conversationId, itemId));

    public Task<bool> DeleteItemAsync(string keyId, string conversationId, string itemId) =>
        AskAsync(rows => rows.FindConversation(keyId, conversationId, Now) is not null && rows.DeleteItem(keyId, conversationId, itemId));

    /// <summary>Completes when all that was kept before is in the file.</summary>
    public Task FlushAsync() => AskAsync(static _ => true);

    /// <summary>Writes all that waits.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        _rows.Dispose();
    }

    private long Now => _time.GetUtcNow().ToUnixTimeSeconds();

    private long Expiry => _time.GetUtcNow().AddDays(_options.RetentionDays).ToUnixTimeSeconds();

    private async Task<T> AskAsync<T>(Func<ConversationRows, T> ask)
    {
        Work work = new(rows => ask(rows)) { Done = new TaskCompletionSource<object?>(TaskCreationOptions.RunContinuationsAsynchronously) };
        if (!_queue.Writer.TryWrite(work))
        {
            throw new ConversationStoreException("The store is closed.");
        }

        return (T)(await work.Done.Task.ConfigureAwait(false))!;
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
        Exception? failure = null;
        try
        {
            using SqliteTransaction transaction = _rows.Begin();
            Sweep();
            foreach (Work work in batch)
            {
                DoOne(work);
            }

            transaction.Commit();
        }
        catch (SqliteException exception)
        {
            failure = exception;
            _onFailure?.Invoke(exception);
        }

        foreach (Work work in batch)
        {
            Interlocked.Add(ref _pendingBytes, -work.Bytes);
            if (failure is not null || work.Failure is not null)
            {
                work.Done?.TrySetException(work.Failure as ConversationStoreException ?? new ConversationStoreException("The store cannot be read.", work.Failure ?? failure));
            }
            else
            {
                work.Done?.TrySetResult(work.Result);
            }
        }
    }

    /// <summary>One that fails does not take the others with it.</summary>
    private void DoOne(Work work)
    {
        _rows.Mark();
        try
        {
            work.Result = work.Run(_rows);
            _rows.Release();
        }
        catch (Exception exception) when (exception is SqliteException or ConversationStoreException)
        {
            _rows.Undo();
            work.Failure = exception;
            if (exception is SqliteException)
            {
                _onFailure?.Invoke(exception);
            }
        }
    }

    private void Sweep()
    {
        DateTimeOffset now = _time.GetUtcNow();
        if (now - _sweptAt >= SweepEvery)
        {
            _sweptAt = now;
            _rows.Expire(Now);
        }
    }

    private sealed class Work(Func<ConversationRows, object?> run)
    {
        public Func<ConversationRows, object?> Run { get; } = run;
        public long Bytes { get; init; }
        public TaskCompletionSource<object?>? Done { get; init; }
        public object? Result { get; set; }
        public Exception? Failure { get; set; }
    }
}
