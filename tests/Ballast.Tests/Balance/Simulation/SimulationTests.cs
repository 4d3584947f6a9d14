using Ballast.Balance.Simulation;

namespace Ballast.Tests.Balance.Simulation;

/// <summary>The gateway's own router through steady state, a moved mix and an outage, beside what others ship.</summary>
public class SimulationTests
{
    private const int Requests = 1_000_000;

    private static readonly Lazy<SimulationReport> s_report = new(() => SimulationReport.Run(Requests, seed: 1, threads: 2));

    private static SimulationResult Own => s_report.Value.Routers[0];

    [Fact]
    public void Run_OneNode_HoldsEveryCapInEveryWindow()
    {
        Assert.InRange(Own.SteadyExcess, -10, 0.5);
        Assert.InRange(Own.ShiftExcess, -10, 0.5);
        Assert.InRange(Own.RunExcess, -10, 0.05);
        Assert.Equal(0, Own.BoundExceeded);
        Assert.Equal(0, Own.Relaxed);
    }

    [Fact]
    public void Run_AzureGone_AwsStaysBelowItsCapWhereOthersDoNot()
    {
        Assert.InRange(Own.OutageShare, 40, 45.2);
        Assert.All(s_report.Value.Routers.Skip(1), static other => Assert.InRange(other.OutageShare, 55, 80));
    }

    [Fact]
    public void Run_OneNode_KeepsNinetyNineOfAHundredSessionsWarm() => Assert.InRange(Own.AffinityKept, 0.99, 1);

    /// <summary>They break caps, and the meter sees it: else the figures of the own router would say nothing.</summary>
    [Fact]
    public void Run_WhatOthersShip_BreaksCapsAndBound()
    {
        Assert.Equal(["share-credit", "weighted-random", "smooth-wrr", "sticky"], s_report.Value.Routers.Select(static router => router.Name));
        Assert.All(s_report.Value.Routers.Skip(1), static other =>
        {
            Assert.InRange(other.WorstExcess, 1, 20);
            Assert.InRange(other.BoundExceeded, 1, Requests);
        });
    }

    [Fact]
    public void Run_TwelveNodes_HoldTheCapsWithoutAndWithPooledCredit()
    {
        (SimulationResult alone, SimulationResult pooled) = (s_report.Value.Clusters[0], s_report.Value.Clusters[1]);
        Assert.InRange(alone.WorstExcess, -10, 1.5);
        Assert.InRange(alone.OutageShare, 40, 49);
        Assert.InRange(pooled.WorstExcess, -10, 0.6);
        Assert.InRange(pooled.OutageShare, 40, 45.6);
        Assert.InRange(pooled.AffinityKept, 0.95, 1);
        Assert.All(s_report.Value.Clusters, static cluster => Assert.Equal(0, cluster.BoundExceeded));
    }

    [Fact]
    public void Run_AnyRouter_KeepsBoundRequestsInTheUnion() =>
        Assert.All(s_report.Value.Routers.Concat(s_report.Value.Clusters), static router => Assert.Equal(0, router.ResidencyViolations));

    [Fact]
    public void Run_SameSeed_GivesTheSameFiguresOnAnyNumberOfThreads()
    {
        SimulationReport one = SimulationReport.Run(20_000, seed: 3, threads: 1);
        SimulationReport two = SimulationReport.Run(20_000, seed: 3, threads: 2);

        Assert.Equal(one.Routers.Concat(one.Clusters), two.Routers.Concat(two.Clusters));
    }
}
