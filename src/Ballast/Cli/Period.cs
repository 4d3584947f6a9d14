using System.Globalization;

namespace Ballast.Cli;

/// <summary>A moment as a person writes it: <c>7d</c> ago, <c>2026-11-01</c>, <c>2026-11-01T08:00Z</c>, or <c>all</c> for no bound.</summary>
internal static class Period
{
    public const string Forms = "90s, 30m, 24h, 7d, 2w, a date (2026-11-01), a date with time (2026-11-01T08:00Z; UTC where nothing is said), or all";

    /// <summary>False where the text is none of the forms; null is no bound.</summary>
    public static bool TryParse(string text, DateTimeOffset now, out DateTimeOffset? moment)
    {
        moment = null;
        if (text == "all")
        {
            return true;
        }

        if (text.Length > 1 && SecondsOf(text[^1]) is long unit
            && long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out long count))
        {
            long secondsMax = (long)(now - DateTimeOffset.UnixEpoch).TotalSeconds;
            moment = count > secondsMax / unit ? DateTimeOffset.UnixEpoch : now.AddSeconds(-count * unit);
            return true;
        }

        string[] formats = ["yyyy-MM-dd", "yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss", "yyyy-MM-ddTHH:mmK", "yyyy-MM-ddTHH:mm:ssK"];
        if (DateTimeOffset.TryParseExact(text, formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset parsed))
        {
            moment = parsed;
            return true;
        }

        return false;
    }

    private static long? SecondsOf(char unit) => unit switch
    {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => null,
    };
}
