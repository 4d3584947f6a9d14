using System.Globalization;
using Ballast.Ledger;
using Ballast.Ledger.Rollups;
using Ballast.Protocols.Conversation;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Ledger;

/// <summary>What every <see cref="ILedgerStore"/> promises; each store's tests derive from this.</summary>
public abstract class LedgerStoreContract : IAsyncLifetime
{
    private ILedgerStore? _store;

    protected ILedgerStore Store => _store ?? throw new InvalidOperationException("The test has not begun.");

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected abstract Task<ILedgerStore> OpenStoreAsync();

    /// <summary>The same ledger once more, with a retention and a clock.</summary>
    protected abstract ILedgerStore OpenAgain(RollupRetention retention, TimeProvider time);

    /// <summary>All rows of a question, values joined by bars.</summary>
    protected abstract Task<IReadOnlyList<string>> QueryAsync(string sql);

    /// <summary>What is kept beside the rows, word for word.</summary>
    protected const string Sums =
        """
        SELECT 'r', level, bucket_us, app, team, served_model, deployment, region, stream, outcome, attempts, input_tokens, output_tokens, reasoning_tokens, cost_micro, cost_rest, unknown_cost, estimated, timed, duration_us FROM usage_rollups
        UNION ALL SELECT 't', level, bucket_us, app, team, served_model, deployment, region, 1, outcome, slot, streams, 0, 0, 0, 0, 0, 0, 0, 0 FROM usage_times
        UNION ALL SELECT 'x', 0, started_us, app, team, served_model, deployment, region, 1, outcome, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM retried
        """;

    protected const string SumsOfMedia = "SELECT level, bucket_us, app, COALESCE(team, '') AS team, platform, outcome, kind, amount FROM usage_media ORDER BY level, bucket_us, app, team, platform, outcome, kind, amount";

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
    public async Task ServedAsync_MoreThanAskedFor_GivesTheNewestInOrder()
    {
        await Store.AppendAsync([.. Enumerable.Range(0, 5).Select(static number => SampleEntries.Completed($"s{number}") with { StartedAt = SampleEntries.Start.AddSeconds(number), OutputTokens = number }), SampleEntries.Failed("s9")], Cancellation);

        IReadOnlyList<ServedRequest> served = await OpenReader().ServedAsync(new LedgerFilter(Until: SampleEntries.Start.AddSeconds(4)), 3, Cancellation);

        Assert.Equal([1, 2, 3], served.Select(static request => request.Usage.OutputTokens));
        Assert.Equal(("demo", "assistant", "openai-chat", "azure/gpt-sample", SampleEntries.Start.AddSeconds(1), 127), (served[0].KeyId, served[0].RequestedModel, served[0].Protocol, served[0].Deployment, served[0].At, served[0].Usage.TotalInputTokens));
    }

    /// <summary>What exposure is measured from, at every length of stretch and for every filter: the sums of the rows, as they are worked out one by one.</summary>
    [Theory]
    [InlineData(40 * 24 * 3600)]
    [InlineData(5 * 3600)]
    [InlineData(50)]
    [InlineData(0)]
    public async Task DemandAsync_OfAnyRows_EqualsTheRows(int seconds)
    {
        Random dice = new(7);
        string[] deployments = ["azure/gpt", "bedrock/gpt", "google/gemini"];
        LedgerEntry[] rows =
        [
            .. Enumerable.Range(0, 400).Select(number => (dice.Next(8) == 0 ? SampleEntries.Failed($"d{number:000}", status: dice.Next(3) switch { 0 => 503, 1 => 429, _ => null }) : SampleEntries.Completed($"d{number:000}")) with
            {
                StartedAt = SampleEntries.Start.AddSeconds(seconds * dice.NextDouble()), App = $"app{number % 3}", KeyId = $"key{number % 3}", Deployment = deployments[dice.Next(3)],
                ServedModel = $"m{dice.Next(4)}", OutputTokens = dice.Next(1000), CostUsd = dice.Next(4) == 0 ? null : dice.Next(1000) * 0.000_000_000_001m,
            }),
            SampleEntries.Completed("d-interrupted") with { Outcome = AttemptOutcome.Interrupted }, SampleEntries.Completed("d-cancelled") with { Outcome = AttemptOutcome.Cancelled },
        ];
        await Store.AppendAsync(rows, Cancellation);
        DateTimeOffset late = SampleEntries.Start.AddSeconds(seconds * 0.3);

        await AssertAsync(LedgerFilter.Everything, rows);
        await AssertAsync(new LedgerFilter(Since: late, Until: SampleEntries.Start.AddSeconds(seconds * 0.9)), [.. rows.Where(row => row.StartedAt >= late && row.StartedAt < SampleEntries.Start.AddSeconds(seconds * 0.9))]);
        await AssertAsync(new LedgerFilter(App: "app1"), [.. rows.Where(static row => row.App == "app1")]);
        await AssertAsync(new LedgerFilter(Since: SampleEntries.Start.AddYears(1)), []);

        static IEnumerable<DemandCell> Ordered(IEnumerable<DemandCell> cells) => cells.OrderBy(static cell => cell.From).ThenBy(static cell => cell.Label.ToString(), StringComparer.Ordinal);

        async Task AssertAsync(LedgerFilter filter, LedgerEntry[] expected)
        {
            DemandReport wanted = SampleDemand.Of(expected);
            DemandReport read = await OpenReader().DemandAsync(filter, int.MaxValue, Cancellation);
            Assert.Equal(wanted.Stretch, read.Stretch);
            Assert.Equal(Ordered(wanted.Cells), Ordered(read.Cells));
            Assert.Equal(wanted.Minutes.Select(static one => one.ToString()).Order(StringComparer.Ordinal), read.Minutes.Select(static one => one.ToString()).Order(StringComparer.Ordinal));
            Assert.Equal(read.Minutes.Select(static one => one.Minute).Order(), read.Minutes.Select(static one => one.Minute));
            TimeSpan day = TimeSpan.FromDays(1);
            Assert.Equal(Ordered(SampleDemand.Cells(day, expected)), Ordered(await OpenReader().DemandCellsAsync(day, filter, Cancellation)));
        }
    }

    /// <summary>Whatever comes in whichever order, how often and however late: the sums are those of the rows, on every level, to the last picodollar.</summary>
    [Fact]
    public async Task Rollups_OfAnyOrderWithRepetitions_EqualTheRows()
    {
        Random dice = new(16);
        LedgerEntry[] rows = [.. Enumerable.Range(0, 400).Select(number => RandomEntry(dice, number))];
        List<LedgerEntry> sent = [.. rows, .. rows.Where(_ => dice.Next(3) == 0)];
        dice.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(sent));
        for (int at = 0; at < sent.Count;)
        {
            int count = Math.Min(dice.Next(1, 60), sent.Count - at);
            await Store.AppendAsync(sent.GetRange(at, count), Cancellation);
            if (dice.Next(4) == 0)
            {
                // A batch that fails leaves nothing in the sums either.
                await Assert.ThrowsAnyAsync<Exception>(() => Store.AppendAsync([.. sent.GetRange(at, 1).Select(row => row with { AttemptId = "lost" }), sent[at] with { AttemptId = "bad", Outcome = (AttemptOutcome)99 }], Cancellation));
            }

            at += count;
        }

        LedgerReader reader = OpenReader();
        foreach (RollupLevel level in Enum.GetValues<RollupLevel>())
        {
            IReadOnlyList<RollupRow> sums = await reader.RollupsAsync(level, [UsageDimension.App, UsageDimension.Outcome], LedgerFilter.Everything, Cancellation);
            Assert.Equal(rows.Length, sums.Sum(sum => sum.Attempts));
            Assert.Equal(rows.Sum(row => row.CostUsd ?? 0), sums.Sum(sum => sum.CostUsd));
            Assert.All(sums, sum => Assert.Equal(
                rows.Where(row => row.App == sum.Keys[0] && LedgerText.OutcomeName(row.Outcome) == sum.Keys[1] && row.StartedAt >= sum.At && row.StartedAt < sum.At.AddTicks(LengthOf(level)))
                    .Aggregate((Count: 0L, Tokens: 0L, Cost: 0m), (all, row) => (all.Count + 1, all.Tokens + row.InputTokens + row.CacheReadTokens + row.CacheWriteTokens + row.CacheWriteLongTokens + row.OutputTokens, all.Cost + (row.CostUsd ?? 0))),
                (sum.Attempts, sum.Tokens, sum.CostUsd)));
        }

        // Any period: whole buckets where they cover it, rows at its ends.
        for (int round = 0; round < 12; round++)
        {
            DateTimeOffset since = SampleEntries.Start.AddMicroseconds(dice.NextInt64(0, 3 * 86_400_000_000));
            DateTimeOffset until = since.AddMicroseconds(dice.NextInt64(0, 2 * 86_400_000_000));
            LedgerFilter filter = new(since, until, App: round % 3 == 0 ? "a" : null);
            LedgerEntry[] within = [.. rows.Where(row => row.StartedAt >= since && row.StartedAt < until && (filter.App is null || row.App == filter.App))];
            UsageReport report = await reader.UsageAsync([UsageDimension.Platform], filter, Cancellation);

            Assert.Equal((within.Length, within.Select(row => row.ExchangeId).Distinct().Count()), (report.Total.Attempts, report.Total.Requests));
            Assert.Equal(within.Sum(row => row.CostUsd ?? 0), report.Total.CostUsd);
            Assert.Equal(MediaOf(within), report.Total.Media);
            Assert.All(report.Rows, group => Assert.Equal(MediaOf(within.Where(row => row.Platform == group.Keys[0])), group.Media));
            Assert.All(report.Rows, group => Assert.Equal(
                (within.Count(row => row.Platform == group.Keys[0]), within.Where(row => row.Platform == group.Keys[0]).Select(row => row.ExchangeId).Distinct().Count()),
                (group.Attempts, group.Requests)));
        }
    }

    /// <summary>What is told from slots is never shorter than what the rows say, and at most a thirty-second part longer.</summary>
    [Fact]
    public async Task Rollups_TimesToFirstToken_AreTheRowsToASlot()
    {
        Random dice = new(17);
        LedgerEntry[] rows = [.. Enumerable.Range(0, 300).Select(number => RandomEntry(dice, number) with { TimeToFirstToken = TimeSpan.FromMicroseconds(dice.NextInt64(0, 1L << dice.Next(1, 30))) })];
        await Store.AppendAsync(rows, Cancellation);
        LedgerFilter filter = new(SampleEntries.Start.AddMinutes(61), SampleEntries.Start.AddDays(2).AddSeconds(77));
        LedgerReader reader = OpenReader();

        UsageReport exact = await reader.UsageAsync([UsageDimension.App], filter, Cancellation);
        UsageReport slots = await reader.UsageAsync([UsageDimension.App], filter, rankedMax: 0, Cancellation);

        Assert.All(exact.Rows.Append(exact.Total).Zip(slots.Rows.Append(slots.Total)), pair =>
        {
            Assert.Equal(pair.First with { TtftP50 = null, TtftP95 = null, Keys = [] }, pair.Second with { TtftP50 = null, TtftP95 = null, Keys = [] });
            foreach ((TimeSpan? told, TimeSpan? slot) in ((TimeSpan?, TimeSpan?)[])[(pair.First.TtftP50, pair.Second.TtftP50), (pair.First.TtftP95, pair.Second.TtftP95)])
            {
                Assert.InRange(slot!.Value, told!.Value, told.Value * (33 / 32.0) + TimeSpan.FromMicroseconds(1));
            }
        });
    }

    /// <summary>What is too old goes level by level; what was told by it is told by the rows, late ones included.</summary>
    [Fact]
    public async Task Rollups_OlderThanTheyAreKept_GoAndNothingChanges()
    {
        FakeTimeProvider time = new(SampleEntries.Start.AddDays(4));
        Random dice = new(18);
        LedgerEntry[] rows = [.. Enumerable.Range(0, 200).Select(number => RandomEntry(dice, number))];
        await using ILedgerStore store = OpenAgain(new RollupRetention(TimeSpan.FromDays(2), TimeSpan.FromDays(3)), time);
        await store.AppendAsync(rows[..150], Cancellation);
        time.Advance(TimeSpan.FromHours(30));
        await store.AppendAsync(rows[150..], Cancellation); // many of them late
        time.Advance(TimeSpan.FromHours(2));
        LedgerEntry last = SampleEntries.Completed("now") with { StartedAt = time.GetUtcNow(), Media = null };
        await store.AppendAsync([last], Cancellation);

        long minutesFrom = RollupBuckets.Floor(RollupLevel.Minute, LedgerQuery.Microseconds(time.GetUtcNow().AddDays(-2)));
        Assert.Equal(["0"], await QueryAsync($"SELECT COUNT(*) FROM rollups WHERE level = 0 AND bucket_us < {minutesFrom}"));
        Assert.NotEqual(["0"], await QueryAsync($"SELECT COUNT(*) FROM rollups WHERE level = 1 AND bucket_us < {minutesFrom}"));
        for (int round = 0; round < 8; round++)
        {
            DateTimeOffset since = SampleEntries.Start.AddMicroseconds(dice.NextInt64(0, 4 * 86_400_000_000));
            LedgerFilter filter = new(since, since.AddMicroseconds(dice.NextInt64(0, 2 * 86_400_000_000)));
            LedgerEntry[] within = [.. rows.Append(last).Where(row => row.StartedAt >= filter.Since && row.StartedAt < filter.Until)];
            UsageRow total = (await OpenReader().UsageAsync([], filter, Cancellation)).Total;
            Assert.Equal((within.Length, within.Sum(row => row.CostUsd ?? 0), within.Sum(row => row.OutputTokens)), (total.Attempts, total.CostUsd, total.OutputTokens));
            Assert.Equal(MediaOf(within), total.Media);
        }
    }

    private static MediaUsage? MediaOf(IEnumerable<LedgerEntry> rows)
    {
        MediaUsage sum = rows.Select(static row => row.Media ?? new MediaUsage()).Aggregate(new MediaUsage(), static (all, one) => all with
        {
            OutputAudioTokens = all.OutputAudioTokens + one.OutputAudioTokens, WebSearches = all.WebSearches + one.WebSearches, Images = all.Images + one.Images,
        });
        return sum.IsEmpty ? null : sum;
    }

    private static long LengthOf(RollupLevel level) => level switch
    {
        RollupLevel.Minute => TimeSpan.TicksPerMinute,
        RollupLevel.Hour => TimeSpan.TicksPerHour,
        _ => TimeSpan.TicksPerDay,
    };

    /// <summary>Of an exchange of one to three attempts, of which only the last can be anything but failed.</summary>
    protected static LedgerEntry RandomEntry(Random dice, int number)
    {
        int attempt = (number % 3) + 1;
        bool isLast = attempt == 3 || number / 3 % 2 == 0 && attempt == 1;
        string exchange = string.Create(CultureInfo.InvariantCulture, $"x{(isLast && attempt == 1 ? number : number / 3)}-{(isLast && attempt == 1 ? "one" : "more")}");
        return SampleEntries.Completed($"a{number}", dice.Next(2) == 0 ? "aws" : "azure") with
        {
            ExchangeId = exchange,
            AttemptNumber = isLast && attempt == 1 ? 1 : attempt,
            StartedAt = SampleEntries.Start.AddMicroseconds(dice.NextInt64(0, 4 * 86_400_000_000)),
            App = dice.Next(3) == 0 ? "a" : "b",
            Team = dice.Next(2) == 0 ? null : "team",
            Stream = dice.Next(3) > 0,
            TimeToFirstToken = dice.Next(4) == 0 ? null : TimeSpan.FromMicroseconds(dice.Next(1, 5_000_000)),
            Outcome = isLast ? (AttemptOutcome)dice.Next(4) : AttemptOutcome.Failed,
            OutputTokens = dice.Next(100_000),
            CostUsd = dice.Next(5) == 0 ? null : Picodollars.ToDollars(dice.NextInt64(0, 1_000_000_000_000_000)),
            IsEstimated = dice.Next(2) == 0,
            Media = dice.Next(3) == 0 ? null : new MediaUsage { OutputAudioTokens = dice.Next(50), WebSearches = dice.Next(3), Images = dice.Next(2) },
        };
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
