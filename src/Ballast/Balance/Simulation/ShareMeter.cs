using Ballast.Routing.Shares;

namespace Ballast.Balance.Simulation;

/// <summary>Measures, in true tokens, the worst excess over a rule in sliding windows of so many requests. One for each phase of a run.</summary>
public sealed class ShareMeter(IReadOnlyList<ShareRule> rules, ulong[] members)
{
    /// <summary>Requests in a window.</summary>
    public const int Window = 10_000;

    /// <summary>A window begins at every so many-th request.</summary>
    private const int Step = 97;

    private readonly double[] _group = new double[rules.Count];
    private readonly Queue<(double Total, double[] Group)> _marks = [];
    private double _total;
    private long _requests;

    /// <summary>Percentage points over the worst rule in the worst window, below zero where none was over; of fewer requests than a window, over all of them.</summary>
    public double WorstExcess => double.IsNegativeInfinity(_worst) ? RunExcess : _worst;

    /// <summary>Percentage points over the worst rule over everything.</summary>
    public double RunExcess => _total == 0 ? 0 : rules.Select((rule, index) => 100 * ((_group[index] / _total) - rule.Cap)).Max();

    private double _worst = double.NegativeInfinity;

    public void Count(int deployment, in SimulatedRequest request)
    {
        if (_requests++ % Step == 0)
        {
            _marks.Enqueue((_total, [.. _group]));
            while (_marks.Count > (Window / Step) + 1)
            {
                _marks.Dequeue();
            }
        }

        _total += request.Tokens;
        for (int rule = 0; rule < rules.Count; rule++)
        {
            _group[rule] += (members[deployment] & (1UL << rule)) != 0 ? request.Tokens : 0;
        }

        if (_marks.Count > Window / Step)
        {
            (double total, double[] group) = _marks.Peek();
            for (int rule = 0; rule < rules.Count; rule++)
            {
                _worst = Math.Max(_worst, 100 * (((_group[rule] - group[rule]) / (_total - total)) - rules[rule].Cap));
            }
        }
    }
}
