using System.Collections.Concurrent;
using System.Globalization;
using Ballast.Ledger;
using Ballast.Ledger.Spool;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Ledger;

public sealed class LedgerWriterTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private readonly LedgerSpool _spool;

    public LedgerWriterTests() => _spool = LedgerSpool.Open(new SpoolOptions { Folder = _folder.File("spool") }, TimeProvider.System);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SettleAsync_ManyRecordersAtOnce_WritesEveryRowOnce()
    {
        RecordingStore store = new();
        await using (LedgerWriter writer = new(store, _spool, new LedgerWriterOptions { BatchRowsMax = 16 }, TimeProvider.System))
        {
            await Task.WhenAll(Enumerable.Range(0, 8).Select(recorder => Task.Run(
                async () =>
                {
                    for (int index = 0; index < 250; index++)
                    {
                        await writer.SettleAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"{recorder}-{index}")));
                    }
                },
                Cancellation)));
            await writer.FlushAsync(Cancellation);

            Assert.Equal(2000, writer.Written);
            Assert.Equal(0, writer.Pending);
        }

        Assert.Equal(2000, store.Rows.Select(row => row.AttemptId).Distinct().Count());
        Assert.Equal(2000, store.Rows.Count);
        Assert.All(store.BatchSizes, size => Assert.InRange(size, 1, 16));
    }

    [Fact]
    public async Task SettleAsync_RowsWithinTheLinger_ShareOneTransaction()
    {
        FakeTimeProvider time = new();
        RecordingStore store = new();
        LedgerWriter writer = new(store, _spool, new LedgerWriterOptions { BatchRowsMax = 100 }, time);

        await writer.SettleAsync(SampleEntries.Completed("first"));
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Cancellation);
        Assert.Equal(0, writer.Written);
        for (int index = 1; index < 30; index++)
        {
            await writer.SettleAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{index}")));
        }

        await AdvanceUntilAsync(time, TimeSpan.FromMilliseconds(50), () => writer.Written == 30);
        Assert.Equal([30], store.BatchSizes);
        await writer.DisposeAsync().AsTask().WaitAsync(s_patience, Cancellation);
    }

    [Fact]
    public async Task SettleAsync_FullBatch_IsWrittenWithoutWaiting()
    {
        RecordingStore store = new();
        await using LedgerWriter writer = new(store, _spool, new LedgerWriterOptions { BatchRowsMax = 4 }, new FakeTimeProvider());

        for (int index = 0; index < 4; index++)
        {
            await writer.SettleAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{index}")));
        }

        await UntilAsync(() => writer.Written == 4);
    }

    [Fact]
    public async Task FlushAsync_RowsWaitingForCompany_AreWrittenAtOnce()
    {
        RecordingStore store = new();
        await using LedgerWriter writer = new(store, _spool, new LedgerWriterOptions(), new FakeTimeProvider());

        for (int round = 1; round <= 50; round++)
        {
            await writer.SettleAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{round}")));
            await writer.FlushAsync(Cancellation).WaitAsync(s_patience, Cancellation);
            Assert.Equal(round, store.Rows.Count);
        }
    }

    [Fact]
    public async Task FlushAsync_NothingRecorded_Completes()
    {
        await using LedgerWriter writer = new(new RecordingStore(), _spool, new LedgerWriterOptions(), new FakeTimeProvider());

        await writer.FlushAsync(Cancellation).WaitAsync(s_patience, Cancellation);
    }

    [Fact]
    public async Task SettleAsync_StoreHangs_NobodyWaitsForIt()
    {
        RecordingStore store = new();
        using SemaphoreSlim gate = new(0);
        store.BeforeAppend = () => gate.WaitAsync(Cancellation);
        LedgerWriter writer = new(store, _spool, new LedgerWriterOptions { BatchRowsMax = 2 }, TimeProvider.System);

        for (int index = 0; index < 20; index++)
        {
            Assert.True(await writer.SettleAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{index}"))));
        }

        Assert.Equal(20, writer.Pending);
        gate.Release(1000);
        await writer.DisposeAsync().AsTask().WaitAsync(s_patience, Cancellation);

        Assert.Equal(20, store.Rows.Count);
        Assert.Equal(20, writer.Written);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => writer.SettleAsync(SampleEntries.Completed("late")).AsTask());
    }

    [Fact]
    public async Task DisposeAsync_RowsWaitingForCompany_AreAllWritten()
    {
        RecordingStore store = new();
        LedgerWriter writer = new(store, _spool, new LedgerWriterOptions { BatchRowsMax = 7 }, new FakeTimeProvider());
        for (int index = 0; index < 100; index++)
        {
            await writer.SettleAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{index}")));
        }

        await writer.DisposeAsync().AsTask().WaitAsync(s_patience, Cancellation);

        Assert.Equal(100, store.Rows.Count);
    }

    [Fact]
    public async Task SettleAsync_StoreFailsThreeTimes_TriesAgainWithGrowingWaitsAndKeepsTheRows()
    {
        FakeTimeProvider time = new();
        RecordingStore store = new();
        int failuresLeft = 3;
        store.BeforeAppend = () => failuresLeft-- > 0 ? throw new IOException("disk full") : Task.CompletedTask;
        List<LedgerFailure> told = [];
        LedgerWriterOptions options = new() { BatchRowsMax = 2, RetryWait = TimeSpan.FromSeconds(1), RetryWaitMax = TimeSpan.FromSeconds(3) };
        await using LedgerWriter writer = new(store, _spool, options, time, onFailure: told.Add);

        await writer.SettleAsync(SampleEntries.Completed("a1"));
        await writer.SettleAsync(SampleEntries.Completed("a2"));
        await AdvanceUntilAsync(time, TimeSpan.FromSeconds(1), () => writer.Written == 2);

        Assert.Equal(3, writer.Failures);
        Assert.Equal([1, 2, 3], told.Select(failure => failure.Attempt));
        Assert.Equal([1.0, 2.0, 3.0], told.Select(failure => failure.RetryIn!.Value.TotalSeconds));
        Assert.All(told, failure => Assert.Equal(2, failure.Pending));
        Assert.Equal(["a1", "a2"], store.Rows.Select(row => row.AttemptId));
    }

    [Fact]
    public async Task SettleAsync_FailureCallbackThrows_StillWrites()
    {
        RecordingStore store = new();
        int failuresLeft = 1;
        store.BeforeAppend = () => failuresLeft-- > 0 ? throw new IOException("disk full") : Task.CompletedTask;
        LedgerWriterOptions options = new() { BatchRowsMax = 1, RetryWait = TimeSpan.FromMilliseconds(1) };
        await using LedgerWriter writer = new(store, _spool, options, TimeProvider.System, onFailure: _ => throw new InvalidOperationException());

        await writer.SettleAsync(SampleEntries.Completed("a1"));

        await UntilAsync(() => writer.Written == 1);
    }

    [Fact]
    public async Task DisposeAsync_StoreNeverRecovers_EndsAtTheDeadlineAndLeavesTheRowsToTheNextRun()
    {
        FakeTimeProvider time = new();
        RecordingStore broken = new() { BeforeAppend = () => throw new IOException("disk gone") };
        List<LedgerFailure> told = [];
        LedgerWriter writer = new(broken, _spool, new LedgerWriterOptions { BatchRowsMax = 2 }, time, onFailure: told.Add);
        for (int index = 0; index < 5; index++)
        {
            await writer.SettleAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{index}")));
        }

        Task disposal = writer.DisposeAsync().AsTask();
        await AdvanceUntilAsync(time, TimeSpan.FromSeconds(1), () => disposal.IsCompleted);
        await disposal;
        Assert.Null(told[^1].RetryIn);
        Assert.Equal(5, writer.Pending);
        _spool.Dispose();

        RecordingStore store = new();
        using LedgerSpool again = LedgerSpool.Open(new SpoolOptions { Folder = _folder.File("spool") }, TimeProvider.System);
        await using LedgerWriter next = new(store, again, new LedgerWriterOptions(), TimeProvider.System);
        await next.FlushAsync(Cancellation).WaitAsync(s_patience, Cancellation);

        Assert.Equal(["a0", "a1", "a2", "a3", "a4"], store.Rows.Select(row => row.AttemptId));
    }

    [Fact]
    public async Task DisposeAsync_Twice_IsFine()
    {
        LedgerWriter writer = new(new RecordingStore(), _spool, new LedgerWriterOptions(), TimeProvider.System);

        await writer.DisposeAsync();
        await writer.DisposeAsync();
    }

    [Fact]
    public async Task SettleAsync_WithLiveTotals_CountsEachRowOnce()
    {
        LiveTotals totals = new(TimeProvider.System);
        await using LedgerWriter writer = new(new RecordingStore(), _spool, new LedgerWriterOptions(), TimeProvider.System, totals);

        await Task.WhenAll(Enumerable.Range(0, 50).Select(index =>
            writer.SettleAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{index}"))).AsTask()));

        Assert.Equal(50, totals.Snapshot().Completed);
    }

    public void Dispose()
    {
        _spool.Dispose();
        _folder.Dispose();
    }

    private static Task UntilAsync(Func<bool> condition) => AdvanceUntilAsync(time: null, TimeSpan.Zero, condition);

    /// <summary>Lets the writer's own task run; where it waits on the clock, the clock is moved on.</summary>
    private static async Task AdvanceUntilAsync(FakeTimeProvider? time, TimeSpan step, Func<bool> condition)
    {
        using CancellationTokenSource deadline = new(s_patience);
        while (!condition())
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancellation);
            time?.Advance(step);
        }
    }

    /// <summary>A store in memory that can be made to wait or to fail.</summary>
    private sealed class RecordingStore : ILedgerStore
    {
        private int _waiting;

        public List<LedgerEntry> Rows { get; } = [];

        public List<int> BatchSizes { get; } = [];

        public Func<Task>? BeforeAppend { get; set; }

        public int Waiting => Volatile.Read(ref _waiting);

        public async Task AppendAsync(IReadOnlyList<LedgerEntry> entries, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _waiting);
            if (BeforeAppend is not null)
            {
                await BeforeAppend();
            }

            Interlocked.Decrement(ref _waiting);
            lock (Rows)
            {
                Rows.AddRange(entries);
                BatchSizes.Add(entries.Count);
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>A store in memory that counts how often it was given a row.</summary>
    internal sealed class CountingStore : ILedgerStore
    {
        public ConcurrentDictionary<string, int> Ids { get; } = new(StringComparer.Ordinal);

        public Task AppendAsync(IReadOnlyList<LedgerEntry> entries, CancellationToken cancellation)
        {
            foreach (LedgerEntry entry in entries)
            {
                Ids.AddOrUpdate(entry.AttemptId, 1, static (_, count) => count + 1);
            }

            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
