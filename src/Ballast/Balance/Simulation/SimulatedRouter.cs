using System.Numerics;

namespace Ballast.Balance.Simulation;

/// <summary>A way of routing that the simulation tries.</summary>
public abstract class SimulatedRouter(string name)
{
    public string Name { get; } = name;

    /// <summary>Chooses a deployment.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="eligible">Deployments that are lawful and up, one bit each; at least one.</param>
    public abstract int Choose(in SimulatedRequest request, ulong eligible);

    /// <summary>The request has ended and its true size is known.</summary>
    public virtual void Settle(in SimulatedRequest request)
    {
    }

    protected static double[] WeightsOf(in SimulatedRequest request) => request.IsBound ? SimulatedField.BoundWeights : SimulatedField.FreeWeights;
}

/// <summary>At random in proportion to the weights, as most gateways do it.</summary>
public sealed class WeightedRandomRouter(int seed) : SimulatedRouter("weighted-random")
{
    private readonly Random _random = new(seed);

    public override int Choose(in SimulatedRequest request, ulong eligible) => Roll(_random, WeightsOf(request), eligible);

    internal static int Roll(Random random, double[] weights, ulong eligible)
    {
        double sum = 0;
        for (ulong left = eligible; left != 0; left &= left - 1)
        {
            sum += weights[BitOperations.TrailingZeroCount(left)];
        }

        double roll = random.NextDouble() * sum;
        int chosen = -1;
        for (ulong left = eligible; left != 0; left &= left - 1)
        {
            int index = BitOperations.TrailingZeroCount(left);
            if (weights[index] > 0 || chosen < 0)
            {
                chosen = index;
                roll -= weights[index];
                if (roll < 0)
                {
                    break;
                }
            }
        }

        return chosen;
    }
}

/// <summary>Smooth weighted round robin, one wheel for each class of requests, as reverse proxies do it.</summary>
public sealed class SmoothRoundRobinRouter() : SimulatedRouter("smooth-wrr")
{
    private readonly SmoothWheel _bound = new(SimulatedField.BoundWeights);
    private readonly SmoothWheel _free = new(SimulatedField.FreeWeights);

    public override int Choose(in SimulatedRequest request, ulong eligible) => (request.IsBound ? _bound : _free).Next(eligible);
}

/// <summary>A session stays where its first request went; new ones go at random in proportion to the weights.</summary>
public sealed class StickyRouter(int seed) : SimulatedRouter("sticky")
{
    private readonly Random _random = new(seed);
    private readonly Dictionary<ulong, int> _homes = [];

    public override int Choose(in SimulatedRequest request, ulong eligible)
    {
        if (!request.IsContinued || !_homes.TryGetValue(request.Session, out int home) || (eligible & (1UL << home)) == 0)
        {
            _homes[request.Session] = home = WeightedRandomRouter.Roll(_random, WeightsOf(request), eligible);
        }

        return home;
    }
}
