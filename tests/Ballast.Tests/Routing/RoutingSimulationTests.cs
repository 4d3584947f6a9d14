using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Routing;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Routing;

/// <summary>
/// Router, plan, health and retry budget together in virtual time, over random catalogs and outages: what is tried is lawful, bounded and never tried twice; half-open
/// deployments see one probe; and once everything is healed every deployment gets traffic again.
/// </summary>
public class RoutingSimulationTests
{
    private const int Steps = 60;

    private static readonly LimitsOptions Limits = new() { BreakerFailures = 3, BreakerOpen = TimeSpan.FromSeconds(10), RampUp = TimeSpan.FromSeconds(30) };

    private static readonly Gen<Deployment> Candidate = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[0, 10_000], (platform, region, geo, name) =>
        Deployments.Of($"p{platform}/m{name}", "vendor", $"platform-{platform}", $"region-{region}", ((string[])["eu", "us", "global"])[geo]));

    [Fact]
    public void Plan_RandomCatalogsAndOutages_IsLawfulBoundedAndAliveAfterwards() =>
        Gen.Select(Candidate.Array[1, 8], Gen.Int[0, 3], Gen.Bool, Gen.Int[0, int.MaxValue - 1])
            .Sample((candidates, allowed, isWeighted, seed) => Run([.. candidates.DistinctBy(one => one.Name)], allowed, isWeighted, seed), seed: "0000000000000", iter: 1500);

    private static void Run(Deployment[] candidates, int allowed, bool isWeighted, int seed)
    {
        Simulation simulation = new(candidates, allowed, isWeighted, seed);
        for (int step = 0; step < Steps; step++)
        {
            simulation.Step();
        }

        simulation.Heal();
        simulation.CheckAlive();
    }

    private sealed class Simulation
    {
        private readonly FakeTimeProvider _time = new();
        private readonly Random _random;
        private readonly HealthBook _health;
        private readonly RetryBudget _budget;
        private readonly Router _router;
        private readonly Deployment[] _candidates;
        private readonly HashSet<string> _geos;
        private readonly Selection _selection;
        private readonly HashSet<string> _down = [];
        private readonly HashSet<string> _probing = [];
        private int _requests;
        private int _budgeted;

        public Simulation(Deployment[] candidates, int allowed, bool isWeighted, int seed)
        {
            _random = new Random(seed);
            _health = new HealthBook(_time);
            _budget = new RetryBudget(_time);
            _router = new Router(_health, new Random(seed));
            _candidates = candidates;
            _geos = [.. ((string[][])[["eu"], ["us"], ["eu", "us"], ["eu", "us", "global"]])[allowed]];
            _selection = isWeighted ? Selection.Weighted : Selection.Ordered;
        }

        public void Step()
        {
            _time.Advance(TimeSpan.FromMilliseconds(_random.Next(3000)));
            string turned = _candidates[_random.Next(_candidates.Length)].Name;
            if (!_down.Remove(turned))
            {
                _down.Add(turned);
            }

            // Some requests hold on to their plans while others run: probes overlap.
            List<RoutePlan> open = [];
            for (int request = _random.Next(4); request >= 0; request--)
            {
                if (Plan() is { } plan)
                {
                    open.Add(plan);
                }
            }

            open.ForEach(Follow);
            Assert.True(_budgeted <= (Limits.RetryFloor * ((Steps * 3 / RetryBudget.WindowSeconds) + 2)) + (Limits.RetryShareMax * _requests), "the retry budget is overspent");
        }

        public void Heal()
        {
            _down.Clear();
            for (int second = 0; second < 120; second++)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                if (Plan() is { } plan)
                {
                    Follow(plan);
                }
            }
        }

        /// <summary>Every lawful deployment is in the plan again, and none has lost its probe.</summary>
        public void CheckAlive()
        {
            Deployment[] lawful = [.. _candidates.Where(one => _geos.Contains(one.Data.Geo))];
            if (lawful.Length > 0)
            {
                Assert.Equal(lawful.Length, Plan()!.Count);
                Assert.All(lawful, one => Assert.NotEqual(Availability.Resting, _health.Of(one).Check(Limits, out _, out _)));
            }
        }

        private RoutePlan? Plan()
        {
            Exchange exchange = new(ProtocolList.OpenAIChat, Operation.Chat, Deployments.Catalog(Limits), _time)
            {
                Key = Deployments.Key(new DataAllowance(_geos, null, Training: false)),
                Model = new Model("m", _selection, [.. _candidates.Select((one, index) => new Candidate(one, index + 1))], 0),
            };
            try
            {
                RoutePlan plan = _router.Plan(exchange);
                if (plan.Probe is { } probe)
                {
                    Assert.True(_probing.Add(probe.Name), "two probes at once");
                }

                return plan;
            }
            catch (GatewayException refusal)
            {
                bool hasLawful = _candidates.Any(one => _geos.Contains(one.Data.Geo));
                Assert.Equal(hasLawful ? "ballast_all_unavailable" : "ballast_no_lawful_deployment", refusal.Code);
                Assert.True(!hasLawful || refusal.Error.RetryAfter > TimeSpan.Zero);
                return null;
            }
        }

        private void Follow(RoutePlan plan)
        {
            _requests++;
            _budget.CountRequest();
            HashSet<string> tried = [];
            while (tried.Count < Limits.AttemptsMax && plan.TryNext(out Deployment next))
            {
                DeploymentHealth health = _health.Of(next);
                if (tried.Count > 0 && !health.IsProven)
                {
                    if (!_budget.TryTake(Limits))
                    {
                        break;
                    }

                    _budgeted++;
                }

                Assert.Contains(next.Data.Geo, _geos);
                Assert.True(tried.Add(next.Name), "a candidate is tried twice");
                if (next == plan.Probe)
                {
                    _probing.Remove(next.Name);
                }

                if (!_down.Contains(next.Name))
                {
                    health.ReportSuccess();
                    break;
                }

                health.ReportFailure(Limits);
                plan.NoteFailure(next);
            }

            if (plan.Probe is { } probe && _probing.Remove(probe.Name))
            {
                _health.Of(probe).ReportNothing();
            }
        }
    }
}
