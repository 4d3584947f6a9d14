using System.Globalization;

namespace Ballast.Cli;

/// <summary>A moment as a person writes it: <c>7d</c> ago, <c>2026-11-01</c>, <c>2026-11-01T08:00Z</c>, or <c>all</c> for no bound.</summary>
internal static class Period
{
    public const string Forms = "90s, 30m, 24h, 7d, 2w, a date (2026-11-01), a date with time (2026-11-01T08:00Z; UTC where nothing is said), or all";

    /// <summary>What an option says; null is no bound.</summary>
    /// <exception cref="UsageException">It is no time.</exception>
    public static DateTimeOffset? Read(string option, string text, DateTimeOffset now) => TryParse(text, now, out DateTimeOffset? moment) ? moment
        : IsLength(text, out _) ? throw new UsageException($"{option} {text} reaches back before 1970. Write {option} all for everything there is, or a length such as 30d.")
        : throw new UsageException($"{option} {text} is not a time. Write {Forms}.");

    /// <summary>A stretch of time that ends before it begins holds nothing, and a table of nothing looks like an answer.</summary>
    /// <param name="since">Its beginning; null where it has none.</param>
    /// <param name="sinceOption">Which option said so.</param>
    /// <param name="until">Its end; null where it has none.</param>
    /// <param name="now">Where it ends then.</param>
    /// <exception cref="UsageException">It is empty.</exception>
    public static void Check(DateTimeOffset? since, string sinceOption, DateTimeOffset? until, DateTimeOffset now)
    {
        if (since is { } start && start >= (until ?? now))
        {
            throw new UsageException(
                $"Nothing lies between {ReportFormat.Moment(since, "")} ({sinceOption}) and {ReportFormat.Moment(until, "now")}. Let it begin before it ends, such as {sinceOption} 7d.");
        }
    }

    /// <summary>False where the text is none of the forms; null is no bound.</summary>
    public static bool TryParse(string text, DateTimeOffset now, out DateTimeOffset? moment)
    {
        moment = null;
        if (text == "all")
        {
            return true;
        }

        if (IsLength(text, out decimal seconds))
        {
            if (seconds > (decimal)(now - DateTimeOffset.UnixEpoch).TotalSeconds)
            {
                return false;
            }

            moment = now.AddSeconds((double)-seconds);
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

    /// <summary>A number and a unit, however large.</summary>
    private static bool IsLength(string text, out decimal seconds)
    {
        seconds = 0;
        if (text.Length is < 2 or > 20 || SecondsOf(text[^1]) is not { } unit
            || !decimal.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out decimal count))
        {
            return false;
        }

        seconds = count * unit;
        return true;
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
