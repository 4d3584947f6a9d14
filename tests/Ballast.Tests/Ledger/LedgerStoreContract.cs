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
