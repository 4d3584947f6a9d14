using System.Globalization;
using Ballast.Cli;

namespace Ballast.Tests.Cli;

public sealed class PeriodTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("90s", "2026-11-24T11:58:30Z")]
    [InlineData("30m", "2026-11-24T11:30:00Z")]
    [InlineData("24h", "2026-11-23T12:00:00Z")]
    [InlineData("7d", "2026-11-17T12:00:00Z")]
    [InlineData("2w", "2026-11-10T12:00:00Z")]
    [InlineData("0d", "2026-11-24T12:00:00Z")]
    [InlineData("2026-11-01", "2026-11-01T00:00:00Z")]
    [InlineData("2026-11-01T08:00", "2026-11-01T08:00:00Z")]
    [InlineData("2026-11-01T08:00Z", "2026-11-01T08:00:00Z")]
    [InlineData("2026-11-01T08:00:05+02:00", "2026-11-01T06:00:05Z")]
    [InlineData("99999999999d", "1970-01-01T00:00:00Z")]
    public void TryParse_EachForm_IsUnderstood(string text, string expected)
    {
        Assert.True(Period.TryParse(text, s_now, out DateTimeOffset? moment));
        Assert.Equal(DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture), moment);
    }

    [Fact]
    public void TryParse_All_IsNoBound()
    {
        Assert.True(Period.TryParse("all", s_now, out DateTimeOffset? moment));
        Assert.Null(moment);
    }

    [Theory]
    [InlineData("")]
    [InlineData("d")]
    [InlineData("7")]
    [InlineData("-7d")]
    [InlineData("7 d")]
    [InlineData("7y")]
    [InlineData("2026-13-01")]
    [InlineData("01/11/2026")]
    [InlineData("yesterday")]
    public void TryParse_AnythingElse_IsRefused(string text) => Assert.False(Period.TryParse(text, s_now, out _));
}
