using System.Globalization;
using Ballast.Ledger;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Ledger;

public sealed class LedgerWriterTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RecordAsync_ManyRecordersAtOnce_WritesEveryRowOnce()
    {
        RecordingStore store = new();
        await using (LedgerWriter writer = new(store, new LedgerWriterOptions { QueueMax = 64, BatchRowsMax = 16 }, TimeProvider.System))
        {
            await Task.WhenAll(Enumerable.Range(0, 8).Select(recorder => Task.Run(
                async () =>
                {
                    for (int index = 0; index < 250; index++)
                    {
                        await writer.RecordAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"{recorder}-{index}")));
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
    public async Task RecordAsync_RowsWithinTheLinger_ShareOneTransaction()
    {
        FakeTimeProvider time = new();
        RecordingStore store = new();
        LedgerWriter writer = new(store, new LedgerWriterOptions { BatchRowsMax = 100 }, time);

        await writer.RecordAsync(SampleEntries.Completed("first"));
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Cancellation);
        Assert.Equal(0, writer.Written);
        for (int index = 1; index < 30; index++)
        {
            await writer.RecordAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{index}")));
        }

        await AdvanceUntilAsync(time, TimeSpan.FromMilliseconds(50), () => writer.Written == 30);
        Assert.Equal([30], store.BatchSizes);
        await writer.DisposeAsync().AsTask().WaitAsync(s_patience, Cancellation);
    }

    [Fact]
    public async Task RecordAsync_FullBatch_IsWrittenWithoutWaiting()
    {
        RecordingStore store = new();
        await using LedgerWriter writer = new(store, new LedgerWriterOptions { BatchRowsMax = 4 }, new FakeTimeProvider());

        for (int index = 0; index < 4; index++)
        {
            await writer.RecordAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{index}")));
        }

        await UntilAsync(() => writer.Written == 4);
    }

    [Fact]
    public async Task FlushAsync_RowsWaitingForCompany_AreWrittenAtOnce()
    {
        RecordingStore store = new();
        await using LedgerWriter writer = new(store, new LedgerWriterOptions(), new FakeTimeProvider());

        for (int round = 1; round <= 50; round++)
        {
            await writer.RecordAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{round}")));
            await writer.FlushAsync(Cancellation).WaitAsync(s_patience, Cancellation);
            Assert.Equal(round, store.Rows.Count);
        }
    }

    [Fact]
    public async Task FlushAsync_NothingRecorded_Completes()
    {
        await using LedgerWriter writer = new(new RecordingStore(), new LedgerWriterOptions(), new FakeTimeProvider());

        await writer.FlushAsync(Cancellation).WaitAsync(s_patience, Cancellation);
    }

    [Fact]
    public async Task RecordAsync_QueueFull_WaitsAndLosesNothing()
    {
        RecordingStore store = new();
        using SemaphoreSlim gate = new(0);
        store.BeforeAppend = () => gate.WaitAsync(Cancellation);
        LedgerWriter writer = new(store, new LedgerWriterOptions { QueueMax = 4, BatchRowsMax = 2 }, TimeProvider.System);

        List<Task> recorded = [];
        for (int index = 0; index < 20; index++)
        {
            recorded.Add(writer.RecordAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{index}"))).AsTask());
        }

        await UntilAsync(() => store.Waiting == 1);
        await UntilAsync(() => recorded.Count(task => task.IsCompleted) is 6);
        Assert.Equal(20, writer.Pending);
        gate.Release(1000);
        await Task.WhenAll(recorded).WaitAsync(s_patience, Cancellation);
        await writer.DisposeAsync().AsTask().WaitAsync(s_patience, Cancellation);

        Assert.Equal(20, store.Rows.Count);
        Assert.Equal(20, writer.Written);
    }

    [Fact]
    public async Task DisposeAsync_RecordersStillWaitForRoom_WritesTheirRowsToo()
    {
        RecordingStore store = new();
        using SemaphoreSlim gate = new(0);
        store.BeforeAppend = () => gate.WaitAsync(Cancellation);
        LedgerWriter writer = new(store, new LedgerWriterOptions { QueueMax = 2, BatchRowsMax = 2 }, TimeProvider.System);
        Task[] recorded =
        [
            .. Enumerable.Range(0, 10).Select(index =>
                writer.RecordAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{index}"))).AsTask()),
        ];

        Task disposal = writer.DisposeAsync().AsTask();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => writer.RecordAsync(SampleEntries.Completed("late")).AsTask());
        gate.Release(1000);
        await disposal.WaitAsync(s_patience, Cancellation);
        await Task.WhenAll(recorded);

        Assert.Equal(10, store.Rows.Count);
        Assert.Equal(0, writer.Lost);
    }

    [Fact]
    public async Task DisposeAsync_RowsWaitingForCompany_AreAllWritten()
    {
        RecordingStore store = new();
        LedgerWriter writer = new(store, new LedgerWriterOptions { BatchRowsMax = 7 }, new FakeTimeProvider());
        for (int index = 0; index < 100; index++)
        {
            await writer.RecordAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{index}")));
        }

        await writer.DisposeAsync().AsTask().WaitAsync(s_patience, Cancellation);

        Assert.Equal(100, store.Rows.Count);
    }

    [Fact]
    public async Task RecordAsync_StoreFailsThreeTimes_TriesAgainWithGrowingWaitsAndKeepsTheRows()
    {
        FakeTimeProvider time = new();
        RecordingStore store = new();
        int failuresLeft = 3;
        store.BeforeAppend = () => failuresLeft-- > 0 ? throw new IOException("disk full") : Task.CompletedTask;
        List<LedgerFailure> told = [];
        LedgerWriterOptions options = new() { BatchRowsMax = 2, RetryWait = TimeSpan.FromSeconds(1), RetryWaitMax = TimeSpan.FromSeconds(3) };
        await using LedgerWriter writer = new(store, options, time, onFailure: told.Add);

        await writer.RecordAsync(SampleEntries.Completed("a1"));
        await writer.RecordAsync(SampleEntries.Completed("a2"));
        await AdvanceUntilAsync(time, TimeSpan.FromSeconds(1), () => writer.Written == 2);

        Assert.Equal(3, writer.Failures);
        Assert.Equal([1, 2, 3], told.Select(failure => failure.Attempt));
        Assert.Equal([1.0, 2.0, 3.0], told.Select(failure => failure.RetryIn!.Value.TotalSeconds));
        Assert.All(told, failure => Assert.Equal(2, failure.Pending));
        Assert.Equal(["a1", "a2"], store.Rows.Select(row => row.AttemptId));
    }

    [Fact]
    public async Task RecordAsync_FailureCallbackThrows_StillWrites()
    {
        RecordingStore store = new();
        int failuresLeft = 1;
        store.BeforeAppend = () => failuresLeft-- > 0 ? throw new IOException("disk full") : Task.CompletedTask;
        LedgerWriterOptions options = new() { BatchRowsMax = 1, RetryWait = TimeSpan.FromMilliseconds(1) };
        await using LedgerWriter writer = new(store, options, TimeProvider.System, onFailure: _ => throw new InvalidOperationException());

        await writer.RecordAsync(SampleEntries.Completed("a1"));

        await UntilAsync(() => writer.Written == 1);
    }

    [Fact]
    public async Task DisposeAsync_StoreNeverRecovers_EndsAtTheDeadlineAndCountsTheLoss()
    {
        FakeTimeProvider time = new();
        RecordingStore store = new() { BeforeAppend = () => throw new IOException("disk gone") };
        List<LedgerFailure> told = [];
        LedgerWriter writer = new(store, new LedgerWriterOptions { BatchRowsMax = 2 }, time, onFailure: told.Add);
        for (int index = 0; index < 5; index++)
        {
            await writer.RecordAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{index}")));
        }

        Task disposal = writer.DisposeAsync().AsTask();
        await AdvanceUntilAsync(time, TimeSpan.FromSeconds(1), () => disposal.IsCompleted);
        await disposal;

        Assert.Equal(5, writer.Lost);
        Assert.Equal(0, writer.Pending);
        Assert.Equal(5, told[^1].Lost);
        Assert.Null(told[^1].RetryIn);
    }

    [Fact]
    public async Task DisposeAsync_Twice_IsFine()
    {
        LedgerWriter writer = new(new RecordingStore(), new LedgerWriterOptions(), TimeProvider.System);

        await writer.DisposeAsync();
        await writer.DisposeAsync();
    }

    [Fact]
    public async Task RecordAsync_WithLiveTotals_CountsEachRowOnce()
    {
        LiveTotals totals = new(TimeProvider.System);
        await using LedgerWriter writer = new(new RecordingStore(), new LedgerWriterOptions { QueueMax = 2 }, TimeProvider.System, totals);

        await Task.WhenAll(Enumerable.Range(0, 50).Select(index =>
            writer.RecordAsync(SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"a{index}"))).AsTask()));

        Assert.Equal(50, totals.Snapshot().Completed);
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
}
