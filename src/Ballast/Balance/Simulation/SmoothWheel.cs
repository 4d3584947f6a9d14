using System.Numerics;

namespace Ballast.Balance.Simulation;

/// <summary>Smooth weighted round robin, as reverse proxies do it: everybody gets the weight's part of the requests, evenly spread. Not thread-safe.</summary>
/// <param name="weights">By place; at most 64.</param>
public sealed class SmoothWheel(IReadOnlyList<double> weights)
{
    private readonly double[] _current = new double[weights.Count];

    /// <param name="eligible">Places that may be chosen, one bit each; at least one.</param>
    public int Next(ulong eligible)
    {
        double sum = 0;
        int best = -1;
        for (ulong left = eligible; left != 0; left &= left - 1)
        {
            int index = BitOperations.TrailingZeroCount(left);
            _current[index] += weights[index];
            sum += weights[index];
            best = best < 0 || _current[index] > _current[best] ? index : best;
        }

        _current[best] -= sum;
        return best;
    }
}
