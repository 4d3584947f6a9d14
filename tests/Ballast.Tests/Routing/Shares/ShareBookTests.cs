using System.Numerics;
using Ballast.Catalog;
using Ballast.Routing.Shares;
using CsCheck;

namespace Ballast.Tests.Routing.Shares;

public class ShareBookTests
{
    private const double Largest = 1000;

    private static readonly Component s_azure = new(ComponentKind.Platform, "azure");

    [Fact]
    public void Decide_PreferredIsOverItsCap_GoesToTheNext()
    {
        ShareBook book = new([Cap("azure", 0.5)]);
        ShareClass requests = new([1, 0], weights: null, lawful: 0b11);
        int[] chosen = new int[2];
        for (int request = 0; request < 10_000; request++)
        {
            chosen[book.Decide(requests, new ShareAsk(1, 0b11, 0b11, 100)).Index]++;
        }

        Assert.InRange(chosen[0], 4_990, 5_011);
    }

    [Fact]
    public void Decide_Weights_AreMetByVolume()
    {
        ShareBook book = new([]);
        ShareClass requests = new([0, 0, 0], [5, 3, 2], lawful: 0b111);
        Random random = new(1);
        double[] units = new double[3];
        for (int request = 0; request < 10_000; request++)
        {
            double size = random.Next(1, 1000);
            units[book.Decide(requests, new ShareAsk(0, 0b111, 0b111, size)).Index] += size;
        }

        double all = units.Sum();
        Assert.InRange(units[0] / all, 0.499, 0.501);
        Assert.InRange(units[2] / all, 0.199, 0.201);
    }

    /// <summary>Estimates are corrected when requests end. While a candidate is away it must not pay for those of the others, or it would wait for long when it is back.</summary>
    [Fact]
    public void Correct_OneWasAway_ComesBackToItsWeightAtOnce()
    {
        ShareBook book = new([]);
        ShareClass requests = new([0, 0, 0], [6, 2, 2], lawful: 0b111);
        for (int request = 0; request < 500; request++)
        {
            ShareDecision decision = book.Decide(requests, new ShareAsk(0, 0b110, 0b110, 1000));
            book.Correct(requests, decision, -700);
        }

        int back = Enumerable.Range(0, 100).Count(_ => book.Decide(requests, new ShareAsk(0, 0b111, 0b111, 1000)).Index == 0);

        Assert.InRange(back, 58, 62);
    }

    [Fact]
    public void Decide_Floor_BringsTrafficToWhatTheOrderWouldNeverReach()
    {
        ShareBook book = new([Cap("azure", 0.05) with { IsFloor = true }]);
        ShareClass requests = new([0b1, 0b0], weights: null, lawful: 0b11); // the floor's bucket is everything else
        int reached = 0;
        for (int request = 0; request < 10_000; request++)
        {
            reached += book.Decide(requests, new ShareAsk(1, 0b11, 0b11, 10)).Index;
        }

        Assert.InRange(reached, 450, 510);
    }

    [Fact]
    public void Decide_NothingElseIsUp_SuspendsTheRuleAndItsBucketStandsStill()
    {
        ShareBook book = new([Cap("azure", 0.5, burst: 100)]);
        ShareClass requests = new([1, 0], weights: null, lawful: 0b11);
        book.Decide(requests, new ShareAsk(1, 0b01, 0b01, 500));
        double credit = book.Credit(0);

        ShareDecision decision = book.Decide(requests, new ShareAsk(1, 0b01, 0b01, 500));

        Assert.Equal((0, 0UL, 1UL), (decision.Index, decision.Charged, decision.Relaxed));
        Assert.Equal(credit, book.Credit(0));
        Assert.Equal(1, book.Decide(requests, new ShareAsk(1, 0b11, 0b11, 500)).Index);
    }

    [Fact]
    public void Decide_RuleSheds_RefusesWhereNothingElseIsLeft()
    {
        ShareBook book = new([Cap("azure", 0.5, burst: 100) with { Sheds = true }]);
        ShareClass requests = new([1, 0], weights: null, lawful: 0b11);
        book.Decide(requests, new ShareAsk(1, 0b01, 0b01, 500));

        Assert.Equal(-1, book.Decide(requests, new ShareAsk(1, 0b01, 0b01, 500)).Index);
    }

    /// <summary>A third of the requests may go to Azure alone; the others make room, and no rule is ever suspended.</summary>
    [Fact]
    public void Decide_SomeCannotGoElsewhere_TheOthersMakeRoom()
    {
        ShareBook book = new([Cap("azure", 0.5, burst: 20 * Largest)]);
        ulong[] members = [1, 0];
        ShareClass bound = new(members, [1, 0], lawful: 0b01);
        ShareClass free = new(members, [4, 1], lawful: 0b11);
        Random random = new(5);
        int relaxed = 0;
        for (int request = 0; request < 30_000; request++)
        {
            bool isBound = random.Next(3) == 0;
            ulong up = isBound ? 0b01UL : 0b11;
            relaxed += book.Decide(isBound ? bound : free, new ShareAsk(1, up, up, random.Next(1, 1000))).Relaxed == 0 ? 0 : 1;
        }

        (double group, double total) = book.Charged(0);
        Assert.Equal(0, relaxed);
        Assert.InRange(group / total, 0.49, 0.5001);
    }

    [Fact]
    public void Decide_SoftRule_ChoosesOnlyAmongWhatHardRulesLeave()
    {
        ShareBook book = new([Cap("azure", 0.4), Cap("aws", 0.1) with { IsHard = false }]);
        ShareClass requests = new([0b01, 0b10], weights: null, lawful: 0b11);
        int azure = 0;
        for (int request = 0; request < 10_000; request++)
        {
            azure += book.Decide(requests, new ShareAsk(0b11, 0b11, 0b11, 100)).Index == 0 ? 1 : 0;
        }

        Assert.InRange(azure, 3_900, 4_011);
    }

    [Fact]
    public void Correct_FailedRequest_LeavesNoTrace()
    {
        ShareBook book = new([Cap("azure", 0.5)]);
        ShareClass requests = new([1, 0], [1, 1], lawful: 0b11);
        book.Decide(requests, new ShareAsk(1, 0b01, 0b01, 100));
        (double credit, (double, double) charged) = (book.Credit(0), book.Charged(0));

        ShareDecision failed = book.Decide(requests, new ShareAsk(1, 0b01, 0b01, 300));
        book.Correct(requests, failed, -300);

        Assert.Equal(credit, book.Credit(0), precision: 6);
        Assert.Equal(charged, book.Charged(0));
    }

    [Fact]
    public void Adopt_AfterACrash_TakesOverDebtAndNoSavings()
    {
        ShareBook book = new([Cap("azure", 0.5), Cap("aws", 0.5)]);
        book.Adopt(0, 700, 1, 2, onlyDebt: true);
        book.Adopt(1, -700, 1, 2, onlyDebt: true);

        Assert.Equal((0, -700), (book.Credit(0), book.Credit(1)));
    }

    [Fact]
    public void Decide_Warm_AllocatesNothing()
    {
        ShareBook book = new([Cap("azure", 0.5), Cap("aws", 0.45)]);
        ShareClass requests = new([0b01, 0b10, 0], [5, 4, 1], lawful: 0b111);
        SessionTable sessions = new();
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (ulong request = 1; request < 1_000; request++)
            {
                ShareDecision decision = book.Decide(requests, new ShareAsk(0b11, 0b111, 0b111, 100, sessions.Find(request % 50, 0), 1000));
                sessions.Note(request % 50, decision.Index, (long)request);
                book.Correct(requests, decision, 5);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    /// <summary>
    /// Theorem: for every window of any length, group - cap × total is at most burst + (1 - cap) × largest + what running estimates are wrong by, whatever the
    /// policy, the classes, the weights, what is up, and who fails over. (For requests that cannot go elsewhere the reserve is added: 2 × burst.)
    /// </summary>
    [Fact]
    public void Decide_RandomPoliciesAndTraffic_NeverExceedTheBoundInAnyWindow() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[2, 8], Gen.Int[1, 4], Gen.Int[0, int.MaxValue - 1])
            .Sample((rules, candidates, classes, seed) => new Policy(rules, candidates, classes, seed).Run(2_000), seed: "0000000000000", iter: 250);

    private static ShareRule Cap(string platform, double share, double burst = 2 * Largest) =>
        new() { Id = platform, Target = s_azure with { Name = platform }, Share = share, Burst = burst };

    private sealed class Policy
    {
        private readonly Random _random;
        private readonly ShareBook _book;
        private readonly ShareClass[] _classes;
        private readonly ulong[] _members;
        private readonly double[] _ahead;
        private readonly double[] _lowest;
        private readonly bool[] _isReserved;
        private readonly ulong _all;
        private readonly Queue<(ShareClass Class, ShareDecision Decision, double Size, double Estimate)> _running = [];
        private double _runningError;

        public Policy(int rules, int candidates, int classes, int seed)
        {
            _random = new Random(seed);
            _book = new ShareBook([.. Enumerable.Range(0, rules).Select(rule => Cap($"p{rule}", _random.NextDouble(), Largest * (0.1 + (3 * _random.NextDouble()))) with
            {
                IsFloor = _random.Next(3) == 0,
                IsHard = _random.Next(4) != 0,
            })]);
            _all = ulong.MaxValue >> (64 - rules);
            _members = [.. Enumerable.Range(0, candidates).Select(_ => (ulong)_random.NextInt64() & _all)];
            _classes = [.. Enumerable.Range(0, classes).Select(_ =>
            {
                ulong lawful = 1UL << _random.Next(candidates);
                lawful |= (ulong)_random.NextInt64() & (ulong.MaxValue >> (64 - candidates));
                double[]? weights = _random.Next(2) == 0 ? null : [.. Enumerable.Range(0, candidates).Select(_ => _random.NextDouble())];
                return new ShareClass(_members, weights, lawful);
            })];
            _ahead = new double[rules];
            _lowest = new double[rules];
            _isReserved = [.. Enumerable.Range(0, rules).Select(rule => _classes.Any(one => (one.Inescapable & (1UL << rule)) != 0))];
        }

        public void Run(int requests)
        {
            for (int request = 0; request < requests; request++)
            {
                ShareClass one = _classes[_random.Next(_classes.Length)];
                ulong up = one.Lawful & (ulong)_random.NextInt64();
                up = up == 0 ? one.Lawful : up;
                double size = 1 + (_random.NextDouble() * (Largest - 1));
                double estimate = Math.Min(Largest, size * (0.5 + _random.NextDouble()));
                ulong scope = _random.Next(4) == 0 ? _all & (ulong)_random.NextInt64() : _all;
                int sticky = _random.Next(_members.Length + 1) - 1;
                ShareDecision decision = _book.Decide(one, new ShareAsk(scope, up & (ulong)_random.NextInt64(), up, estimate, sticky, Largest));
                Assert.NotEqual(0UL, up & (1UL << decision.Index));
                if (BitOperations.PopCount(up) > 1 && _random.Next(5) == 0)
                {
                    // It failed: taken back, and charged to another.
                    _book.Correct(one, decision, -estimate);
                    int next = BitOperations.TrailingZeroCount(up & ~(1UL << decision.Index));
                    decision = _book.Charge(one, next, scope, estimate);
                }

                Count(decision, size, estimate);
                _running.Enqueue((one, decision, size, estimate));
                if (_running.Count > 8)
                {
                    var ended = _running.Dequeue();
                    _book.Correct(ended.Class, ended.Decision, ended.Size - ended.Estimate);
                    _runningError -= Math.Abs(ended.Size - ended.Estimate);
                }
            }
        }

        private void Count(ShareDecision decision, double size, double estimate)
        {
            _runningError += Math.Abs(size - estimate);
            for (int rule = 0; rule < _ahead.Length; rule++)
            {
                ShareRule kept = _book.Rules[rule];
                if (!kept.IsHard || (decision.Charged & (1UL << rule)) == 0)
                {
                    continue;
                }

                _ahead[rule] += ((_members[decision.Index] & (1UL << rule)) != 0 ? size : 0) - (kept.Cap * size);
                double bound = ((_isReserved[rule] ? 2 : 1) * kept.Burst) + ((1 - kept.Cap) * Largest);
                Assert.True(_ahead[rule] - _runningError - _lowest[rule] <= bound + 1e-6, $"rule {rule} is {_ahead[rule] - _lowest[rule]} ahead, bound {bound}");
                _lowest[rule] = Math.Min(_lowest[rule], _ahead[rule] + _runningError);
            }
        }
    }
}
