using Ballast.Routing.Shares;

namespace Ballast.Balance.Simulation;

/// <summary>
/// Holds a run against the bound that is proven for every window of any length: group - cap × total is at most burst + largest request + what the estimates
/// running at the window's ends are wrong by; of several nodes, the sum.
/// </summary>
public sealed class BoundMeter(IReadOnlyList<ShareRule> rules, ulong[] members, double burst, double largest)
{
    private readonly double[] _ahead = new double[rules.Count];
    private readonly double[] _lowest = new double[rules.Count];
    private double _running;

    /// <summary>Requests after which some window held more than the bound allows.</summary>
    public long Exceeded { get; private set; }

    /// <summary>The most by which a group was ahead of its cap in any window, in tokens.</summary>
    public double WorstAhead { get; private set; }

    /// <summary>A request ends: its estimate's error no longer counts.</summary>
    public void Settle(in SimulatedRequest request) => _running -= Math.Abs(request.Tokens - request.Estimate);

    public void Count(int deployment, in SimulatedRequest request)
    {
        _running += Math.Abs(request.Tokens - request.Estimate);
        bool isExceeded = false;
        for (int rule = 0; rule < rules.Count; rule++)
        {
            double cap = rules[rule].Cap;
            _ahead[rule] += ((members[deployment] & (1UL << rule)) != 0 ? request.Tokens : 0) - (cap * request.Tokens);
            isExceeded |= _ahead[rule] - _running - _lowest[rule] > burst + ((1 - cap) * largest) + 1e-3;
            WorstAhead = Math.Max(WorstAhead, _ahead[rule] - _running - _lowest[rule]);
            _lowest[rule] = Math.Min(_lowest[rule], _ahead[rule] + _running);
        }

        Exceeded += isExceeded ? 1 : 0;
    }
}
