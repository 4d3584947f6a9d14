using Ballast.Ledger;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Ledger;

public sealed class LiveTotalsTests
{
    [Fact]
    public void Snapshot_FailoverStory_CountsWhatHappened()
    {
        LiveTotals totals = new(new FakeTimeProvider());
        totals.Record(SampleEntries.Completed("a1"));
        totals.Record(SampleEntries.Failed("a2") with { ExchangeId = "x2" });
        totals.Record(SampleEntries.Completed("a3", "aws") with { ExchangeId = "x2", AttemptNumber = 2 });
        totals.Record(SampleEntries.Completed("a4", "local", "meta") with { Outcome = AttemptOutcome.Interrupted, CostUsd = null });

        LiveSnapshot snapshot = totals.Snapshot();

        Assert.Equal((3, 4, 2, 1, 1, 0), (snapshot.Requests, snapshot.Attempts, snapshot.Completed, snapshot.Failed, snapshot.Interrupted, snapshot.Cancelled));
        Assert.Equal(1, snapshot.Failovers);
        Assert.Equal(0.001m, snapshot.CostUsd);
        Assert.Equal((381, 153), (snapshot.InputTokens, snapshot.OutputTokens));
        Assert.Equal(["aws", "azure", "local"], snapshot.Platforms.Select(platform => platform.Name));
        Assert.Equal([1L, 1L, 1L], snapshot.Platforms.Select(platform => platform.Answered));
        Assert.Equal([0L, 1L, 0L], snapshot.Platforms.Select(platform => platform.Failed));
        Assert.Equal(["meta", "openai"], snapshot.Vendors.Select(vendor => vendor.Name));
    }

    /// <summary>A list asks about each of its batches: its second attempt follows no failure.</summary>
    [Fact]
    public void Snapshot_ListOfBatches_IsNoFailover()
    {
        LiveTotals totals = new(new FakeTimeProvider());
        totals.Record(SampleEntries.Completed("a1") with { Operation = "batch_list" });
        totals.Record(SampleEntries.Completed("a2") with { Operation = "batch_list", AttemptNumber = 2 });
        Assert.Equal((1, 2, 0), (totals.Snapshot().Requests, totals.Snapshot().Attempts, totals.Snapshot().Failovers));
    }

    [Fact]
    public void Snapshot_OldAnswers_LeaveTheRecentCount()
    {
        FakeTimeProvider time = new();
        LiveTotals totals = new(time);
        totals.Record(SampleEntries.Completed("a1"));
        time.Advance(TimeSpan.FromSeconds(9));
        totals.Record(SampleEntries.Completed("a2"));
        Assert.Equal(2, totals.Snapshot().Platforms[0].AnsweredRecently);

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, totals.Snapshot().Platforms[0].AnsweredRecently);
        Assert.Equal(0.1, totals.Snapshot().RequestsPerSecond, precision: 6);

        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(0, totals.Snapshot().Platforms[0].AnsweredRecently);
        Assert.Equal(2, totals.Snapshot().Platforms[0].Answered);
    }

    [Fact]
    public void Snapshot_AnyTimes_PercentilesAreAtMostTenPercentAboveNearestRank() =>
        Gen.Int[100, 100_000_000].Array[1, 200].Sample(
            microseconds =>
            {
                LiveTotals totals = new(TimeProvider.System);
                foreach (int time in microseconds)
                {
                    totals.Record(SampleEntries.Completed("a") with { TimeToFirstToken = TimeSpan.FromMicroseconds(time) });
                }

                Array.Sort(microseconds);
                LiveSnapshot snapshot = totals.Snapshot();
                AssertClose(microseconds[(int)Math.Ceiling(0.50m * microseconds.Length) - 1], snapshot.TtftP50!.Value);
                AssertClose(microseconds[(int)Math.Ceiling(0.95m * microseconds.Length) - 1], snapshot.TtftP95!.Value);
            },
            iter: 200);

    [Fact]
    public void Snapshot_NothingRecorded_HasNoPercentiles()
    {
        LiveSnapshot snapshot = new LiveTotals(TimeProvider.System).Snapshot();

        Assert.Null(snapshot.TtftP50);
        Assert.Empty(snapshot.Platforms);
    }

    [Fact]
    public void Record_MorePlatformsThanTheLimit_SumsTheRest()
    {
        LiveTotals totals = new(TimeProvider.System);
        for (int index = 0; index < 2 * LiveTotals.ComponentsMax; index++)
        {
            totals.Record(SampleEntries.Completed("a", "p" + index.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }

        IReadOnlyList<LiveComponent> platforms = totals.Snapshot().Platforms;
        Assert.Equal(LiveTotals.ComponentsMax, platforms.Count);
        Assert.Equal(LiveTotals.ComponentsMax + 1, platforms.Single(platform => platform.Name == "other").Answered);
    }

    [Fact]
    public void Record_ManyThreads_LosesNothing()
    {
        LiveTotals totals = new(TimeProvider.System);
        LedgerEntry entry = SampleEntries.Completed("a");

        using Barrier start = new(4);
        Thread[] threads =
        [
            .. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
            {
                start.SignalAndWait();
                for (int index = 0; index < 100_000; index++)
                {
                    totals.Record(entry);
                }
            })),
        ];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        Assert.Equal(400_000, totals.Snapshot().Completed);
        Assert.Equal(200m, totals.Snapshot().CostUsd);
    }

    [Fact]
    public void Record_KnownComponents_AllocatesNothing()
    {
        LiveTotals totals = new(TimeProvider.System);
        LedgerEntry entry = SampleEntries.Completed("a");
        totals.Record(entry);

        // The runtime's own doings are charged to whatever thread is at hand: one round without a byte proves it.
        long allocated = long.MaxValue;
        for (int round = 0; round < 20 && allocated != 0; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int index = 0; index < 1000; index++)
            {
                totals.Record(entry);
            }

            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, allocated);
    }

    private static void AssertClose(int expectedMicroseconds, TimeSpan actual) =>
        Assert.InRange(actual.TotalMicroseconds, expectedMicroseconds * 0.999, (expectedMicroseconds * 1.101) + 1);
}
