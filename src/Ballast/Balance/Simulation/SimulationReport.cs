namespace Ballast.Balance.Simulation;

/// <summary>The gateway's own router beside what others ship, and clusters of it, over the same traffic.</summary>
/// <param name="Routers">One node each; the own one first.</param>
/// <param name="Clusters">Of <see cref="NodesOfACluster"/> nodes.</param>
public sealed record SimulationReport(IReadOnlyList<SimulationResult> Routers, IReadOnlyList<SimulationResult> Clusters)
{
    public const int NodesOfACluster = 12;

    /// <summary>Tokens that a bucket of one of many nodes holds at most: as much as the largest request.</summary>
    public const double BurstOfANode = SimulatedTraffic.TokensMax;

    /// <summary>Requests after which a cluster pools its credit: about a second at 200 requests per second.</summary>
    public const int PoolEvery = 200;

    /// <summary>Runs them one after another, or side by side on several threads; the same seed gives the same figures either way.</summary>
    public static SimulationReport Run(int requests, int seed, int threads)
    {
        Func<SimulatedRouter>[] routers =
        [
            static () => new ShareCreditRouter("share-credit", 1, SimulationRun.Burst),
            () => new WeightedRandomRouter(seed + 1),
            static () => new SmoothRoundRobinRouter(),
            () => new StickyRouter(seed + 2),
            static () => new ShareCreditRouter("12-nodes-alone", NodesOfACluster, BurstOfANode),
            static () => new ShareCreditRouter("12-nodes-pooled", NodesOfACluster, BurstOfANode, PoolEvery),
        ];
        SimulationResult[] results = new SimulationResult[routers.Length];
        Parallel.For(0, routers.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, index => results[index] = SimulationRun.Of(routers[index](), requests, seed));
        return new SimulationReport(results[..4], results[4..]);
    }
}
