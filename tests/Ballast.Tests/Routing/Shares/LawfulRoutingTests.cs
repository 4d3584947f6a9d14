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
/// Law under fuzz: random catalogs, data terms, keys, residency, caps, outages, probes, warm sessions and failovers through the gateway's own router. No request is ever
/// sent where its key, cut down by the policy's residency, may not go; where nothing lawful is left it is refused.
/// </summary>
public class LawfulRoutingTests
{
    private const int RequestsOfAWorld = 2_000;

    [Fact]
    public void Plan_FuzzedWorlds_SendsNothingWhereItMayNotGo()
    {
        int worlds = Environment.GetEnvironmentVariable("BALLAST_LONG") == "1" ? 500 : 40;
        long dispatched = 0, failovers = 0, refused = 0;
        for (int seed = 1; seed <= worlds; seed++)
        {
            World world = new(seed);
            world.Run();
            dispatched += world.Dispatched;
            failovers += world.Failovers;
            refused += world.Refused;
        }

        Assert.InRange(dispatched, worlds * RequestsOfAWorld / 3, long.MaxValue);
        Assert.InRange(failovers, worlds * 20, long.MaxValue);
        Assert.InRange(refused, worlds, long.MaxValue);
        TestContext.Current.SendDiagnosticMessage($"E6 simulated: {worlds * RequestsOfAWorld} requests, {dispatched} dispatches, {failovers} of them failovers, {refused} refused, 0 unlawful");
    }

    private sealed class World
    {
        private static readonly string[] s_geos = ["eu", "us", "asia"];
        private static readonly string[] s_platforms = ["azure", "aws", "google", "openai", "local"];

        private readonly Random _random;
        private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 8, 0, 0, TimeSpan.Zero));
        private readonly LimitsOptions _limits = new();
        private readonly RouterNode _node;
        private readonly CatalogSnapshot _catalog;
        private readonly Deployment[] _deployments;
        private readonly ApiKey[] _keys;
        private readonly Model[] _models;

        public World(int seed)
        {
            _random = new Random(seed);
            _node = new RouterNode(_time, seed);
            _deployments = [.. Enumerable.Range(0, _random.Next(3, 10)).Select(NewDeployment)];
            _models =
            [
                .. Enumerable.Range(0, 4).Select(index => new Model(
                    $"m{index}", _random.Next(2) == 0 ? Selection.Ordered : Selection.Weighted,
                    [.. _deployments.OrderBy(_ => _random.Next()).Take(_random.Next(1, _deployments.Length + 1)).Select(one => new Candidate(one, 1 + _random.Next(4)))], 0)),
            ];
            PolicyOptions policy = NewPolicy();
            ApiKey[] written = [.. Enumerable.Range(0, 4).Select(index => Deployments.Key(NewAllowance()) with { Id = $"k{index}", App = $"a{index % 3}", Tier = _random.Next(1, 4) })];
            _keys = [.. written.Select(key => SharePolicy.Restrict(key, policy))];
            _catalog = Deployments.Catalog(_limits, _keys) with
            {
                Deployments = System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(_deployments, static one => one.Name),
            };
            if (_random.Next(4) != 0)
            {
                _node.Control.Activate(SharePolicy.Compile(policy, "digest", _catalog, ComponentMap.Plain));
            }
        }

        public long Dispatched { get; private set; }
        public long Failovers { get; private set; }
        public long Refused { get; private set; }

        public void Run()
        {
            for (int request = 0; request < RequestsOfAWorld; request++)
            {
                _time.Advance(TimeSpan.FromMilliseconds(_random.Next(400)));
                Disturb();
                Send(_keys[_random.Next(_keys.Length)], _models[_random.Next(_models.Length)]);
            }
        }

        private void Send(ApiKey key, Model model)
        {
            Exchange exchange = new(ProtocolList.OpenAIChat, Operation.Chat, _catalog, _time)
            {
                Key = key,
                Model = model,
                Envelope = new RequestEnvelope { Body = new byte[_random.Next(20, 9_000)], Model = model.Name, MaxOutputTokens = _random.Next(2) == 0 ? null : _random.Next(1, 900) },
            };
            bool isLawful = model.Candidates.Any(candidate => key.Allow.Allows(candidate.Deployment.Data));
            RoutePlan plan;
            try
            {
                plan = _node.Router.Plan(exchange);
            }
            catch (GatewayException refusal)
            {
                Refused++;
                Assert.True(isLawful || refusal.Code == GatewayError.NoLawfulDeployment.Code, refusal.Code);
                return;
            }

            Assert.True(isLawful, "nothing lawful, and yet a plan");
            for (int attempt = 1; plan.TryNext(out Deployment chosen); attempt++)
            {
                Assert.True(key.Allow.Allows(chosen.Data), $"{key.Id} was sent to {chosen.Name} ({chosen.Data})");
                Dispatched++;
                Failovers += attempt > 1 ? 1 : 0;
                Attempt made = exchange.BeginAttempt(chosen);
                if (_random.Next(8) == 0)
                {
                    made.Result = AttemptResult.Failed;
                    plan.NoteFailure(chosen);
                    _node.Health.Of(chosen).ReportFailure(_limits);
                    continue;
                }

                made.Result = AttemptResult.Completed;
                made.Usage = new Usage { InputTokens = _random.Next(10, 4_000), OutputTokens = _random.Next(900) };
                _node.Health.Of(chosen).ReportSuccess();
                break;
            }

            plan.Share?.Settle(exchange.Attempts);
        }

        private void Disturb()
        {
            Deployment one = _deployments[_random.Next(_deployments.Length)];
            switch (_random.Next(150))
            {
                case 0:
                    _node.Health.Of(one).Rest(TimeSpan.FromSeconds(_random.Next(1, 20)), _limits);
                    break;
                case 1:
                    foreach (Deployment neighbour in _deployments.Where(other => other.Platform == one.Platform))
                    {
                        for (int failure = 0; failure < _limits.BreakerFailures; failure++)
                        {
                            _node.Health.Of(neighbour).ReportFailure(_limits);
                        }
                    }

                    break;
            }
        }

        private Deployment NewDeployment(int index)
        {
            string platform = s_platforms[_random.Next(s_platforms.Length)];
            Deployment made = Deployments.Of($"p{index}/m", "vendor" + _random.Next(3), platform, "r" + _random.Next(3), s_geos[_random.Next(s_geos.Length)]);
            return made with { Data = made.Data with { RetentionDays = _random.Next(3) * 15, Training = _random.Next(4) == 0 } };
        }

        private DataAllowance NewAllowance() => new(
            _random.Next(2) == 0 ? null : s_geos.Where(_ => _random.Next(2) == 0).Append("eu").ToHashSet(), _random.Next(3) != 0 ? null : _random.Next(31), Training: _random.Next(3) != 0);

        private PolicyOptions NewPolicy() => new()
        {
            Name = "fuzz",
            Version = 1,
            Residency =
            [
                .. Enumerable.Range(0, _random.Next(3)).Select(_ => new ResidencyOptions
                {
                    Match = _random.Next(2) == 0 ? new PolicyMatch { Apps = [$"a{_random.Next(3)}"] } : new PolicyMatch { Tiers = [_random.Next(1, 4)] },
                    Geo = _random.Next(3) == 0 ? null : [s_geos[_random.Next(3)], s_geos[_random.Next(3)]],
                    RetentionDaysMax = _random.Next(2) == 0 ? null : 0,
                    Training = _random.Next(2) == 0,
                }),
            ],
            Affinity = _random.Next(2) == 0 ? null : new AffinityOptions { CachedPrefixMin = 8 },
            Scopes =
            [
                new PolicyScopeOptions
                {
                    Id = "org",
                    Rules =
                    [
                        .. Enumerable.Range(0, _random.Next(5)).Select(rule => new ShareRuleOptions
                        {
                            Id = $"r{rule}", Kind = "platform", Name = s_platforms[_random.Next(s_platforms.Length)], Share = _random.NextDouble(), IsFloor = _random.Next(3) == 0, IsHard = _random.Next(4) != 0,
                            Sheds = _random.Next(8) == 0, Burst = 1_000 + (10_000 * _random.NextDouble()),
                        }),
                    ],
                },
            ],
        };
    }
}
