using Ballast.Catalog;
using Ballast.Routing;

namespace Ballast.Tests.Routing;

public class RoutePlanTests
{
    [Fact]
    public void TryNext_NothingFailed_KeepsTheOrder()
    {
        RoutePlan plan = new([Of("a/1", "azure", "eu"), Of("b/1", "azure", "eu"), Of("c/1", "aws", "us")]);

        Assert.Equal(["a/1", "b/1", "c/1"], Names(plan, failing: false));
    }

    [Fact]
    public void TryNext_APlatformFailed_LeavesItFirst()
    {
        RoutePlan plan = new([Of("a/1", "azure", "north"), Of("b/1", "azure", "west"), Of("c/1", "aws", "west")]);

        Assert.Equal(["a/1", "c/1", "b/1"], Names(plan, failing: true));
    }

    [Fact]
    public void TryNext_ARegionFailed_PrefersAnotherRegionOfTheSamePlatform()
    {
        RoutePlan plan = new([Of("a/1", "azure", "north"), Of("b/1", "azure", "north"), Of("c/1", "azure", "west")]);

        Assert.Equal(["a/1", "c/1", "b/1"], Names(plan, failing: true));
    }

    private static List<string> Names(RoutePlan plan, bool failing)
    {
        List<string> names = [];
        while (plan.TryNext(out Deployment next))
        {
            names.Add(next.Name);
            if (failing)
            {
                plan.NoteFailure(next);
            }
        }

        return names;
    }

    private static Deployment Of(string name, string platform, string region) => Deployments.Of(name, "openai", platform, region);
}
