using System.Numerics;

namespace Ballast.Routing.Shares;

/// <summary>
/// Share credits: a leaky bucket for each rule, whose clock is traffic and not time. Every request of a rule's scope pours the cap's part of its size in, every
/// request to the rule's group takes its size out, and a request may enter the group only while the bucket is not in debt. So for every interval, of any length,
/// group ≤ cap × total + burst + the largest request + what the estimates in flight were wrong by (docs/balance.md has the proof). Allocates nothing and knows no
/// clock. Not thread-safe: whoever owns it locks.
/// </summary>
public sealed class ShareBook
{
    /// <summary>Rules that one mask can tell apart.</summary>
    public const int RulesMax = 64;

    private readonly double[] _caps;
    private readonly double[] _bursts;
    private readonly double[] _credit;
    private readonly double[] _group;
    private readonly double[] _total;
    private readonly ulong _hard;
    private readonly ulong _sheds;
    private readonly ulong _floors;

    /// <summary>Buckets in debt.</summary>
    private ulong _negative;

    /// <summary>Buckets less than half full.</summary>
    private ulong _low;

    /// <summary>Buckets whose debt exceeds their burst: not even requests that cannot go elsewhere may add to it.</summary>
    private ulong _spent;

    public ShareBook(IReadOnlyList<ShareRule> rules)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rules.Count, RulesMax);
        Rules = rules;
        _caps = [.. rules.Select(static rule => rule.Cap)];
        _bursts = [.. rules.Select(static rule => rule.Burst)];
        _credit = new double[rules.Count];
        _group = new double[rules.Count];
        _total = new double[rules.Count];
        for (int rule = 0; rule < rules.Count; rule++)
        {
            _hard |= rules[rule].IsHard ? 1UL << rule : 0;
            _sheds |= rules[rule] is { IsHard: true, Sheds: true } ? 1UL << rule : 0;
            _floors |= rules[rule].IsFloor ? 1UL << rule : 0;
        }
    }

    public IReadOnlyList<ShareRule> Rules { get; }

    /// <summary>What is in a rule's bucket, in units; below zero it is in debt.</summary>
    public double Credit(int rule) => _credit[rule];

    /// <summary>What a rule was charged with: traffic of its group, and of its whole scope. Requests for which it was suspended are in neither.</summary>
    public (double Group, double Total) Charged(int rule) => (_group[rule], _total[rule]);

    /// <summary>Goes on where an earlier book stopped. Only debt is taken over from one that may have missed charges: what it saved up might be spent already.</summary>
    public void Adopt(int rule, double credit, double group, double total, bool onlyDebt)
    {
        double bounded = Math.Clamp(credit, -2 * _bursts[rule], _bursts[rule]);
        _credit[rule] = onlyDebt ? Math.Min(bounded, 0) : bounded;
        _group[rule] = group;
        _total[rule] = total;
        Mark(rule);
    }

    /// <summary>Chooses a candidate and charges for it. At least one candidate must be eligible.</summary>
    public ShareDecision Decide(ShareClass requests, in ShareAsk ask)
    {
        ulong tight = ask.YieldsFirst ? Tight(ask.Rules) : 0;
        ulong blocked = Blocked(requests, ask.Rules) | tight;
        ulong allowed = Outside(requests, ask.Preferred, blocked);
        allowed = allowed != 0 ? allowed : Outside(requests, ask.Eligible, blocked);
        if (allowed == 0)
        {
            int least = LeastBroken(requests, Outside(requests, ask.Eligible, tight), blocked);
            return least < 0 ? new ShareDecision(-1, 0, blocked, 0) : Charge(requests, least, ask.Rules, ask.Units);
        }

        ulong soft = Outside(requests, allowed, _negative & ~_hard & ask.Rules);
        allowed = soft != 0 ? soft : allowed;
        if (ask is { Sticky: < 0, DebtMax: > 0 })
        {
            // What has no warm cache to lose makes room for what has, before the bucket is empty and caches must be given up.
            ulong roomy = Outside(requests, allowed, _low & _hard & ask.Rules);
            allowed = roomy != 0 ? roomy : allowed;
        }

        int index = requests.IsOrdered ? InOrder(requests, allowed, ask) : ByWeight(requests, allowed, ask);
        requests.Lag[index] -= ask.Units;
        Pour(requests.Members[index], ask.Rules, ask.Units);
        return new ShareDecision(index, ask.Rules, 0, allowed);
    }

    /// <summary>Charges for a candidate that was chosen elsewhere: a probe, or the next after a failure. Rules that it breaks are suspended for it.</summary>
    public ShareDecision Charge(ShareClass requests, int index, ulong rules, double units)
    {
        ulong relaxed = Blocked(requests, rules) & requests.Members[index];
        ShareDecision decision = new(index, rules & ~relaxed, relaxed, requests.Lawful);
        Correct(requests, decision, units);
        return decision;
    }

    /// <summary>Takes a charge back, or corrects it by what it was wrong by.</summary>
    /// <param name="requests">The class it was made for.</param>
    /// <param name="decision">As it was made.</param>
    /// <param name="units">What is added to the charge; below zero it is taken off.</param>
    public void Correct(ShareClass requests, in ShareDecision decision, double units)
    {
        if (!requests.IsOrdered && decision.Relaxed == 0)
        {
            Earn(requests, decision.Earners, units);
            requests.Lag[decision.Index] -= units;
        }

        Pour(requests.Members[decision.Index], decision.Charged, units);
    }

    /// <summary>How many hard rules a request to this candidate would break now.</summary>
    public int Breaks(ShareClass requests, int index, ulong rules) => BitOperations.PopCount(Blocked(requests, rules) & requests.Members[index]);

    /// <summary>A request to this candidate would be refused rather than served: a rule says so, or others are more critical.</summary>
    public bool Refuses(ShareClass requests, int index, ulong rules, bool yieldsFirst) =>
        (requests.Members[index] & ((Blocked(requests, rules) & _sheds) | (yieldsFirst ? Tight(rules) : 0))) != 0;

    /// <summary>How long a request may wait that all of these candidates refuse; zero where waiting is not wanted.</summary>
    public TimeSpan WaitFor(ShareClass requests, ulong eligible, ulong rules)
    {
        TimeSpan longest = TimeSpan.Zero;
        for (ulong left = eligible; left != 0; left &= left - 1)
        {
            TimeSpan own = TimeSpan.MaxValue;
            for (ulong broken = Blocked(requests, rules) & _sheds & requests.Members[BitOperations.TrailingZeroCount(left)]; broken != 0; broken &= broken - 1)
            {
                TimeSpan wait = Rules[BitOperations.TrailingZeroCount(broken)].Wait;
                own = wait < own ? wait : own;
            }

            longest = own != TimeSpan.MaxValue && own > longest ? own : longest;
        }

        return longest;
    }

    /// <summary>Caps whose buckets are less than half full: what is left is for those who are more critical.</summary>
    private ulong Tight(ulong rules) => rules & _hard & ~_floors & _low;

    /// <summary>
    /// Hard rules that admit nothing more. Those who cannot go elsewhere have a reserve as deep as the burst, so that the others make room for them rather than
    /// that the rule is suspended at every second request.
    /// </summary>
    private ulong Blocked(ShareClass requests, ulong rules) =>
        rules & _hard & ((_negative & ~requests.Inescapable) | (_spent & requests.Inescapable));

    private static ulong Outside(ShareClass requests, ulong candidates, ulong blocked)
    {
        ulong free = candidates;
        for (ulong left = blocked == 0 ? 0 : candidates; left != 0; left &= left - 1)
        {
            int index = BitOperations.TrailingZeroCount(left);
            free &= (requests.Members[index] & blocked) == 0 ? ulong.MaxValue : ~(1UL << index);
        }

        return free;
    }

    /// <summary>The written order; a warm cache may keep a session on a later candidate as long as that candidate's debt allows.</summary>
    private static int InOrder(ShareClass requests, ulong allowed, in ShareAsk ask)
    {
        int first = BitOperations.TrailingZeroCount(allowed);
        bool isWarm = ask.Sticky >= 0 && (allowed & (1UL << ask.Sticky)) != 0 && requests.Lag[ask.Sticky] > -ask.DebtMax;
        int index = isWarm ? ask.Sticky : first;
        requests.Lag[index] += index == first ? ask.Units : 0;
        if (index == first && ask.DebtMax > 0)
        {
            // What went in order makes up for what did not.
            for (ulong left = requests.Lawful; left != 0; left &= left - 1)
            {
                int other = BitOperations.TrailingZeroCount(left);
                requests.Lag[other] = other == index ? requests.Lag[other] : Math.Min(0, requests.Lag[other] + ask.Units);
            }
        }

        return index;
    }

    /// <summary>Error diffusion: every allowed candidate earns its part of the size, the one that is furthest behind pays the whole.</summary>
    private static int ByWeight(ShareClass requests, ulong allowed, in ShareAsk ask)
    {
        int best = Earn(requests, allowed, ask.Units);
        bool isWarm = ask.Sticky >= 0 && (allowed & (1UL << ask.Sticky)) != 0 && requests.Lag[ask.Sticky] > -ask.DebtMax;
        return isWarm ? ask.Sticky : best;
    }

    /// <summary>Gives each of these candidates its weight's part; returns the one that is furthest behind.</summary>
    private static int Earn(ShareClass requests, ulong candidates, double units)
    {
        double sum = 0;
        for (ulong left = candidates; left != 0; left &= left - 1)
        {
            sum += requests.Weight(BitOperations.TrailingZeroCount(left));
        }

        int best = -1;
        double part = sum > 0 ? units / sum : 0;
        for (ulong left = candidates; left != 0; left &= left - 1)
        {
            int index = BitOperations.TrailingZeroCount(left);
            double lag = requests.Lag[index] += part * requests.Weight(index);
            best = best < 0 || lag > requests.Lag[best] ? index : best;
        }

        return best;
    }

    /// <summary>Nothing is free of a rule: the fewest caps broken, then the fewest floors, then the least debt, then the written order. -1 where all would be refused.</summary>
    private int LeastBroken(ShareClass requests, ulong eligible, ulong blocked)
    {
        int best = -1;
        (int Caps, int Floors, double Debt) least = default;
        for (ulong left = eligible; left != 0; left &= left - 1)
        {
            int index = BitOperations.TrailingZeroCount(left);
            ulong broken = requests.Members[index] & blocked;
            if ((broken & _sheds) != 0)
            {
                continue;
            }

            (int, int, double) now = (BitOperations.PopCount(broken & ~_floors), BitOperations.PopCount(broken & _floors), Debt(broken));
            if (best < 0 || now.CompareTo(least) < 0)
            {
                (best, least) = (index, now);
            }
        }

        return best;
    }

    private double Debt(ulong rules)
    {
        double debt = 0;
        for (ulong left = rules; left != 0; left &= left - 1)
        {
            debt -= _credit[BitOperations.TrailingZeroCount(left)];
        }

        return debt;
    }

    private void Pour(ulong members, ulong charged, double units)
    {
        for (ulong left = charged; left != 0; left &= left - 1)
        {
            int rule = BitOperations.TrailingZeroCount(left);
            double taken = (members & (1UL << rule)) != 0 ? units : 0;
            _group[rule] += taken;
            _total[rule] += units;
            double credit = Math.Min(_bursts[rule], _credit[rule] + (_caps[rule] * units) - taken);

            // A soft rule that cannot hold must not save up debt without end: it would be paid back all at once.
            _credit[rule] = (_hard & (1UL << rule)) != 0 ? credit : Math.Max(credit, -_bursts[rule]);
            Mark(rule);
        }
    }

    private void Mark(int rule)
    {
        ulong bit = 1UL << rule;
        _low = _credit[rule] < _bursts[rule] / 2 ? _low | bit : _low & ~bit;
        _negative = _credit[rule] < 0 ? _negative | bit : _negative & ~bit;
        _spent = _credit[rule] < -_bursts[rule] ? _spent | bit : _spent & ~bit;
    }
}
