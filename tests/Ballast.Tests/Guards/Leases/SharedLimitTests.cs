using Ballast.Configuration;
using Ballast.Guards;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Guards.Leases;

/// <summary>A limit of several gateways on a real database, second by second: no 60 seconds hold more than the limit, and nearly all of it is to be had.</summary>
public sealed class SharedLimitTests(PostgresFixture postgres)
{
    private const int Limit = 600;

    private static readonly RateLimitOptions s_limits = new() { RequestsPerMinute = Limit, InputTokensPerMinute = Limit * 100, ConcurrentRequests = 1_000_000 };

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(6, 3, 1)]
    [InlineData(1, 0, 0)]
    public async Task TryBegin_SteadyAtSeveralGateways_TakesTheLimitAndNoMore(int first, int second, int third)
    {
        await using LeaseHouse house = await OpenAsync();
        int[] weights = [first, second, third];
        int[] taken = await RunAsync(house, 240, (_, number) => 18 * weights[number] / weights.Sum(), static (_, _) => false);

        Assert.True(Largest(taken) <= Limit, $"{Largest(taken)} in 60 seconds");
        int last = taken[^61..].Sum();
        Assert.True(last >= Limit * 0.95, $"{last} of {Limit} in the last 61 seconds");
    }

    /// <summary>Bursts that wander from gateway to gateway, gateways that are cut off, answers that are lost.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task TryBegin_BurstsAndCuts_NeverExceedTheLimit(int seed)
    {
        await using LeaseHouse house = await OpenAsync();
        Random random = new(seed);
        int[] taken = await RunAsync(house, 400, (_, _) => random.Next(4) == 0 ? random.Next(0, 60) : 0, (second, number) =>
        {
            house.Gateways[number].Store.LosesAnswers = random.Next(10) == 0;
            return random.Next(5) == 0 || (second is > 200 and < 260 && number == 1);
        });

        Assert.True(Largest(taken) <= Limit, $"{Largest(taken)} in 60 seconds, seed {seed}");
        Assert.True(taken.Sum() > Limit, $"{taken.Sum()}");
    }

    /// <summary>Without the database for ever: each goes on with its part, and never has all of them.</summary>
    [Fact]
    public async Task TryBegin_DatabaseIsAway_TakesMostOfTheLimitAndNoMore()
    {
        await using LeaseHouse house = await OpenAsync();
        int[] taken = await RunAsync(house, 300, static (_, _) => 6, static (second, _) => second > 100);

        Assert.True(Largest(taken) <= Limit, $"{Largest(taken)} in 60 seconds");
        int last = taken[^61..].Sum();
        Assert.True(last >= Limit * 0.8, $"{last} of {Limit} in the last 61 seconds");
    }

    [Fact]
    public async Task TryBegin_AtOnce_IsTheLimitOfAll()
    {
        RateLimitOptions limits = new() { ConcurrentRequests = 7 };
        await using LeaseHouse house = new(await postgres.NewDatabaseAsync(), meters => meters.Rate("key/k", limits));
        RateMeter[] meters = [.. Enumerable.Range(0, 3).Select(_ => house.Add().Meters.Rate("key/k", limits))];
        Random random = new(5);
        int[] running = new int[3];
        int most = 0;
        for (int step = 0; step < 400; step++)
        {
            int number = random.Next(3);
            if (running[number] > 0 && random.Next(3) == 0)
            {
                meters[number].End();
                running[number]--;
            }
            else
            {
                if (!meters[number].TryBegin(Guard.SecondOf(house.Time), out int wait) && wait == RateMeter.ShortOfLease)
                {
                    await house.Gateways[number].ShareAsync();
                    running[number] += meters[number].TryBegin(Guard.SecondOf(house.Time), out _) ? 1 : 0;
                }
                else
                {
                    running[number] += wait == 0 && meters[number].Running > running[number] ? 1 : 0;
                }
            }

            if (step % 5 == 0)
            {
                house.Time.Advance(TimeSpan.FromSeconds(1));
                await house.Gateways[random.Next(3)].ShareAsync();
            }

            most = Math.Max(most, running.Sum());
            Assert.True(running.Sum() <= 7, $"{running.Sum()} at once");
        }

        Assert.True(most >= 6, $"{most} at most");
    }

    private async Task<LeaseHouse> OpenAsync()
    {
        LeaseHouse house = new(await postgres.NewDatabaseAsync(), static meters => meters.Rate("key/k", s_limits));
        for (int i = 0; i < 3; i++)
        {
            await house.Add().ShareAsync();
        }

        return house;
    }

    /// <summary>What was taken in each second, by all together. One that finds its part empty asks for more, as the gateway does.</summary>
    private static async Task<int[]> RunAsync(LeaseHouse house, int seconds, Func<int, int, int> asks, Func<int, int, bool> isAway)
    {
        int[] taken = new int[seconds];
        for (int second = 0; second < seconds; second++)
        {
            house.Time.Advance(TimeSpan.FromSeconds(1));
            long now = Guard.SecondOf(house.Time);
            for (int number = 0; number < house.Gateways.Count; number++)
            {
                LeaseGateway gateway = house.Gateways[number];
                RateMeter meter = gateway.Meters.Rate("key/k", s_limits);
                gateway.Store.IsAway = isAway(second, number);
                bool hasAsked = false;
                for (int ask = asks(second, number); ask > 0; ask--)
                {
                    bool isTaken = meter.TryBegin(now, out int wait);
                    if (!isTaken && wait == RateMeter.ShortOfLease && !hasAsked)
                    {
                        hasAsked = true;
                        await gateway.ShareAsync();
                        isTaken = meter.TryBegin(now, out _);
                    }

                    if (isTaken)
                    {
                        meter.End();
                        taken[second]++;
                    }
                }

                await gateway.ShareAsync();
            }
        }

        return taken;
    }

    private static int Largest(int[] taken)
    {
        int largest = 0;
        for (int second = 0; second < taken.Length; second++)
        {
            largest = Math.Max(largest, taken.Skip(second).Take(60).Sum());
        }

        return largest;
    }
}
