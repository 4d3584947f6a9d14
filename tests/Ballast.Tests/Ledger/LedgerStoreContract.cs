using System.Globalization;
using Ballast.Ledger;

namespace Ballast.Tests.Ledger;

/// <summary>What every <see cref="ILedgerStore"/> promises; each store's tests derive from this.</summary>
public abstract class LedgerStoreContract : IAsyncLifetime
{
    private ILedgerStore? _store;

    protected ILedgerStore Store => _store ?? throw new InvalidOperationException("The test has not begun.");

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected abstract Task<ILedgerStore> OpenStoreAsync();

    protected abstract LedgerReader OpenReader();

    protected Task<IReadOnlyList<LedgerEntry>> ReadAllAsync() => OpenReader().EntriesAsync(LedgerFilter.Everything, int.MaxValue, Cancellation);

    public async ValueTask InitializeAsync() => _store = await OpenStoreAsync();

    public virtual async ValueTask DisposeAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task AppendAsync_EveryFieldSet_ReadsBackTheSame()
    {
        LedgerEntry written = SampleEntries.Completed("a1") with
        {
            AttemptNumber = 2,
            StartedAt = SampleEntries.Start.AddTicks(1_234_560),
            IsEstimated = true,
            CostUsd = 12.345678901234m,
            InputCostUsd = 0.000000000001m,
            Outcome = AttemptOutcome.Interrupted,
            Reason = "upstream_cut",
            Team = "payments",
            Organisation = "house",
            Reserved = 0.25m,
            ReservedCurrency = "EUR",
        };

        await Store.AppendAsync([written], Cancellation);

        LedgerEntry read = Assert.Single(await ReadAllAsync());
        Assert.Equal(written.Losses, read.Losses);
        Assert.Equal(written with { Losses = [] }, read with { Losses = [] });
    }

    [Fact]
    public async Task AppendAsync_NothingOptionalSet_ReadsBackTheSame()
    {
        LedgerEntry written = SampleEntries.Failed("a1", status: null) with { UpstreamRequestId = null, Stream = false };

        await Store.AppendAsync([written], Cancellation);

        LedgerEntry read = Assert.Single(await ReadAllAsync());
        Assert.Empty(read.Losses);
        Assert.Equal(written with { Losses = [] }, read with { Losses = [] });
    }

    [Theory]
    [InlineData(AttemptOutcome.Completed)]
    [InlineData(AttemptOutcome.Failed)]
    [InlineData(AttemptOutcome.Interrupted)]
    [InlineData(AttemptOutcome.Cancelled)]
    public async Task AppendAsync_AnyOutcome_ReadsBackTheSame(AttemptOutcome outcome)
    {
        await Store.AppendAsync([SampleEntries.Completed("a1") with { Outcome = outcome }], Cancellation);

        Assert.Equal(outcome, Assert.Single(await ReadAllAsync()).Outcome);
    }

    [Fact]
    public async Task AppendAsync_SameIdAgain_KeepsTheFirstRow()
    {
        await Store.AppendAsync([SampleEntries.Completed("a1") with { App = "first" }], Cancellation);
        await Store.AppendAsync(
            [SampleEntries.Completed("a1") with { App = "second" }, SampleEntries.Completed("a2"), SampleEntries.Completed("a2")], Cancellation);

        IReadOnlyList<LedgerEntry> rows = await ReadAllAsync();
        Assert.Equal(["a1", "a2"], rows.Select(row => row.AttemptId).Order());
        Assert.Equal("first", rows.Single(row => row.AttemptId == "a1").App);
    }

    [Fact]
    public async Task AppendAsync_WholeBatchRepeated_ChangesNothing()
    {
        LedgerEntry[] batch = [.. Enumerable.Range(0, 100).Select(index => SampleEntries.Completed($"a{index}"))];

        await Store.AppendAsync(batch, Cancellation);
        await Store.AppendAsync(batch, Cancellation);

        Assert.Equal(100, (await ReadAllAsync()).Count);
    }

    [Fact]
    public async Task AppendAsync_NoRows_IsFine()
    {
        await Store.AppendAsync([], Cancellation);

        Assert.Empty(await ReadAllAsync());
    }

    [Fact]
    public async Task AppendAsync_BadRowInBatch_LeavesNoneOfIt()
    {
        LedgerEntry bad = SampleEntries.Completed("a2") with { Outcome = (AttemptOutcome)99 };

        await Assert.ThrowsAnyAsync<Exception>(() => Store.AppendAsync([SampleEntries.Completed("a1"), bad], Cancellation));
        Assert.Empty(await ReadAllAsync());

        await Store.AppendAsync([SampleEntries.Completed("a3")], Cancellation);
        Assert.Equal("a3", Assert.Single(await ReadAllAsync()).AttemptId);
    }

    [Fact]
    public async Task AppendAsync_AbsurdVendorFigures_AreCutAndDoNotFail()
    {
        LedgerEntry absurd = SampleEntries.Completed("a1") with
        {
            InputTokens = long.MaxValue,
            OutputTokens = -5,
            CostUsd = decimal.MaxValue,
            ServedModel = new string('m', 100_000),
            App = null!,
        };

        await Store.AppendAsync([absurd, absurd with { AttemptId = "a2" }], Cancellation);

        LedgerEntry read = (await ReadAllAsync())[0];
        Assert.Equal(SqliteLedgerStore.TokensMax, read.InputTokens);
        Assert.Equal(0, read.OutputTokens);
        Assert.Equal(SqliteLedgerStore.TextLengthMax, read.ServedModel?.Length);
        Assert.Equal("", read.App);
    }

    [Fact]
    public async Task AppendAsync_TextWithAZeroInIt_DoesNotFail()
    {
        await Store.AppendAsync([SampleEntries.Completed("a1") with { RequestedModel = "m\0x" }], Cancellation);

        Assert.StartsWith("m", Assert.Single(await ReadAllAsync()).RequestedModel, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reports_OfAnyRows_EqualWhatTheRowsSay()
    {
        LedgerEntry[] rows =
        [
            SampleEntries.Completed("a1"),
            SampleEntries.Completed("a2") with { StartedAt = SampleEntries.Start.AddDays(1), TimeToFirstToken = TimeSpan.FromMilliseconds(500), App = "Zebra" },
            SampleEntries.Failed("a3"),
            SampleEntries.Failed("a4", status: 429) with { App = "alpha" },
            SampleEntries.Completed("a5", "aws", "anthropic") with { CostUsd = 9_000_000m, InputCostUsd = 1m },
            SampleEntries.Completed("a6", "aws", "anthropic") with { CostUsd = 9_000_000m, InputCostUsd = 1m, Outcome = AttemptOutcome.Interrupted },
        ];
        await Store.AppendAsync(rows, Cancellation);
        LedgerReader reader = OpenReader();

        UsageReport usage = await reader.UsageAsync([UsageDimension.Day, UsageDimension.App], LedgerFilter.Everything, Cancellation);
        Assert.Equal(["2026-11-20|support", "2026-11-20|alpha", "2026-11-21|Zebra"], usage.Rows.Select(row => string.Join('|', row.Keys)));
        Assert.Equal((6, 6, 3, 2), (usage.Total.Attempts, usage.Total.Requests, usage.Total.Completed, usage.Total.Failed));
        Assert.Equal(18_000_000.001m, usage.Total.CostUsd);
        Assert.Equal(TimeSpan.FromMilliseconds(500), usage.Total.TtftP95);
        Assert.Equal(1, (await reader.UsageAsync([], new LedgerFilter(App: "Zebra", Since: SampleEntries.Start.AddHours(1)), Cancellation)).Total.Attempts);

        TrafficFigures azure = await reader.FiguresAsync("openai", "azure", LedgerFilter.Everything, Cancellation);
        Assert.Equal((4, 2, 1, 1), (azure.Attempts, azure.Answered, azure.Errors, azure.RateLimited));
        Assert.Equal(2, (await reader.SharesAsync(LedgerFilter.Everything, Cancellation)).Single(row => row.Platform == "aws").Requests);
        Assert.Equal(["a1", "a2", "a4", "a5", "a6"], (await reader.ReachedAttemptIdsAsync(Cancellation)).Order().Except(["a3"]));
    }

    [Fact]
    public async Task AppendEventsAsync_EventsOfTwoKinds_ReadBackInOrderAndOnce()
    {
        LedgerEvent[] events =
        [
            Event("b", SampleEntries.Start.AddMinutes(1)), Event("a", SampleEntries.Start.AddMinutes(1)), Event("c", SampleEntries.Start), Event("d", SampleEntries.Start) with { Kind = LedgerEvent.Suspension },
        ];
        ILedgerEventStore store = (ILedgerEventStore)Store;

        await store.AppendEventsAsync(events, Cancellation);
        await store.AppendEventsAsync([events[0] with { Body = "{}" }], Cancellation);

        LedgerReader reader = OpenReader();
        Assert.Equal(["c", "a", "b"], (await reader.EventsAsync(LedgerEvent.Shift, LedgerFilter.Everything, 100, Cancellation)).Select(static one => one.Id));
        Assert.Equal(events[0], (await reader.EventsAsync(LedgerEvent.Shift, LedgerFilter.Everything, 100, Cancellation))[2]);
        Assert.Equal(["b"], (await reader.EventsAsync(LedgerEvent.Shift, LedgerFilter.Everything, 1, Cancellation)).Select(static one => one.Id));
        Assert.Equal(["c"], (await reader.EventsAsync(LedgerEvent.Shift, new LedgerFilter(Until: SampleEntries.Start.AddSeconds(1), App: "any"), 100, Cancellation)).Select(static one => one.Id));
        await Assert.ThrowsAsync<ArgumentException>(() => store.AppendEventsAsync([Event("e", SampleEntries.Start), Event("f", SampleEntries.Start) with { Body = new string('x', LedgerEvent.BodyLengthMax + 1) }], Cancellation));
        Assert.Equal(3, (await reader.EventsAsync(LedgerEvent.Shift, LedgerFilter.Everything, 100, Cancellation)).Count);

        static LedgerEvent Event(string id, DateTimeOffset at) => new() { Id = id, At = at, Kind = LedgerEvent.Shift, Subject = "vendor:openai", Body = "{\"p\":0.0001}" };
    }

    [Fact]
    public async Task BucketsAsync_OfAnyRows_EqualWhatTheRowsSay()
    {
        await Store.AppendAsync(
            [
                SampleEntries.Completed("a1"), SampleEntries.Completed("a2") with { StartedAt = SampleEntries.Start.AddMinutes(59) },
                SampleEntries.Completed("a3") with { StartedAt = SampleEntries.Start.AddMinutes(60), Finish = "refusal" }, SampleEntries.Failed("a4"), SampleEntries.Failed("a5", status: 429),
            ],
            Cancellation);

        IReadOnlyList<TrafficBucket> buckets = await OpenReader().BucketsAsync(TimeSpan.FromHours(1), LedgerFilter.Everything, Cancellation);

        Assert.Equal([SampleEntries.Start, SampleEntries.Start.AddHours(1)], buckets.Select(static bucket => bucket.From));
        Assert.Equal((4, 2, 1, 0, 356), (buckets[0].Attempts, buckets[0].Answered, buckets[0].Errors, buckets[0].Refusals, buckets[0].Tokens));
        Assert.Equal((2, 0.24, 100, 1.0), (buckets[0].TtftCount, buckets[0].TtftTime.TotalSeconds, buckets[0].StreamedTokens, buckets[0].StreamedTime.TotalSeconds));
        Assert.Equal((0.000_4m, 254, 0.000_6m, 102), (buckets[0].PricedInputUsd, buckets[0].PricedInputTokens, buckets[0].PricedOutputUsd, buckets[0].PricedOutputTokens));
        Assert.Equal(1, buckets[1].Refusals);
    }

    [Fact]
    public async Task AppendAsync_ManyCallersAtOnce_KeepsEveryRow()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Task.Run(
            async () =>
            {
                for (int index = 0; index < 25; index++)
                {
                    string id = string.Create(CultureInfo.InvariantCulture, $"{caller}-{index}");
                    await Store.AppendAsync([SampleEntries.Completed(id)], Cancellation);
                }
            },
            Cancellation)));

        Assert.Equal(200, (await ReadAllAsync()).Count);
    }

    [Fact]
    public async Task AppendAsync_AfterDisposal_Throws()
    {
        await Store.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => Store.AppendAsync([SampleEntries.Completed("a1")], Cancellation));
    }
}
