using System.Globalization;
using Ballast.Ledger;
using CsCheck;

namespace Ballast.Tests.Ledger;

public sealed class UsageReportTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task UsageAsync_ExchangeThatFailedOver_CountsInBothGroupsAndOnceInTotal()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Failed("a1") with { ExchangeId = "x1" },
            SampleEntries.Completed("a2", "aws") with { ExchangeId = "x1", AttemptNumber = 2 },
            SampleEntries.Completed("a3", "aws"));

        UsageReport report = await ledger.Reader.UsageAsync([UsageDimension.Platform], LedgerFilter.Everything, Cancellation);

        Assert.Equal(["aws", "azure"], report.Rows.Select(row => row.Keys[0]));
        Assert.Equal([2L, 1L], report.Rows.Select(row => row.Requests));
        Assert.Equal([0L, 1L], report.Rows.Select(row => row.Failed));
        Assert.Equal((2, 3, 2, 1), (report.Total.Requests, report.Total.Attempts, report.Total.Completed, report.Total.Failed));
        Assert.Empty(report.Total.Keys);
    }

    [Fact]
    public async Task UsageAsync_TokenClassesAndCosts_AreSummedApart()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("a1"),
            SampleEntries.Completed("a2") with { ReasoningTokens = null, IsEstimated = true },
            SampleEntries.Completed("a3") with { CostUsd = null, InputCostUsd = null, Outcome = AttemptOutcome.Interrupted },
            SampleEntries.Failed("a4"),
            SampleEntries.Completed("a5") with { Outcome = AttemptOutcome.Cancelled, CostUsd = 0 });

        UsageRow total = (await ledger.Reader.UsageAsync([], LedgerFilter.Everything, Cancellation)).Total;

        Assert.Equal(400, total.InputTokens);
        Assert.Equal(80, total.CacheReadTokens);
        Assert.Equal(12, total.CacheWriteTokens);
        Assert.Equal(16, total.CacheWriteLongTokens);
        Assert.Equal(204, total.OutputTokens);
        Assert.Equal(21, total.ReasoningTokens);
        Assert.Equal(0.001m, total.CostUsd);
        Assert.Equal(1, total.UnknownCost);
        Assert.Equal(1, total.Estimated);
        Assert.Equal((2, 1, 1, 1), (total.Completed, total.Failed, total.Interrupted, total.Cancelled));
    }

    [Fact]
    public async Task UsageAsync_Filter_TakesSinceAndLeavesUntil()
    {
        DateTimeOffset start = SampleEntries.Start;
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("a1") with { StartedAt = start.AddMicroseconds(-1) },
            SampleEntries.Completed("a2") with { StartedAt = start, App = "billing" },
            SampleEntries.Completed("a3") with { StartedAt = start.AddHours(1), KeyId = "other" },
            SampleEntries.Completed("a4") with { StartedAt = start.AddHours(2) });

        Assert.Equal(2, await CountAsync(new LedgerFilter(start, start.AddHours(2))));
        Assert.Equal(1, await CountAsync(new LedgerFilter(start, start.AddHours(2), App: "billing")));
        Assert.Equal(1, await CountAsync(new LedgerFilter(KeyId: "other")));
        Assert.Equal(0, await CountAsync(new LedgerFilter(App: "' OR 1=1 --")));

        async Task<long> CountAsync(LedgerFilter filter) => (await ledger.Reader.UsageAsync([], filter, Cancellation)).Total.Attempts;
    }

    [Fact]
    public async Task UsageAsync_ByDay_IsInOrderOfDaysInUtc()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("a1") with { StartedAt = new DateTimeOffset(2026, 11, 20, 23, 59, 59, TimeSpan.Zero) },
            SampleEntries.Completed("a2") with { StartedAt = new DateTimeOffset(2026, 11, 21, 0, 0, 0, TimeSpan.Zero) },
            SampleEntries.Completed("a3") with { StartedAt = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero) });

        UsageReport report = await ledger.Reader.UsageAsync([UsageDimension.Day, UsageDimension.App], LedgerFilter.Everything, Cancellation);

        Assert.Equal(["2026-11-20", "2026-11-21"], report.Rows.Select(row => row.Keys[0]));
        Assert.Equal(["support", "support"], report.Rows.Select(row => row.Keys[1]));
        Assert.Equal([1L, 2L], report.Rows.Select(row => row.Attempts));
    }

    [Theory]
    [MemberData(nameof(Dimensions))]
    public async Task UsageAsync_EachDimension_GroupsByItsOwnColumn(UsageDimension dimension, string expected)
    {
        await using TestLedger ledger = await TestLedger.WithAsync(SampleEntries.Completed("a1"));

        UsageReport report = await ledger.Reader.UsageAsync([dimension], LedgerFilter.Everything, Cancellation);

        Assert.Equal(expected, Assert.Single(report.Rows).Keys[0]);
        Assert.Equal(TimeSpan.FromMilliseconds(120), report.Rows[0].TtftP50);
    }

    public static TheoryData<UsageDimension, string> Dimensions => new()
    {
        { UsageDimension.Model, "assistant" },
        { UsageDimension.Vendor, "openai" },
        { UsageDimension.Platform, "azure" },
        { UsageDimension.Region, "sweden" },
        { UsageDimension.App, "support" },
        { UsageDimension.Day, "2026-11-20" },
        { UsageDimension.Deployment, "azure/gpt-sample" },
        { UsageDimension.Outcome, "completed" },
    };

    [Fact]
    public async Task UsageAsync_EmptyLedger_IsEmpty()
    {
        await using TestLedger ledger = new();

        UsageReport report = await ledger.Reader.UsageAsync([UsageDimension.Model], LedgerFilter.Everything, Cancellation);

        Assert.True(report.IsEmpty);
        Assert.Empty(report.Rows);
        Assert.Equal(0m, report.Total.CostUsd);
        Assert.Null(report.Total.TtftP50);
    }

    [Fact]
    public async Task UsageAsync_WholeAnswers_DoNotCountAsTimesToFirstToken()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("a1") with { Stream = false, TimeToFirstToken = TimeSpan.FromSeconds(9) },
            SampleEntries.Completed("a2"));

        Assert.Equal(
            TimeSpan.FromMilliseconds(120),
            (await ledger.Reader.UsageAsync([], LedgerFilter.Everything, Cancellation)).Total.TtftP95);
    }

    /// <summary>Beyond nine million dollars a plain sum of picodollars would leave 64 bits, and SQLite would refuse the report.</summary>
    [Fact]
    public async Task UsageAsync_SumBeyondSixtyFourBits_IsStillExact()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            [.. Enumerable.Range(0, 20).Select(index => SampleEntries.Completed(Id(index)) with { CostUsd = 999_999.000_000_000_001m })]);

        Assert.Equal(
            19_999_980.000_000_000_020m,
            (await ledger.Reader.UsageAsync([], LedgerFilter.Everything, Cancellation)).Total.CostUsd);
    }

    [Fact]
    public async Task UsageAsync_AnyRows_EqualsTheModel() =>
        await (from platform in Gen.OneOf(Gen.Const("aws"), Gen.Const("azure"), Gen.Const("local"))
               from app in Gen.OneOf(Gen.Const("a"), Gen.Const("b"))
               from exchange in Gen.Int[0, 6]
               from outcome in Gen.Enum<AttemptOutcome>()
               from tokens in Gen.Int[0, 100_000]
               from pico in Gen.Long[0, 1_000_000_000_000_000]
               from known in Gen.Bool
               from ttft in Gen.Int[1, 5_000_000]
               from stream in Gen.Bool
               select (platform, app, exchange, outcome, tokens, pico, known, ttft, stream))
            .Array[0, 60].SampleAsync(
                async samples =>
                {
                    LedgerEntry[] entries =
                    [
                        .. samples.Select((sample, index) => SampleEntries.Completed(Id(index), sample.platform) with
                        {
                            App = sample.app,
                            // As they come: an exchange ends with its last attempt, and those before it failed.
                            ExchangeId = Id(sample.exchange),
                            AttemptNumber = samples.Take(index).Count(other => other.exchange == sample.exchange) + 1,
                            Outcome = samples.Skip(index + 1).Any(other => other.exchange == sample.exchange) ? AttemptOutcome.Failed : sample.outcome,
                            OutputTokens = sample.tokens,
                            CostUsd = sample.known ? Picodollars.ToDollars(sample.pico) : null,
                            TimeToFirstToken = TimeSpan.FromMicroseconds(sample.ttft),
                            Stream = sample.stream,
                        }),
                    ];
                    await using TestLedger ledger = await TestLedger.WithAsync(entries);
                    UsageReport report = await ledger.Reader.UsageAsync(
                        [UsageDimension.App, UsageDimension.Platform], LedgerFilter.Everything, Cancellation);

                    AssertRow(report.Total, entries);
                    Assert.Equal(entries.GroupBy(entry => (entry.App, entry.Platform)).Count(), report.Rows.Count);
                    foreach (UsageRow row in report.Rows)
                    {
                        AssertRow(row, [.. entries.Where(entry => entry.App == row.Keys[0] && entry.Platform == row.Keys[1])]);
                    }
                },
                iter: 40,
                threads: 1);

    private static void AssertRow(UsageRow row, LedgerEntry[] entries)
    {
        Assert.Equal(entries.Select(entry => entry.ExchangeId).Distinct().Count(), row.Requests);
        Assert.Equal(entries.Length, row.Attempts);
        Assert.Equal(entries.Count(entry => entry.Outcome == AttemptOutcome.Interrupted), row.Interrupted);
        Assert.Equal(entries.Sum(entry => entry.OutputTokens), row.OutputTokens);
        Assert.Equal(entries.Sum(entry => entry.CostUsd ?? 0), row.CostUsd);
        Assert.Equal(entries.Count(entry => entry.CostUsd is null && (entry.Outcome != AttemptOutcome.Failed || entry.OutputTokens + entry.InputTokens > 0)), row.UnknownCost);
        TimeSpan[] times = [.. entries.Where(entry => entry.Stream).Select(entry => entry.TimeToFirstToken!.Value).Order()];
        Assert.Equal(NearestRank(times, 0.50m), row.TtftP50);
        Assert.Equal(NearestRank(times, 0.95m), row.TtftP95);
    }

    /// <summary>The definition, without the whole-number arithmetic of the query.</summary>
    private static TimeSpan? NearestRank(TimeSpan[] sorted, decimal share) =>
        sorted.Length == 0 ? null : sorted[(int)Math.Ceiling(share * sorted.Length) - 1];

    private static string Id(int index) => string.Create(CultureInfo.InvariantCulture, $"i{index}");
}
