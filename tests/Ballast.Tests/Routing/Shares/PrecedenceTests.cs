using System.Numerics;
using Ballast.Catalog;
using Ballast.Routing.Shares;

namespace Ballast.Tests.Routing.Shares;

/// <summary>What gives way first where not everything can hold.</summary>
public class PrecedenceTests
{
    private const double Size = 1_000;

    /// <summary>
    /// Whatever the rules and whoever is away: a cap never gives way for a request of a critical app while one of an app that can wait would still be served, and never for the latter at all.
    /// </summary>
    [Fact]
    public void Decide_RandomConflicts_WhoCanWaitIsRefusedBeforeACapGivesWay()
    {
        int gaveWay = 0, refused = 0, served = 0;
        for (int seed = 1; seed <= 200; seed++)
        {
            Random random = new(seed);
            int candidates = random.Next(2, 6), rules = random.Next(1, 6);
            ShareBook book = new(
            [
                .. Enumerable.Range(0, rules).Select(index => Rule($"r{index}", random.NextDouble(), 2_000 + (20_000 * random.NextDouble())) with { IsFloor = random.Next(3) == 0, Sheds = random.Next(6) == 0 }),
            ]);
            ulong caps = Mask(book, static rule => !rule.IsFloor);
            ulong all = (1UL << candidates) - 1;
            ShareClass requests = new([.. Enumerable.Range(0, candidates).Select(_ => (ulong)random.Next(1 << rules))], random.Next(2) == 0 ? null : [.. Enumerable.Range(0, candidates).Select(_ => 1.0)], all);
            ulong up = all;
            for (int request = 0; request < 500; request++)
            {
                up = random.Next(40) == 0 ? ((ulong)random.Next(1, 1 << candidates) & all) : up;
                bool canWait = random.Next(2) == 0 && up != all;
                ShareAsk ask = new((1UL << rules) - 1, up, up, Size * (1 + random.NextDouble()), YieldsFirst: canWait);
                bool wouldWaitBeRefused = Enumerable.Range(0, candidates).Where(index => (up & (1UL << index)) != 0).All(index => book.Refuses(requests, index, ask.Rules, yieldsFirst: true));
                ShareDecision decision = book.Decide(requests, ask);
                if (canWait)
                {
                    Assert.True(decision.Index < 0 || (decision.Relaxed & caps) == 0, "a cap gave way for an app that can wait");
                    Assert.Equal(wouldWaitBeRefused, decision.Index < 0);
                    (refused, served) = (refused + (decision.Index < 0 ? 1 : 0), served + (decision.Index < 0 ? 0 : 1));
                }
                else if (decision.Index >= 0 && (decision.Relaxed & caps) != 0)
                {
                    Assert.True(wouldWaitBeRefused, "a cap gave way while an app that can wait would have been served");
                    gaveWay++;
                }
            }
        }

        Assert.True(gaveWay > 1_000 && refused > 1_000 && served > 1_000, $"{gaveWay} {refused} {served}");
    }

    /// <summary>Half of the bucket is left to those who are more critical: there is something left for them when the others are refused.</summary>
    [Fact]
    public void Decide_WhoCanWaitIsRefused_LeavesRoomForTheOthers()
    {
        ShareBook book = new([Rule("aws", 0.5, burst: 20_000)]);
        ShareClass requests = new([0b0, 0b1], null, lawful: 0b11);
        for (int request = 0; request < 40; request++)
        {
            book.Decide(requests, new ShareAsk(1, 0b01, 0b01, Size)); // azure: the bucket fills
        }

        int low = Count(book, requests, yieldsFirst: true);
        int critical = Count(book, requests, yieldsFirst: false);

        Assert.InRange(low, 15, 25);
        Assert.InRange(critical, 15, 25);
    }

    /// <summary>After an outage the one that stood in is not punished for it: what was served while its cap was suspended is not paid back.</summary>
    [Fact]
    public void Decide_AfterASuspension_PaysNothingBack()
    {
        ShareBook book = new([Rule("azure", 0.6, burst: 10_000), Rule("aws", 0.6, burst: 10_000)]);
        ShareClass requests = new([0b01, 0b10], [1, 1], lawful: 0b11);
        Send(book, requests, 0b11, 200);
        double[] dark = Send(book, requests, 0b10, 1_000);
        double[] after = Send(book, requests, 0b11, 100);

        Assert.Equal(1, dark[1]);
        Assert.InRange(after[1], 0.35, 0.60);
    }

    private static int Count(ShareBook book, ShareClass requests, bool yieldsFirst)
    {
        for (int served = 0; served < 1_000; served++)
        {
            ShareDecision decision = book.Decide(requests, new ShareAsk(1, 0b10, 0b10, Size, YieldsFirst: yieldsFirst));
            if (decision.Index < 0 || decision.Relaxed != 0)
            {
                return served;
            }
        }

        return int.MaxValue;
    }

    private static double[] Send(ShareBook book, ShareClass requests, ulong up, int count)
    {
        double[] shares = new double[BitOperations.PopCount(requests.Lawful)];
        for (int request = 0; request < count; request++)
        {
            shares[book.Decide(requests, new ShareAsk(0b11, up, up, Size)).Index] += 1.0 / count;
        }

        return [.. shares.Select(static share => Math.Round(share, 6))];
    }

    private static ulong Mask(ShareBook book, Func<ShareRule, bool> chosen)
    {
        ulong mask = 0;
        for (int rule = 0; rule < book.Rules.Count; rule++)
        {
            mask |= chosen(book.Rules[rule]) ? 1UL << rule : 0;
        }

        return mask;
    }

    private static ShareRule Rule(string id, double share, double burst) => new() { Id = id, Target = new Component(ComponentKind.Platform, id), Share = share, Burst = burst };
}
