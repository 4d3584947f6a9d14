using System.Globalization;

namespace Ballast.Cli;

/// <summary>Figures as people read them, the same in every report and on every machine.</summary>
internal static class ReportFormat
{
    public const string Unknown = "-";

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Large counts shortened to three digits and a letter.</summary>
    public static string Tokens(long count) => count switch
    {
        < 10_000 => Count(count),
        < 999_500 => Short(count, 1_000, "k"),
        < 999_500_000 => Short(count, 1_000_000, "M"),
        _ => Short(count, 1_000_000_000, "G"),
    };

    /// <summary>Two decimals for dollars, four below one, six below a cent; what is smaller still is not shown as nothing.</summary>
    public static string Usd(decimal? dollars) => dollars switch
    {
        null => Unknown,
        0 => "$0",
        > 0 and < 0.000_001m => "<$0.000001",
        < 0.01m and > 0 => "$" + dollars.Value.ToString("0.000000", CultureInfo.InvariantCulture),
        < 1 and > 0 => "$" + dollars.Value.ToString("0.0000", CultureInfo.InvariantCulture),
        _ => "$" + dollars.Value.ToString("N2", CultureInfo.InvariantCulture),
    };

    public static string Percent(double? share) => share is double value ? value.ToString("0.0%", CultureInfo.InvariantCulture) : Unknown;

    public static string Time(TimeSpan? time) => time switch
    {
        null => Unknown,
        { TotalMilliseconds: < 999.5 } short_ => short_.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture) + " ms",
        _ => time.Value.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture) + " s",
    };

    public static string Speed(double? tokensPerSecond) =>
        tokensPerSecond is double value ? value.ToString("0.0", CultureInfo.InvariantCulture) : Unknown;

    public static string Moment(DateTimeOffset? time, string otherwise) =>
        time is DateTimeOffset value ? value.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC" : otherwise;

    private static string Short(long count, long unit, string letter)
    {
        double scaled = (double)count / unit;
        return scaled.ToString(scaled < 100 ? "0.0" : "0", CultureInfo.InvariantCulture) + letter;
    }
}
