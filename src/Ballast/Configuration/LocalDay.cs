namespace Ballast.Configuration;

/// <summary>Where a calendar day begins in a time zone.</summary>
public static class LocalDay
{
    /// <summary>Farther from UTC than any zone is, in minutes.</summary>
    private const int OffsetMinutesMax = 16 * 60;

    /// <summary>
    /// The first moment of that day: where the clocks leave midnight out, the first moment after; where they show it twice, the first of the two. Found by looking at what the
    /// clocks there show: asked for the offset of a local time beside a change, the system's answers do not agree with that in every zone.
    /// </summary>
    public static DateTimeOffset Begin(DateTime midnight, TimeZoneInfo zone)
    {
        DateTimeOffset utc = new(midnight.Ticks, TimeSpan.Zero);
        DateTimeOffset guess = utc - zone.GetUtcOffset(utc - zone.GetUtcOffset(utc));
        if (IsReached(guess) && !IsReached(guess.AddMinutes(-1)))
        {
            return guess;
        }

        int before = -OffsetMinutesMax;
        int reached = OffsetMinutesMax;
        while (reached - before > 1)
        {
            int middle = (before + reached) / 2;
            (before, reached) = IsReached(utc.AddMinutes(middle)) ? (before, middle) : (middle, reached);
        }

        return utc.AddMinutes(reached);

        bool IsReached(DateTimeOffset moment) => TimeZoneInfo.ConvertTime(moment, zone).Date >= midnight;
    }

    /// <inheritdoc cref="Begin(DateTime, TimeZoneInfo)"/>
    public static DateTimeOffset Begin(DateOnly day, TimeZoneInfo zone) => Begin(day.ToDateTime(TimeOnly.MinValue), zone);
}
