using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Configuration.Policies;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Routing;
using Ballast.Routing.Shares;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Routing.Metering;

/// <summary>
/// Hard quotas under fuzz, on a virtual clock: random accounts, quotas, policies, gateways that share them, requests far beyond what they allow, slow networks, failures,
/// failovers. The vendor's own log counts a request when it arrives and its tokens at any moment until the answer's end: in no sixty seconds of it is a quota exceeded.
/// </summary>
public class QuotaFuzzTests
{
    private const int RequestsOfAWorld = 1_500;

    [Fact]
    public void Dispatch_FuzzedWorlds_ExceedsNoQuotaInAnyWindow()
    {
        int worlds = Environment.GetEnvironmentVariable("BALLAST_LONG") == "1" ? 400 : 40;
        long dispatched = 0, turnedAway = 0, failovers = 0;
        double fullest = 0;
        for (int seed = 1; seed <= worlds; seed++)
        {
            World world = new(seed);
            world.Run();
            (dispatched, turnedAway, failovers) = (dispatched + world.Dispatched, turnedAway + world.TurnedAway, failovers + world.Failovers);
            fullest = Math.Max(fullest, world.AssertKept());
        }

        // Quotas are kept because they bind, and not because nothing came near them.
        Assert.InRange(turnedAway, worlds * 50, long.MaxValue);
        Assert.InRange(failovers, worlds * 20, long.MaxValue);
        Assert.InRange(fullest, 0.99, 1.0);
        TestContext.Current.SendDiagnosticMessage($"E9 simulated: {worlds * RequestsOfAWorld} requests, {dispatched} dispatches, {failovers} failovers, {turnedAway} turned away, 0 above a quota in any 60 s");
    }

    /// <summary>What a vendor saw.</summary>
    private sealed class VendorLog(QuotaOptions quota)
    {
        private readonly List<(long At, long Amount)> _requests = [];
        private readonly List<(long At, long Amount)> _tokens = [];

        public void Arrive(long at) => _requests.Add((at, 1));

        public void Use(long at, long tokens) => _tokens.Add((at, tokens));

        /// <summary>The part of a quota that the fullest window used.</summary>
        public double AssertKept(string name) => Math.Max(AssertKept(name + " requests", _requests, quota.RequestsPerMinute), AssertKept(name + " tokens", _tokens, quota.TokensPerMinute));

        private static double AssertKept(string name, List<(long At, long Amount)> log, long? limit)
        {
            if (limit is not { } most)
            {
                return 0;
            }

            log.Sort();
            long sum = 0, largest = 0;
            for (int last = 0, first = 0; last < log.Count; last++)
            {
                sum += log[last].Amount;
                for (; log[last].At - log[first].At >= 60_000; first++)
                {
                    sum -= log[first].Amount;
                }

                largest = Math.Max(largest, sum);
                Assert.True(sum <= most, $"{name}: {sum} within sixty seconds before {log[last].At} ms, the quota is {most}");
            }

            return (double)largest / most;
        }
    }

    private sealed class World
    {
        private readonly Random _random;
        private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 8, 0, 0, TimeSpan.Zero));
        private readonly PriorityQueue<Action, (long At, int Order)> _events = new();
        private readonly LimitsOptions _limits = new() { BreakerFailures = 20 };
        private readonly CatalogSnapshot _catalog;
        private readonly Dictionary<string, VendorLog> _logs = new(StringComparer.Ordinal);
        private readonly Model[] _models;
        private readonly RouterNode[] _nodes;
        private readonly ApiKey _key = Deployments.Key();
        private long _now;
        private int _order;

        public World(int seed)
        {
            _random = new Random(seed);
            int nodes = _random.Next(1, 5);
            Provider[] accounts = [.. Enumerable.Range(0, 3).Select(index => NewAccount(index, nodes))];
            Deployment[] deployments = [.. Enumerable.Range(0, _random.Next(2, 7)).Select(index => NewDeployment(index, accounts[_random.Next(3)], nodes))];
            _models =
            [
                .. Enumerable.Range(0, 3).Select(index => new Model(
                    $"m{index}", _random.Next(2) == 0 ? Selection.Ordered : Selection.Weighted,
                    [.. deployments.OrderBy(_ => _random.Next()).Take(_random.Next(1, deployments.Length + 1)).Select(one => new Candidate(one, 1 + _random.Next(4)))], 0)),
            ];
            _catalog = Deployments.Catalog(_limits, _key) with { Deployments = System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(deployments, static one => one.Name) };
            _nodes = [.. Enumerable.Range(0, nodes).Select(index => NewNode(seed + index, hasPolicy: _random.Next(2) != 0))];
        }

        public long Dispatched { get; private set; }
        public long TurnedAway { get; private set; }
        public long Failovers { get; private set; }

        public double AssertKept() => _logs.Max(static log => log.Value.AssertKept(log.Key));

        public void Run()
        {
            long at = 0;
            for (int request = 0; request < RequestsOfAWorld; request++)
            {
                // Bursts and lulls: some within a millisecond, some so late that the window has emptied.
                at += _random.Next(12) switch { 0 => _random.Next(4_000), < 6 => 0, _ => _random.Next(300) };
                Post(at, Send);
            }

            while (_events.TryDequeue(out Action? next, out (long At, int) when))
            {
                _time.Advance(TimeSpan.FromMilliseconds(when.At - _now));
                _now = when.At;
                next();
            }
        }

        private void Post(long at, Action what) => _events.Enqueue(what, (at, _order++));

        private void Send()
        {
            RouterNode node = _nodes[_random.Next(_nodes.Length)];
            Model model = _models[_random.Next(_models.Length)];
            Exchange exchange = new(ProtocolList.OpenAIChat, Operation.Chat, _catalog, _time)
            {
                Key = _key,
                Model = model,
                Envelope = new RequestEnvelope { Body = new byte[_random.Next(20, 3_000)], Model = model.Name, MaxOutputTokens = _random.Next(1, 900) },
            };
            try
            {
                Next(node, exchange, node.Router.Plan(exchange));
            }
            catch (GatewayException refusal)
            {
                Assert.True(refusal.Code is "ballast_quota_reached" or "ballast_all_unavailable", refusal.Code);
                Assert.InRange(refusal.Error.RetryAfter ?? TimeSpan.Zero, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(61));
                TurnedAway++;
            }
        }

        /// <summary>As the loop of failovers does it.</summary>
        private void Next(RouterNode node, Exchange exchange, RoutePlan plan)
        {
            while (exchange.Attempts.Count < 3 && plan.TryNext(out Deployment chosen))
            {
                Attempt attempt = exchange.BeginAttempt(chosen);
                if (node.Quotas.TryTake(exchange, attempt))
                {
                    Failovers += exchange.Attempts.Count > 1 ? 1 : 0;
                    Dispatch(node, exchange, plan, attempt);
                    return;
                }

                exchange.Attempts.Remove(attempt);
                plan.NoteFull();
            }

            TurnedAway += exchange.Attempts.Count == 0 ? 1 : 0;
            plan.Share?.Settle(exchange.Attempts);
        }

        private void Dispatch(RouterNode node, Exchange exchange, RoutePlan plan, Attempt attempt)
        {
            long most = exchange.TokensAt(attempt.Deployment);
            if (_random.Next(20) == 0)
            {
                // Nobody was there to be asked.
                Post(_now + _random.Next(1, 2_000), () => End(node, exchange, plan, attempt, AttemptResult.Failed));
                return;
            }

            Dispatched++;
            long arrival = _now + _random.Next(_random.Next(5) == 0 ? 8_000 : 50);
            long head = arrival + _random.Next(2_000);
            long end = head + _random.Next(_random.Next(4) == 0 ? 40_000 : 1_500);
            AttemptResult result = _random.Next(10) switch { 0 => AttemptResult.Failed, 1 => AttemptResult.Interrupted, _ => AttemptResult.Completed };
            long used = result == AttemptResult.Failed ? 0 : _random.NextInt64(most + 1);
            Log(attempt.Deployment.Name, attempt.Deployment.Quota, arrival, arrival + _random.NextInt64(end - arrival + 1), used);
            Log(attempt.Deployment.Provider.Name, attempt.Deployment.Provider.Quota, arrival, arrival + _random.NextInt64(end - arrival + 1), used);
            Post(head, () =>
            {
                attempt.Reached = true;
                attempt.UpstreamStatus = result == AttemptResult.Failed ? 500 : 200;
                node.Quotas.NoteArrival(attempt);
            });
            Post(end, () =>
            {
                attempt.Usage = result == AttemptResult.Completed ? new Usage { InputTokens = used / 2, OutputTokens = used - (used / 2) } : null;
                End(node, exchange, plan, attempt, result);
            });
        }

        private void End(RouterNode node, Exchange exchange, RoutePlan plan, Attempt attempt, AttemptResult result)
        {
            attempt.Result = result;
            node.Quotas.Settle(attempt);
            if (result == AttemptResult.Failed)
            {
                plan.NoteFailure(attempt.Deployment);
                node.Health.Of(attempt.Deployment).ReportFailure(_limits);
                Next(node, exchange, plan);
                return;
            }

            node.Health.Of(attempt.Deployment).ReportSuccess();
            plan.Share?.Settle(exchange.Attempts);
        }

        private void Log(string name, QuotaOptions? quota, long arrival, long usedAt, long used)
        {
            if (quota is not null)
            {
                VendorLog log = _logs.TryGetValue(name, out VendorLog? known) ? known : _logs[name] = new VendorLog(quota);
                log.Arrive(arrival);
                log.Use(usedAt, used);
            }
        }

        private Provider NewAccount(int index, int nodes)
        {
            QuotaOptions? quota = index == 0 || _random.Next(3) != 0 ? new QuotaOptions(_random.Next(10, 60), _random.Next(2) == 0 ? null : _random.Next(8_000, 60_000), IsHard: true) : null;
            return Deployments.Of($"p{index}/m", "v", "platform" + index, "r").Provider with { Quota = quota, HardQuota = HardQuota.Of(quota, nodes) };
        }

        private Deployment NewDeployment(int index, Provider account, int nodes)
        {
            QuotaOptions? quota = _random.Next(3) switch
            {
                0 => null,
                1 => new QuotaOptions(_random.Next(8, 40), null, IsHard: true),
                _ => new QuotaOptions(_random.Next(8, 40), _random.Next(8_000, 30_000), IsHard: true),
            };
            return Deployments.Of($"{account.Name}/m{index}", "vendor" + (index % 2), account.Platform, "r") with { Provider = account, Quota = quota, HardQuota = HardQuota.Of(quota, nodes) };
        }

        /// <summary>One gateway; with a policy beside the quotas, or without.</summary>
        private RouterNode NewNode(int seed, bool hasPolicy)
        {
            RouterNode node = new(_time, seed);
            if (hasPolicy)
            {
                PolicyOptions policy = new()
                {
                    Name = "fuzz",
                    Version = 1,
                    Scopes = [new PolicyScopeOptions { Id = "org", Rules = [new ShareRuleOptions { Id = "cap", Kind = "platform", Name = "platform0", Share = 0.4, IsHard = true, Burst = 5_000 }] }],
                };
                node.Control.Activate(SharePolicy.Compile(policy, "digest", _catalog, ComponentMap.Plain));
            }

            return node;
        }
    }
}
