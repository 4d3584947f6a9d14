using System.Collections.Concurrent;
using Ballast.Configuration;
using Ballast.Guards;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Guards;

public class BudgetMeterTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));
    private readonly ConcurrentQueue<BudgetAlert> _alerts = new();

    private long Now => _time.GetUtcNow().UtcTicks;

    /// <summary>Settled and reserved stay within the budget at every instant, whatever races, and nothing stays reserved.</summary>
    [Fact]
    public async Task TryReserve_ThousandsAtOnce_NeverOverspendsAndLeavesNothingReserved()
    {
        BudgetMeter budget = Open(new BudgetOptions { Id = "b", SubjectKind = "app", Subject = "a", Usd = 10 });
        decimal most = 0;
        Lock gate = new();
        int refused = 0;

        await Task.WhenAll(Enumerable.Range(0, 2000).Select(number => Task.Run(async () =>
        {
            Random random = new(number);
            decimal bound = random.Next(1, 400) / 10_000m;
            if (!budget.TryReserve(bound, Now))
            {
                Interlocked.Increment(ref refused);
                return;
            }

            await Task.Yield();
            (decimal spent, decimal reserved, _) = budget.Standing;
            lock (gate)
            {
                most = Math.Max(most, spent + reserved);
            }

            budget.Settle(bound, random.Next(0, 3) == 0 ? 0 : bound * random.Next(1, 101) / 100, Now);
        })));

        (decimal inTheEnd, decimal left, _) = budget.Standing;
        Assert.True(most <= 10 && inTheEnd <= 10, $"{most} {inTheEnd}");
        Assert.Equal(0, left);
        Assert.True(refused > 0 && inTheEnd > 1, $"{refused} refused, {inTheEnd} spent");
    }

    [Fact]
    public void TryReserve_Refused_NamesNothingAsSpent()
    {
        BudgetMeter budget = Open(new BudgetOptions { Id = "b", SubjectKind = "app", Subject = "a", Tokens = 100 });

        Assert.True(budget.TryReserve(60, Now));
        Assert.False(budget.TryReserve(60, Now));
        budget.Settle(60, 10, Now);
        Assert.True(budget.TryReserve(60, Now));
        Assert.Equal((10m, 60m), (budget.Standing.Spent, budget.Standing.Reserved));
    }

    [Fact]
    public void TryReserve_SoftBudget_OnlyAlerts()
    {
        BudgetMeter budget = Open(new BudgetOptions { Id = "b", SubjectKind = "app", Subject = "a", Usd = 1, IsHard = false, AlertAt = [50, 100] });

        for (int i = 0; i < 5; i++)
        {
            Assert.True(budget.TryReserve(0.5m, Now));
            budget.Settle(0.5m, 0.5m, Now);
        }

        Assert.Equal([50, 100], _alerts.Select(static alert => alert.SharePercent));
        Assert.Equal(2.5m, budget.Standing.Spent);
    }

    [Fact]
    public void TryReserve_NextPeriod_BeginsAnewAndWhatRanOverBelongsToTheOld()
    {
        BudgetMeter budget = Open(new BudgetOptions { Id = "b", SubjectKind = "app", Subject = "a", Usd = 1, Period = "day" });
        long before = Now;
        Assert.True(budget.TryReserve(1, before));

        _time.Advance(TimeSpan.FromDays(1));

        Assert.True(budget.TryReserve(1, Now));
        budget.Settle(1, 1, before);
        Assert.Equal((0m, 1m), (budget.Standing.Spent, budget.Standing.Reserved));
    }

    [Fact]
    public void Seed_WhatWasSpentBefore_CountsAndIsNotToldAgain()
    {
        BudgetOptions options = new() { Id = "b", SubjectKind = "app", Subject = "a", Usd = 1, AlertAt = [50, 90] };
        BudgetMeter budget = Open(options);
        budget.Seed(0.6m, BudgetPeriod.At(options, _time.GetUtcNow()));
        budget.Seed(0.6m, BudgetPeriod.At(options, _time.GetUtcNow()));

        Assert.Empty(_alerts);
        Assert.False(budget.TryReserve(0.5m, Now));
        Assert.True(budget.TryReserve(0.4m, Now));
        Assert.Null(Assert.Single(_alerts).SharePercent);
    }

    [Theory]
    [InlineData("day", "UTC", "2026-11-30T12:00:00Z", "2026-11-30T00:00:00Z", "2026-12-01T00:00:00Z")]
    [InlineData("day", "Europe/Berlin", "2026-11-30T23:30:00Z", "2026-11-30T23:00:00Z", "2026-12-01T23:00:00Z")]
    [InlineData("week", "UTC", "2026-11-29T12:00:00Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z")]
    [InlineData("month", "Europe/Berlin", "2026-03-31T22:30:00Z", "2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z")]
    [InlineData("month", "Europe/Berlin", "2026-03-15T00:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z")] // the clocks change on the 29th
    [InlineData("month", "America/Los_Angeles", "2026-12-01T07:59:59Z", "2026-11-01T07:00:00Z", "2026-12-01T08:00:00Z")]
    [InlineData("day", "America/Santiago", "2026-09-06T12:00:00Z", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z")] // no midnight on that day
    public void At_AnyZone_IsTheCalendarThere(string period, string zone, string moment, string from, string to)
    {
        BudgetPeriod found = BudgetPeriod.At(new BudgetOptions { Id = "b", SubjectKind = "app", Subject = "a", Period = period, Zone = zone }, DateTimeOffset.Parse(moment, System.Globalization.CultureInfo.InvariantCulture));

        Assert.Equal((from, to), (found.From.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture), found.To.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture)));
    }

    /// <summary>
    /// Every zone that there is, four years, each day on which its clocks change and some others, quarters of an hour around each end: a moment lies in exactly one period, and
    /// periods follow each other.
    /// </summary>
    [Theory]
    [InlineData("day")]
    [InlineData("week")]
    [InlineData("month")]
    public void At_EveryZone_TilesTheTime(string period)
    {
        List<string> faults = [];
        foreach (TimeZoneInfo zone in TimeZoneInfo.GetSystemTimeZones())
        {
            BudgetOptions options = new() { Id = "b", SubjectKind = "app", Subject = "a", Period = period, Zone = zone.Id };
            for (DateTimeOffset noon = new(2024, 1, 1, 12, 0, 0, TimeSpan.Zero); noon.Year < 2028; noon = noon.AddDays(1))
            {
                bool isChange = zone.GetUtcOffset(noon.AddDays(-1)) != zone.GetUtcOffset(noon.AddDays(1));
                if (!isChange && noon.DayOfYear % 61 != 0)
                {
                    continue;
                }

                BudgetPeriod known = BudgetPeriod.At(options, noon);
                BudgetPeriod next = BudgetPeriod.At(options, known.To);
                BudgetPeriod last = BudgetPeriod.At(options, known.From.AddTicks(-1));
                if (next.FromTicks != known.ToTicks || next.ToTicks <= next.FromTicks || last.ToTicks != known.FromTicks)
                {
                    faults.Add($"{zone.Id}: {known.From:u} to {known.To:u} and {next.From:u}");
                }

                foreach (int minutes in (ReadOnlySpan<int>)[-90, -60, -45, -30, -15, 0, 15, 30, 45, 60, 90])
                {
                    if (BudgetPeriod.At(options, known.To.AddMinutes(minutes)) != (minutes < 0 ? known : next))
                    {
                        faults.Add($"{zone.Id} {known.To.AddMinutes(minutes):u}");
                    }
                }
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count}:\n{string.Join('\n', faults.Take(20))}");
    }

    /// <summary>A clock that jumps to and fro over the end of a period, by ten minutes, at every kind of end: one reset, and never more spent in a period than its budget.</summary>
    [Theory]
    [InlineData("day", "Europe/Berlin", "2026-03-29T22:00:00Z")] // the day on which the clocks go forward ends
    [InlineData("day", "Europe/Berlin", "2026-10-25T23:00:00Z")] // and back
    [InlineData("day", "Atlantic/Azores", "2026-10-25T00:00:00Z")] // midnight comes twice
    [InlineData("month", "UTC", "2028-03-01T00:00:00Z")] // behind a leap day
    [InlineData("month", "America/New_York", "2027-01-01T05:00:00Z")]
    [InlineData("week", "Asia/Kathmandu", "2026-11-29T18:15:00Z")]
    public void TryReserve_ClockJumpsOverTheEnd_ResetsOnceAndOpensNothing(string period, string zone, string end)
    {
        DateTimeOffset border = DateTimeOffset.Parse(end, System.Globalization.CultureInfo.InvariantCulture);
        JumpingTime time = new() { Now = border.AddMinutes(-30) };
        BudgetOptions options = new() { Id = "b", SubjectKind = "app", Subject = "a", Usd = 100, Period = period, Zone = zone, AlertAt = [50] };
        BudgetMeter budget = new(options, time, _alerts.Enqueue);
        Assert.Equal(border, BudgetPeriod.At(options, border).From);
        decimal[] spent = [0, 0];
        Random dice = new(22);
        for (int step = 0; step < 2000; step++)
        {
            // Real time goes on; what the clock shows is up to ten minutes off.
            DateTimeOffset real = border.AddMinutes(-30).AddSeconds(step * 1.8);
            time.Now = real.AddSeconds(dice.Next(-600, 601));
            long at = time.Now.UtcTicks;
            if (budget.TryReserve(1, at))
            {
                time.Now = real.AddSeconds(dice.Next(-600, 601));
                decimal cost = dice.Next(2) == 0 ? 1 : 0.5m;
                budget.Settle(1, cost, at);
                spent[at < border.UtcTicks ? 0 : 1] += cost;
            }
        }

        Assert.All(spent, static one => Assert.InRange(one, 99.5m, 100));
        time.Now = border.AddMinutes(20);
        Assert.Equal((spent[1], 0m), (budget.Standing.Spent, budget.Standing.Reserved));
        Assert.Equal(2, _alerts.Count(static alert => alert.SharePercent == 50));
        Assert.Equal(2, _alerts.Count(static alert => alert.SharePercent is null));
    }

    /// <summary>A clock that was months ahead and is set right: the ledger tells what was spent in the period that is back.</summary>
    [Fact]
    public void TryReserve_ClockIsSetFarBack_AsksForItsSeedAgain()
    {
        JumpingTime time = new() { Now = new DateTimeOffset(2027, 6, 1, 0, 0, 0, TimeSpan.Zero) };
        BudgetOptions options = new() { Id = "b", SubjectKind = "app", Subject = "a", Usd = 10 };
        BudgetMeter budget = new(options, time, _alerts.Enqueue);
        budget.Seed(0, BudgetPeriod.At(options, time.Now));
        time.Now = new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

        Assert.True(budget.TryReserve(1, time.Now.UtcTicks));
        Assert.False(budget.IsSeeded);
        budget.Seed(9, BudgetPeriod.At(options, time.Now));
        Assert.False(budget.TryReserve(1, time.Now.UtcTicks));
    }

    /// <summary>A clock that goes whichever way it is told to.</summary>
    private sealed class JumpingTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }

    private BudgetMeter Open(BudgetOptions options) => new(options, _time, _alerts.Enqueue);
}
