using System.Collections.Frozen;
using System.Globalization;
using Ballast.Balance.Simulation;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Configuration.Policies;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Routing;
using Ballast.Routing.Shares;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Routing.Shares;

/// <summary>
/// Twelve gateways' routers at once, each with its own health, policy and credits, as <c>serve</c> puts them together: requests of <c>simulate</c> go through plan, failover and
/// settlement, and the shares of all of them together are held against the caps. Alone no node knows of another; pooled, their credit is split evenly every 200 requests.
/// </summary>
public class RouterFleetTests
{
    private const int Nodes = 12;
    private const int PoolEvery = 200;
    private const int RunningMax = 64;
    private static readonly TimeSpan s_return = TimeSpan.FromMinutes(10);

    [Theory]
    [InlineData(false, 1.5, 49, 0.95)]
    [InlineData(true, 0.6, 45.6, 0.95)]
    public void Plan_TwelveNodes_HoldEveryCapTogether(bool isPooled, double excessMax, double outageMax, double warmMin) => Check(120_000, isPooled, excessMax, outageMax, warmMin);

    [LongFact]
    public void Plan_TwelveNodesAloneAndAMillionRequests_HoldEveryCapTogether() => Check(1_000_000, isPooled: false, 1.5, 49, 0.97);

    [LongFact]
    public void Plan_TwelveNodesPooledAndAMillionRequests_HoldEveryCapTogether() => Check(1_000_000, isPooled: true, 0.6, 45.6, 0.95);

    /// <summary>The meter sees what breaks a cap: without a policy the same routers send Azure two thirds in the moved mix.</summary>
    [Fact]
    public void Plan_WithoutAPolicy_BreaksTheCapsAndIsSeen()
    {
        Fleet fleet = new(isPooled: false, hasPolicy: false);

        Phase steady = fleet.Send(20_000, SimulatedField.BoundShare, isAzureGone: false);
        Phase shifted = fleet.Send(20_000, SimulatedField.BoundShareShifted, isAzureGone: false);

        Assert.InRange(Math.Max(steady.Meter.WorstExcess, shifted.Meter.WorstExcess), 2, 30);
    }

    private static void Check(int requests, bool isPooled, double excessMax, double outageMax, double warmMin)
    {
        Fleet fleet = new(isPooled, hasPolicy: true);
        int shifted = requests * 3 / 10, outage = requests / 5, settling = Math.Min(12_000, shifted / 10);

        Phase steady = fleet.Send(requests - shifted - outage, SimulatedField.BoundShare, isAzureGone: false);
        fleet.Send(settling, SimulatedField.BoundShareShifted, isAzureGone: false);
        Phase moved = fleet.Send(shifted - settling, SimulatedField.BoundShareShifted, isAzureGone: false);
        fleet.Send(settling, SimulatedField.BoundShare, isAzureGone: true);
        Phase dark = fleet.Send(outage - settling, SimulatedField.BoundShare, isAzureGone: true);
        Phase back = fleet.Send(outage, SimulatedField.BoundShare, isAzureGone: false, step: s_return / outage);
        Phase later = fleet.Send(outage, SimulatedField.BoundShare, isAzureGone: false, step: s_return / outage);

        double aws = 100 * dark.ShareOf("aws");
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{requests} requests, {(isPooled ? "pooled" : "alone")}: worst excess {steady.Meter.WorstExcess:0.00} pp steady, {moved.Meter.WorstExcess:0.00} pp moved; AWS {aws:0.00} % without Azure; {100 * steady.Warm:0.0} % of continued sessions warm; {fleet.Failovers} failovers; Azure back: excess {back.Meter.WorstExcess:0.00} pp, Azure {100 * back.ShareOf("azure"):0.0} % and then {100 * later.ShareOf("azure"):0.0} %, {100 * back.Warm:0.0} % and then {100 * later.Warm:0.0} % warm"));
        Assert.InRange(steady.Meter.WorstExcess, -20, excessMax);
        Assert.InRange(moved.Meter.WorstExcess, -20, excessMax);
        Assert.InRange(aws, 40, outageMax);
        Assert.InRange(steady.Warm, warmMin, 1);
        Assert.Equal(0, fleet.Unlawful);
        Assert.Equal(0, dark.ShareOf("azure"));
        Assert.InRange(fleet.Failovers, Nodes, 500); // each learned by itself that Azure is gone

        // It returns: its share comes back step by step, no cap is overshot, and conversations are as warm as before within ten minutes.
        Assert.InRange(Math.Max(back.Meter.WorstExcess, later.Meter.WorstExcess), -50, 0.5);
        Assert.InRange(later.ShareOf("azure"), 0.35, 0.5);
        Assert.InRange(later.Warm, 0.95 * steady.Warm, 1);
    }

    private sealed class Fleet
    {
        private static readonly LimitsOptions s_limits = new();

        private static readonly Deployment[] s_deployments =
        [
            .. SimulatedField.Deployments.Select(static one => Deployments.Of(one.Name, one.Vendor, one.Platform, one.Name.Split('/')[0], one.IsInUnion ? "eu" : "us")),
        ];

        private static readonly Model s_free = new("free", Selection.Weighted, [.. s_deployments.Select(static (one, index) => new Candidate(one, SimulatedField.FreeWeights[index]))], 0);

        /// <summary>Where law forbids a candidate, its weight does not matter: the router must leave it out.</summary>
        private static readonly Model s_bound = new("bound", Selection.Weighted, [.. s_deployments.Select(static (one, index) => new Candidate(one, Math.Max(SimulatedField.BoundWeights[index], 0.1)))], 0);

        private static readonly ApiKey s_everyone = Deployments.Key();
        private static readonly ApiKey s_european = Deployments.Key(new DataAllowance(new HashSet<string> { "eu" }, null, Training: false)) with { Id = "eu" };

        private readonly FakeTimeProvider _time = new();
        private readonly SimulatedTraffic _traffic = new(seed: 5);
        private readonly RouterNode[] _nodes;
        private readonly bool _isPooled;
        private readonly CatalogSnapshot _catalog;
        private readonly Queue<(RouterNode Node, Exchange Exchange, RoutePlan Plan, long Tokens)> _running = [];
        private readonly Dictionary<ulong, int> _warm = [];
        private readonly byte[] _body = new byte[4 * (int)SimulatedTraffic.TokensMax];
        private long _sent;

        public Fleet(bool isPooled, bool hasPolicy)
        {
            _isPooled = isPooled;
            _catalog = Deployments.Catalog(s_limits, s_everyone, s_european) with { Deployments = s_deployments.ToFrozenDictionary(static one => one.Name) };
            PolicyOptions policy = PolicyLoader.Load(
                """
                apiVersion: ballast/v1
                kind: BalancePolicy
                metadata: { name: fleet, version: 1 }
                affinity: { ttl: 5m, min_cached_prefix: 16, max_debt: 600000 }
                scopes:
                  - id: org
                    rules:
                      - { id: azure-50, cap: { platform: azure }, share: 0.50, burst: 60000 }
                      - { id: aws-45, cap: { platform: aws }, share: 0.45, burst: 60000 }
                      - { id: openai-60, cap: { vendor: openai }, share: 0.60, burst: 60000 }
                      - { id: google-5, floor: { platform: google }, share: 0.05, burst: 60000 }
                """, ComponentKindName.All).Options!;
            _nodes = [.. Enumerable.Range(0, Nodes).Select(number => new RouterNode(_time, number))];
            foreach (RouterNode node in hasPolicy ? _nodes : [])
            {
                node.Control.Activate(SharePolicy.Compile(policy, "digest", _catalog, ComponentMap.Plain));
            }
        }

        public int Failovers { get; private set; }
        public int Unlawful { get; private set; }

        public Phase Send(int requests, double boundShare, bool isAzureGone, TimeSpan step = default)
        {
            Phase phase = new();
            for (int sent = 0; sent < requests; sent++)
            {
                _time.Advance(step);
                SimulatedRequest request = _traffic.Next(boundShare);
                RouterNode node = _nodes[request.Session % Nodes];
                Exchange exchange = new(ProtocolList.OpenAIChat, Operation.Chat, _catalog, _time)
                {
                    Key = request.IsBound ? s_european : s_everyone,
                    Model = request.IsBound ? s_bound : s_free,
                    Envelope = new RequestEnvelope { Body = BodyOf(request), Model = request.IsBound ? "bound" : "free" },
                };
                RoutePlan plan = node.Router.Plan(exchange);
                int chosen = Array.IndexOf(s_deployments, Answer(node, exchange, plan, isAzureGone));
                phase.Count(chosen, request, _warm.TryGetValue(request.Session, out int warm) && warm == chosen);
                _warm[request.Session] = chosen;
                Unlawful += request.IsBound && !SimulatedField.Deployments[chosen].IsInUnion ? 1 : 0;
                _running.Enqueue((node, exchange, plan, (long)request.Tokens));
                if (_running.Count > RunningMax)
                {
                    Settle();
                }

                if (++_sent % PoolEvery == 0 && _isPooled)
                {
                    Pool();
                }
            }

            return phase;
        }

        /// <summary>As long as the request was taken to be; it begins as its session's others did.</summary>
        private ReadOnlyMemory<byte> BodyOf(in SimulatedRequest request)
        {
            BitConverter.TryWriteBytes(_body, request.Session);
            return _body.AsMemory(0, 4 * (int)request.Estimate);
        }

        private Deployment Answer(RouterNode node, Exchange exchange, RoutePlan plan, bool isAzureGone)
        {
            while (plan.TryNext(out Deployment deployment))
            {
                Attempt attempt = exchange.BeginAttempt(deployment);
                if (!isAzureGone || deployment.Platform != "azure")
                {
                    return deployment;
                }

                attempt.Result = AttemptResult.Failed;
                plan.NoteFailure(deployment);
                node.Health.Of(deployment).ReportFailure(s_limits);
                Failovers++;
            }

            throw new InvalidOperationException("Nobody is left.");
        }

        private void Settle()
        {
            (RouterNode node, Exchange exchange, RoutePlan plan, long tokens) = _running.Dequeue();
            Attempt attempt = exchange.Attempts[^1];
            (attempt.Result, attempt.Usage) = (AttemptResult.Completed, new Usage { InputTokens = tokens });
            plan.Share?.Settle(exchange.Attempts);
            node.Health.Of(attempt.Deployment).ReportSuccess();
        }

        /// <summary>The bound is about the sum of the nodes' credits, and a transfer keeps the sum.</summary>
        private void Pool()
        {
            ShareBook[] books = [.. _nodes.Select(static node => node.Control.Current!.Book)];
            for (int rule = 0; rule < books[0].Rules.Count; rule++)
            {
                double each = books.Average(book => book.Credit(rule));
                foreach (ShareBook book in books)
                {
                    (double group, double total) = book.Charged(rule);
                    book.Adopt(rule, each, group, total, onlyDebt: false);
                }
            }
        }
    }

    private sealed class Phase
    {
        private static readonly IReadOnlyList<ShareRule> s_rules = SimulatedField.Rules(1);

        private readonly Dictionary<string, double> _tokens = [];
        private long _continued;
        private long _kept;

        public ShareMeter Meter { get; } = new(s_rules, SimulatedField.Members(s_rules));

        /// <summary>Part of the continued sessions that stayed where their cache was.</summary>
        public double Warm => _continued == 0 ? 1 : (double)_kept / _continued;

        public void Count(int deployment, in SimulatedRequest request, bool isWarm)
        {
            Meter.Count(deployment, request);
            string platform = SimulatedField.Deployments[deployment].Platform;
            _tokens[platform] = _tokens.GetValueOrDefault(platform) + request.Tokens;
            _continued += request.IsContinued ? 1 : 0;
            _kept += request.IsContinued && isWarm ? 1 : 0;
        }

        public double ShareOf(string platform) => _tokens.GetValueOrDefault(platform) / _tokens.Values.Sum();
    }
}
