using Ballast.Catalog;
using Ballast.Routing.Shares;

namespace Ballast.Balance.Watch;

/// <summary>The shares that one way of routing makes of a run of requests: in the last so many, in each act, and in the worst window. Not thread-safe.</summary>
internal sealed class ShareTrace(SharePolicy policy)
{
    private readonly Queue<Mark> _window = [];
    private readonly double[] _group = new double[policy.Book.Rules.Count];
    private readonly double[] _total = new double[policy.Book.Rules.Count];
    private readonly Dictionary<string, double> _platforms = new(StringComparer.Ordinal);
    private readonly List<Dictionary<string, double>> _acts = [];
    private double _worst = double.NegativeInfinity;

    /// <summary>Percentage points over the worst hard rule in the worst window, below zero where none was over; of fewer requests than a window, over all of them.</summary>
    public double WorstExcess => double.IsNegativeInfinity(_worst) ? Excess() : _worst;

    /// <param name="served">Who answered it.</param>
    /// <param name="model">What was asked for.</param>
    /// <param name="key">Who asked.</param>
    /// <param name="units">Its size, in the policy's unit.</param>
    /// <param name="act">Counts up.</param>
    public void Add(Deployment served, Model model, ApiKey key, double units, int act)
    {
        Mark mark = new(served.Platform, units, new double[_group.Length], new double[_total.Length]);
        policy.AddAsServed(served, model, key, units, mark.Group, mark.Total);
        _window.Enqueue(mark);
        Count(mark, +1);
        if (_window.Count > BalanceWatch.Window)
        {
            Count(_window.Dequeue(), -1);
        }

        if (_window.Count == BalanceWatch.Window)
        {
            _worst = Math.Max(_worst, Excess());
        }

        while (_acts.Count <= act)
        {
            _acts.Add(new Dictionary<string, double>(StringComparer.Ordinal));
        }

        _acts[act][served.Platform] = _acts[act].GetValueOrDefault(served.Platform) + units;
    }

    /// <summary>A rule's component's share of the last requests of its scope, from 0 to 1; null before there were any.</summary>
    public double? RuleShare(int rule) => _total[rule] <= 0 ? null : policy.Book.Rules[rule].IsFloor ? 1 - (_group[rule] / _total[rule]) : _group[rule] / _total[rule];

    /// <summary>By platform: share of the last requests, from 0 to 1.</summary>
    public IReadOnlyDictionary<string, double> Platforms() => Shares(_platforms);

    /// <summary>The same of an act; empty where it had no requests.</summary>
    public IReadOnlyDictionary<string, double> PlatformsOf(int act) => act < _acts.Count ? Shares(_acts[act]) : new Dictionary<string, double>();

    private static Dictionary<string, double> Shares(Dictionary<string, double> units)
    {
        double all = units.Values.Sum();
        return units.Where(pair => all > 0 && pair.Value > 1e-9).ToDictionary(pair => pair.Key, pair => pair.Value / all, StringComparer.Ordinal);
    }

    private double Excess()
    {
        double worst = double.NegativeInfinity;
        for (int rule = 0; rule < _total.Length; rule++)
        {
            if (policy.Book.Rules[rule].IsHard && _total[rule] > 0)
            {
                worst = Math.Max(worst, 100 * ((_group[rule] / _total[rule]) - policy.Book.Rules[rule].Cap));
            }
        }

        return double.IsNegativeInfinity(worst) ? 0 : worst;
    }

    private void Count(Mark mark, int sign)
    {
        _platforms[mark.Platform] = _platforms.GetValueOrDefault(mark.Platform) + (sign * mark.Units);
        for (int rule = 0; rule < _total.Length; rule++)
        {
            _group[rule] += sign * mark.Group[rule];
            _total[rule] += sign * mark.Total[rule];
        }
    }

    private sealed record Mark(string Platform, double Units, double[] Group, double[] Total);
}
