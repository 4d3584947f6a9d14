using Ballast.Balance.Simulation;
using Ballast.Routing.Shares;
using BenchmarkDotNet.Attributes;

namespace Ballast.Benchmarks;

/// <summary>One decision by share credits: four rules, six deployments, a warm session, the correction when the request has ended.</summary>
public class ShareBenchmarks
{
    private const int Decisions = 1000;

    private readonly SessionTable _sessions = new();
    private readonly SimulatedRequest[] _requests = new SimulatedRequest[Decisions];
    private ShareBook _book = null!;
    private ShareClass _bound = null!;
    private ShareClass _free = null!;

    [GlobalSetup]
    public void Prepare()
    {
        IReadOnlyList<ShareRule> rules = SimulatedField.Rules(SimulationRun.Burst);
        ulong[] members = SimulatedField.Members(rules);
        _book = new ShareBook(rules);
        _bound = new ShareClass(members, SimulatedField.BoundWeights, SimulatedField.InUnion);
        _free = new ShareClass(members, SimulatedField.FreeWeights, SimulatedField.All);
        SimulatedTraffic traffic = new(seed: 1);
        for (int index = 0; index < Decisions; index++)
        {
            _requests[index] = traffic.Next(SimulatedField.BoundShare);
        }
    }

    [Benchmark(OperationsPerInvoke = Decisions)]
    public int Decide_AndCorrect()
    {
        int sum = 0;
        foreach (SimulatedRequest request in _requests)
        {
            ShareClass requests = request.IsBound ? _bound : _free;
            int sticky = _sessions.Find(request.Session, 0);
            ShareDecision decision = _book.Decide(requests, new ShareAsk(0b1111, requests.Lawful, requests.Lawful, request.Estimate, sticky, ShareCreditRouter.DebtMax));
            _sessions.Note(request.Session, decision.Index, 1);
            _book.Correct(requests, decision, request.Tokens - request.Estimate);
            sum += decision.Index;
        }

        return sum;
    }

    [Benchmark(OperationsPerInvoke = Decisions)]
    public int Decide_Alone()
    {
        int sum = 0;
        foreach (SimulatedRequest request in _requests)
        {
            ShareClass requests = request.IsBound ? _bound : _free;
            sum += _book.Decide(requests, new ShareAsk(0b1111, requests.Lawful, requests.Lawful, request.Estimate)).Index;
        }

        return sum;
    }
}
