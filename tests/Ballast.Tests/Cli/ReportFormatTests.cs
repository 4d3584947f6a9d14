using System.Globalization;
using Ballast.Cli;

namespace Ballast.Tests.Cli;

public sealed class ReportFormatTests
{
    [Theory]
    [InlineData(null, "-")]
    [InlineData("0", "$0")]
    [InlineData("0.000123", "$0.000123")]
    [InlineData("0.5", "$0.5000")]
    [InlineData("1234.567", "$1,234.57")]
    public void Usd_Amounts_KeepWhatMatters(string? dollars, string expected) => Assert.Equal(
        expected, ReportFormat.Usd(dollars is null ? null : decimal.Parse(dollars, CultureInfo.InvariantCulture)));

    /// <summary>Less than a shown digit is not nothing.</summary>
    [Fact]
    public void Usd_TinyAmount_IsNotShownAsZero() => Assert.Equal("<$0.000001", ReportFormat.Usd(0.000_000_1m));

    [Theory]
    [InlineData(9_999, "9,999")]
    [InlineData(10_000, "10.0k")]
    [InlineData(999_400, "999k")]
    [InlineData(999_999, "1.0M")]
    [InlineData(12_345_678, "12.3M")]
    [InlineData(1_000_000_000, "1.0G")]
    public void Tokens_LargeCounts_AreShortened(long count, string expected) => Assert.Equal(expected, ReportFormat.Tokens(count));

    [Theory]
    [InlineData(0.4, "0 ms")]
    [InlineData(120, "120 ms")]
    [InlineData(999.6, "1.00 s")]
    [InlineData(1234, "1.23 s")]
    public void Time_Spans_AreShownInTheFittingUnit(double milliseconds, string expected) =>
        Assert.Equal(expected, ReportFormat.Time(TimeSpan.FromMilliseconds(milliseconds)));
}
