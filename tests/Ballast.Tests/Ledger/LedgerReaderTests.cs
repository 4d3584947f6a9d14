using Ballast.Ledger;

namespace Ballast.Tests.Ledger;

public sealed class LedgerReaderTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CountAsync_MissingFile_SaysWhereAndMakesNone()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("none.db");

        LedgerException failure = await Assert.ThrowsAsync<LedgerException>(() => new LedgerReader(path).CountAsync(Cancellation));

        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
        Assert.Contains("ballast serve", failure.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task CountAsync_NotADatabase_IsRefused()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("notes.txt");
        await File.WriteAllTextAsync(path, string.Concat(Enumerable.Repeat("no database ", 200)), Cancellation);

        Assert.Contains(
            path, (await Assert.ThrowsAsync<LedgerException>(() => new LedgerReader(path).CountAsync(Cancellation))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CountAsync_EmptyFile_IsNoLedger()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("empty.db");
        await File.WriteAllTextAsync(path, "", Cancellation);

        await Assert.ThrowsAsync<LedgerException>(() => new LedgerReader(path).CountAsync(Cancellation));
    }

    [Fact]
    public async Task EntriesAsync_Limit_GivesTheEarliest()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("late") with { StartedAt = SampleEntries.Start.AddHours(1) },
            SampleEntries.Completed("early"));

        Assert.Equal("early", Assert.Single(await ledger.Reader.EntriesAsync(LedgerFilter.Everything, 1, Cancellation)).AttemptId);
    }

    [Fact]
    public async Task ReachedAttemptIdsAsync_AttemptThatNeverConnected_IsNotBilled()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("a1"), SampleEntries.Failed("a2"), SampleEntries.Failed("a3", status: null));

        Assert.Equal(["a1", "a2"], (await ledger.Reader.ReachedAttemptIdsAsync(Cancellation)).Order());
        Assert.Equal(3, await ledger.Reader.CountAsync(Cancellation));
    }

    [Fact]
    public async Task SharesAsync_FailedOverExchange_CountsOnceWhereItWasAnswered()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Failed("a1") with { ExchangeId = "x1" },
            SampleEntries.Completed("a2", "aws") with { ExchangeId = "x1", AttemptNumber = 2 },
            SampleEntries.Completed("a3", "aws") with { Outcome = AttemptOutcome.Interrupted },
            SampleEntries.Completed("a4", "aws") with { App = "billing", CostUsd = null });

        IReadOnlyList<ShareRow> rows = await ledger.Reader.SharesAsync(LedgerFilter.Everything, Cancellation);

        Assert.Equal(
            [
                new ShareRow("support", "aws/gpt-sample", "openai", "aws", "sweden", 2, 2, 356, 0.001m),
                new ShareRow("billing", "aws/gpt-sample", "openai", "aws", "sweden", 1, 1, 178, 0m),
                new ShareRow("support", "azure/gpt-sample", "openai", "azure", "sweden", 0, 1, 0, 0m),
            ],
            rows);
    }

    [Fact]
    public async Task FiguresAsync_MixedTraffic_TellsErrorsRateLimitsAndRefusalsApart()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("ok"),
            SampleEntries.Completed("refused") with { Finish = "refusal" },
            SampleEntries.Completed("filtered") with { Finish = "content_filter" },
            SampleEntries.Completed("cut") with { Outcome = AttemptOutcome.Interrupted },
            SampleEntries.Completed("gone") with { Outcome = AttemptOutcome.Cancelled },
            SampleEntries.Failed("503"),
            SampleEntries.Failed("connect", status: null),
            SampleEntries.Failed("429", status: 429),
            SampleEntries.Failed("400", status: 400),
            SampleEntries.Failed("elsewhere", "aws"));

        TrafficFigures figures = await ledger.Reader.FiguresAsync(null, "azure", LedgerFilter.Everything, Cancellation);

        Assert.Equal(9, figures.Attempts);
        Assert.Equal(4, figures.Answered);
        Assert.Equal(3, figures.Errors);
        Assert.Equal(1, figures.RateLimited);
        Assert.Equal(2, figures.Refusals);
    }

    [Fact]
    public async Task FiguresAsync_PricesAndSpeed_UseOnlyRowsThatTellThem()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("a1"),
            SampleEntries.Completed("a2") with { CostUsd = null, InputCostUsd = null },
            SampleEntries.Completed("a3") with { InputCostUsd = null, Stream = false });

        TrafficFigures figures = await ledger.Reader.FiguresAsync("openai", null, LedgerFilter.Everything, Cancellation);

        Assert.Equal((127, 51), (figures.PricedInputTokens, figures.PricedOutputTokens));
        Assert.Equal((0.0002m, 0.0003m), (figures.PricedInputUsd, figures.PricedOutputUsd));
        Assert.Equal((100, TimeSpan.FromSeconds(1)), (figures.StreamedTokens, figures.StreamedTime));
        Assert.Equal(0.001m, figures.CostUsd);
        Assert.Equal(1, figures.UnknownCost);
        Assert.Equal(381, figures.InputTokens);
        Assert.Equal(TimeSpan.FromMilliseconds(120), figures.TtftP50);
    }
}
