using Ballast.Routing.Shares;

namespace Ballast.Balance.Simulation;

/// <summary>
/// The gateway's own router: the same book, classes and sessions as on the path of a request. With several nodes every one keeps its own book; they may pool their
/// credit now and then, as gateways of a cluster would once a second.
/// </summary>
public sealed class ShareCreditRouter : SimulatedRouter
{
    /// <summary>By how many tokens a deployment may run ahead of its weight for warm caches.</summary>
    public const double DebtMax = 600_000;

    /// <summary>How many requests a session may be silent before its cache counts as cold: the simulation's clock is the request.</summary>
    private const long ColdAfter = 100_000;

    private readonly Node[] _nodes;
    private readonly int _poolEvery;
    private readonly Dictionary<long, Charge> _running = [];
    private long _clock = ColdAfter;

    /// <param name="name">As reported.</param>
    /// <param name="nodes">Gateways, each with its own credits.</param>
    /// <param name="burst">Of each node's buckets, in tokens.</param>
    /// <param name="poolEvery">Requests after which the nodes pool their credit and split it evenly; 0 is never.</param>
    public ShareCreditRouter(string name, int nodes, double burst, int poolEvery = 0)
        : base(name)
    {
        Burst = burst;
        _poolEvery = poolEvery;
        _nodes = [.. Enumerable.Range(0, nodes).Select(_ => new Node(burst))];
    }

    public double Burst { get; }
    public int Nodes => _nodes.Length;

    /// <summary>Requests for which a rule had to be suspended.</summary>
    public long Relaxed { get; private set; }

    public override int Choose(in SimulatedRequest request, ulong eligible)
    {
        Node node = _nodes[request.Session % (ulong)_nodes.Length];
        ShareClass requests = request.IsBound ? node.Bound : node.Free;
        int sticky = request.IsContinued ? node.Sessions.Find(request.Session, _clock - ColdAfter) : -1;
        ShareDecision decision = node.Book.Decide(requests, new ShareAsk(ulong.MaxValue >> (64 - node.Book.Rules.Count), eligible, eligible, request.Estimate, sticky, DebtMax));
        node.Sessions.Note(request.Session, decision.Index, _clock);
        Relaxed += decision.Relaxed == 0 ? 0 : 1;
        _running[request.Number] = new Charge(node, requests, decision);
        if (++_clock % Math.Max(_poolEvery, 1) == 0 && _poolEvery > 0)
        {
            Pool();
        }

        return decision.Index;
    }

    public override void Settle(in SimulatedRequest request)
    {
        _running.Remove(request.Number, out Charge charge);
        charge.Node.Book.Correct(charge.Requests, charge.Decision, request.Tokens - request.Estimate);
    }

    /// <summary>The bound is about the sum of the nodes' credits, and a transfer keeps the sum.</summary>
    private void Pool()
    {
        for (int rule = 0; rule < _nodes[0].Book.Rules.Count; rule++)
        {
            double sum = _nodes.Sum(node => node.Book.Credit(rule));
            foreach (Node node in _nodes)
            {
                (double group, double total) = node.Book.Charged(rule);
                node.Book.Adopt(rule, sum / _nodes.Length, group, total, onlyDebt: false);
            }
        }
    }

    private readonly record struct Charge(Node Node, ShareClass Requests, ShareDecision Decision);

    private sealed class Node
    {
        public Node(double burst)
        {
            IReadOnlyList<ShareRule> rules = SimulatedField.Rules(burst);
            ulong[] members = SimulatedField.Members(rules);
            Book = new ShareBook(rules);
            Bound = new ShareClass(members, SimulatedField.BoundWeights, SimulatedField.InUnion);
            Free = new ShareClass(members, SimulatedField.FreeWeights, SimulatedField.All);
        }

        public ShareBook Book { get; }
        public ShareClass Bound { get; }
        public ShareClass Free { get; }
        public SessionTable Sessions { get; } = new();
    }
}
