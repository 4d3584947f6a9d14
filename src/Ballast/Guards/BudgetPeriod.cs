using Ballast.Configuration;

namespace Ballast.Guards;

/// <summary>A calendar period in its time zone, in UTC ticks: the begin belongs to it, the end to the next.</summary>
public readonly record struct BudgetPeriod(long FromTicks, long ToTicks)
{
    public DateTimeOffset From => new(FromTicks, TimeSpan.Zero);

    public DateTimeOffset To => new(ToTicks, TimeSpan.Zero);

    /// <summary>The period of a budget in which a moment lies.</summary>
    public static BudgetPeriod At(BudgetOptions options, DateTimeOffset moment)
    {
        TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(options.Zone);
        DateTime day = TimeZoneInfo.ConvertTime(moment, zone).Date;
        (DateTime from, DateTime to) = options.Period switch
        {
            "day" => (day, day.AddDays(1)),
            "week" => (Monday(day), Monday(day).AddDays(7)),
            _ => (day.AddDays(1 - day.Day), day.AddDays(1 - day.Day).AddMonths(1)),
        };
        return new BudgetPeriod(LocalDay.Begin(from, zone).UtcTicks, LocalDay.Begin(to, zone).UtcTicks);
    }

    private static DateTime Monday(DateTime day) => day.AddDays(-(((int)day.DayOfWeek + 6) % 7));
}
