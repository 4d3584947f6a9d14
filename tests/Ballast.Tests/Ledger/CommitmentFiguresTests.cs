using Ballast.Configuration;
using Ballast.Ledger;

namespace Ballast.Tests.Ledger;

public sealed class CommitmentFiguresTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static readonly CommitmentOptions s_year = new() { Id = "aws", Platform = "aws", Amount = 3650, From = new DateOnly(2026, 1, 1), To = new DateOnly(2026, 12, 31) };

    /// <summary>Worked out by hand: 3,650 in 365 days are 10 a day.</summary>
    [Theory]
    [InlineData("2026-01-11T00:00:00Z", 50, "running", 0.5d, 1825d, 1825d, 0d)] // ten days, 50 of 100
    [InlineData("2026-01-11T00:00:00Z", 100, "running", 1d, 3650d, 0d, 0d)]
    [InlineData("2026-01-11T00:00:00Z", 200, "running", 2d, 7300d, 0d, 3650d)]
    [InlineData("2026-07-02T12:00:00Z", 0, "running", 0d, 0d, 3650d, 0d)] // half of the year, nothing used
    [InlineData("2027-02-01T00:00:00Z", 3000, "ended", 0.821918d, 3000d, 650d, 0d)]
    [InlineData("2026-01-01T00:00:00Z", 0, "running", null, null, null, null)] // its first moment
    [InlineData("2025-06-01T00:00:00Z", 0, "upcoming", null, null, null, null)]
    public async Task OfAsync_AnyMoment_IsWhatTheArithmeticSays(string now, int used, string state, double? pace, double? forecast, double? shortfall, double? excess)
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            Row("a", "2026-01-05T00:00:00Z", used), Row("b", "2025-12-31T23:59:59Z", 7), Row("c", "2027-01-01T00:00:00Z", 7), Row("d", "2026-01-05T00:00:00Z", 7) with { Platform = "azure" });

        CommitmentFigures figures = Assert.Single(await CommitmentFigures.OfAsync(ledger.Reader, [s_year], At(now), Cancellation));

        Assert.Equal((state, (decimal)used), (figures.State, figures.Used));
        Assert.Equal(((decimal?)pace, (decimal?)forecast, (decimal?)shortfall, (decimal?)excess), (figures.Pace, figures.Forecast, figures.Shortfall, figures.Excess));
        Assert.Equal(3650m - used, figures.Remaining);
    }

    [Fact]
    public async Task OfAsync_OtherZoneAndCurrency_CountsThatZonesDaysInThatCurrency()
    {
        CommitmentOptions berlin = s_year with { From = new DateOnly(2026, 3, 29), To = new DateOnly(2026, 3, 29), Zone = "Europe/Berlin", Currency = "EUR", UsdRate = 1.25m, Amount = 23 };
        await using TestLedger ledger = await TestLedger.WithAsync(
            Row("a", "2026-03-28T22:59:59Z", 100), Row("b", "2026-03-28T23:00:00Z", 10), Row("c", "2026-03-29T21:59:59Z", 5), Row("d", "2026-03-29T22:00:00Z", 100), Row("e", "2026-03-29T12:00:00Z", 0) with { CostUsd = null });

        // The clocks go forward: that day has 23 hours.
        CommitmentFigures figures = Assert.Single(await CommitmentFigures.OfAsync(ledger.Reader, [berlin], At("2026-03-29T10:30:00Z"), Cancellation));

        Assert.Equal((12m, 0.5m, 1L), (figures.Used, figures.Elapsed, figures.UnknownCost));
        Assert.Equal((24m, 0m, 1m), (figures.Forecast, figures.Shortfall, figures.Excess));
    }

    [Fact]
    public async Task OfAsync_NothingPromisedOrUsed_IsNothing()
    {
        await using TestLedger ledger = new();

        Assert.Empty(await CommitmentFigures.OfAsync(ledger.Reader, [], At("2026-06-01T00:00:00Z"), Cancellation));
        Assert.Equal(0, Assert.Single(await CommitmentFigures.OfAsync(ledger.Reader, [s_year], At("2026-06-01T00:00:00Z"), Cancellation)).Used);
    }

    private static LedgerEntry Row(string id, string startedAt, int usd) => SampleEntries.Completed(id, "aws") with { StartedAt = At(startedAt), CostUsd = usd, InputCostUsd = 0 };

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
