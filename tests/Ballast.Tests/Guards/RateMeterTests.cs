using Ballast.Configuration;
using Ballast.Guards;

namespace Ballast.Tests.Guards;

public class RateMeterTests
{
    /// <summary>Against a list of every request and token that was taken: no 60 seconds ever hold more than the limits, and what has room is taken within a second of it.</summary>
    [Fact]
    public void TryBegin_AnyTraffic_NeverExceedsAnyWindowAndWastesOneSecondAtMost()
    {
        Random random = new(7);
        for (int round = 0; round < 30; round++)
        {
            int requests = random.Next(1, 40);
            int tokens = random.Next(100, 1000);
            RateMeter meter = new(new RateLimitOptions { RequestsPerMinute = requests, InputTokensPerMinute = tokens });
            List<(long Second, long Input)> taken = [];
            long second = random.Next(0, 100_000);
            for (int i = 0; i < 2000; i++)
            {
                second += random.Next(0, 4) == 0 ? random.Next(0, 90) : 0;
                long input = random.Next(1, 60);
                long held = taken.Count(one => one.Second >= second - 60);
                bool isTaken = meter.TryBegin(second, out int wait);
                Assert.Equal(held < requests, isTaken);
                Assert.True(isTaken || wait is >= 1 and <= 61, $"wait {wait}");
                if (!isTaken)
                {
                    continue;
                }

                long heldTokens = taken.Where(one => one.Second >= second - 60).Sum(static one => one.Input);
                bool fits = meter.TryTake(second, input, 0, out wait);
                Assert.Equal(heldTokens + input <= tokens, fits);
                taken.Add((second, fits ? input : 0));
                meter.End();
            }
        }
    }

    [Fact]
    public void TryBegin_AfterTheWaitThatItTold_HasRoom()
    {
        RateMeter meter = new(new RateLimitOptions { RequestsPerMinute = 3 });
        Assert.True(meter.TryBegin(100, out _) && meter.TryBegin(110, out _) && meter.TryBegin(115, out _));
        Assert.False(meter.TryBegin(120, out int wait));

        Assert.False(meter.TryBegin(120 + wait - 1, out _));
        Assert.True(meter.TryBegin(120 + wait, out _));
    }

    [Fact]
    public void ConcurrentRequests_AtTheLimit_RefusesUntilOneEnds()
    {
        RateMeter meter = new(new RateLimitOptions { ConcurrentRequests = 2 });
        Assert.True(meter.TryBegin(1, out _) && meter.TryBegin(1, out _));
        Assert.False(meter.TryBegin(1, out _));
        meter.End();
        Assert.True(meter.TryBegin(1, out _));
        Assert.Equal(2, meter.Running);
    }

    [Fact]
    public void Correct_FewerTokensThanReserved_GivesTheRestBack()
    {
        RateMeter meter = new(new RateLimitOptions { OutputTokensPerMinute = 100 });
        Assert.True(meter.TryTake(5, 0, 100, out _));
        Assert.False(meter.TryTake(6, 0, 1, out _));

        meter.Correct(5, 20, 0, -90);

        Assert.True(meter.TryTake(20, 0, 90, out _));
        Assert.Equal(0, meter.OutputTokens(20).Remaining);
        Assert.Equal(90, meter.OutputTokens(66).Limit - meter.OutputTokens(66).Remaining);
        meter.Correct(5, 500, 0, -1000);
        Assert.Equal(100, meter.OutputTokens(500).Remaining);
    }

    [Fact]
    public async Task TryBegin_FromManyThreads_TakesExactlyTheLimit()
    {
        RateMeter meter = new(new RateLimitOptions { RequestsPerMinute = 500 });

        int[] taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Enumerable.Range(0, 1000).Count(_ => meter.TryBegin(3, out int _)))));

        Assert.Equal(500, taken.Sum());
    }
}
