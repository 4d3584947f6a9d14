using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Routing;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Routing;

public class RouterTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly HealthBook _health;

    public RouterTests() => _health = new HealthBook(_time);

    [Fact]
    public void Plan_KeyAllowsNoCandidate_IsRefused()
    {
        Exchange exchange = Exchange(["us"], [Deployments.Of("a/1", "openai", "azure", "eu", "eu")]);

        GatewayException refusal = Assert.Throws<GatewayException>(() => Router().Plan(exchange));

        Assert.Equal("ballast_no_lawful_deployment", refusal.Code);
    }

    [Fact]
    public void Plan_AnyHealthAndSelection_NeverHoldsAnUnlawfulDeployment() =>
        Gen.Select(
            Gen.Select(Gen.OneOf(Gen.Const("eu"), Gen.Const("us"), Gen.Const("global")), Gen.OneOf(Gen.Const("azure"), Gen.Const("aws"), Gen.Const("local")), Gen.Int[0, 8]).Array[1, 8],
            Gen.OneOf(Gen.Const("eu"), Gen.Const("us")).Array[1, 2],
            Gen.Bool)
        .Sample((candidates, geos, isWeighted) =>
        {
            HealthBook health = new(_time);
            Deployment[] deployments = [.. candidates.Select((made, index) => Deployments.Of($"p{index}/m", "v", made.Item2, "r", made.Item1))];
            foreach ((Deployment deployment, int failures) in deployments.Zip(candidates.Select(made => made.Item3)))
            {
                for (int failure = 0; failure < failures; failure++)
                {
                    health.Of(deployment).ReportFailure(new());
                }
            }

            Exchange exchange = Exchange(geos, deployments, isWeighted ? Selection.Weighted : Selection.Ordered);
            try
            {
                RoutePlan plan = new Router(health, new Random(1)).Plan(exchange);
                while (plan.TryNext(out Deployment next))
                {
                    Assert.Contains(next.Data.Geo, geos);
                    plan.NoteFailure(next);
                }
            }
            catch (GatewayException refusal)
            {
                bool hasLawful = deployments.Any(deployment => geos.Contains(deployment.Data.Geo));
                Assert.Equal(hasLawful ? "ballast_all_unavailable" : "ballast_no_lawful_deployment", refusal.Code);
            }
        }, seed: "0000000000000", iter: 2000);

    [Fact]
    public void Plan_AllResting_SaysHowLong()
    {
        Deployment deployment = Deployments.Of("a/1", "openai", "azure", "eu");
        _health.Of(deployment).Rest(TimeSpan.FromSeconds(7), new());

        GatewayException refusal = Assert.Throws<GatewayException>(() => Router().Plan(Exchange(["eu"], [deployment])));

        Assert.Equal(TimeSpan.FromSeconds(7), refusal.Error.RetryAfter);
    }

    [Fact]
    public void Plan_Weighted_KeepsTheShares()
    {
        Deployment[] deployments = [Deployments.Of("a/1", "x", "azure", "eu"), Deployments.Of("b/1", "x", "aws", "eu")];
        Model model = new("m", Selection.Weighted, [new(deployments[0], 3), new(deployments[1], 1)], 0);
        Router router = Router();
        int first = 0;
        for (int round = 0; round < 4000; round++)
        {
            Exchange exchange = Exchange(["eu"], deployments);
            exchange.Model = model;
            RoutePlan plan = router.Plan(exchange);
            plan.TryNext(out Deployment next);
            first += next.Name == "a/1" ? 1 : 0;
        }

        Assert.InRange(first / 4000.0, 0.72, 0.78);
    }

    [Fact]
    public void Plan_HalfOpen_PutsTheProbeFirstOnce()
    {
        Deployment broken = Deployments.Of("b/1", "x", "aws", "eu");
        Deployment[] deployments = [Deployments.Of("a/1", "x", "azure", "eu"), broken];
        for (int failure = 0; failure < 5; failure++)
        {
            _health.Of(broken).ReportFailure(new());
        }

        _time.Advance(TimeSpan.FromSeconds(10));
        RoutePlan first = Router().Plan(Exchange(["eu"], deployments));
        RoutePlan second = Router().Plan(Exchange(["eu"], deployments));

        Assert.Equal(broken, first.Probe);
        Assert.Null(second.Probe);
        Assert.Equal(1, second.Count);
    }

    private Router Router() => new(_health, new Random(1));

    private Exchange Exchange(IEnumerable<string> geos, Deployment[] deployments, Selection selection = Selection.Ordered) =>
        new(ProtocolList.OpenAIChat, Operation.Chat, Deployments.Catalog(), _time)
        {
            Key = Deployments.Key(new DataAllowance(geos.ToHashSet(), null, Training: false)),
            Model = new Model("m", selection, [.. deployments.Select(deployment => new Candidate(deployment, 1))], 0),
        };
}
