using Ballast.Balance;
using Ballast.Catalog;
using Ballast.Configuration.Policies;
using Ballast.Ledger;
using Ballast.Routing.Shares;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Balance;

public class LimitCheckTests
{
    private static readonly CatalogSnapshot s_catalog = SampleCatalog.Create(SampleCatalog.Key("support"), SampleCatalog.Key("news"));

    [Fact]
    public void Of_MoreThanTheCapWithoutASuspension_IsABreach()
    {
        LimitCheck check = Check(share: 0.7);

        Assert.Equal(LimitState.Breached, check.State);
        Assert.Equal(0.7, check.Share!.Value, precision: 2);
        Assert.Equal(LimitState.Suspended, Check(share: 0.7, Suspended()).State);
        Assert.Equal(LimitState.Held, Check(share: 0.4).State);
    }

    [Fact]
    public void Of_OnlyWhatIsInTheScopeAndSinceThePolicyIsInForce_Counts()
    {
        Assert.Equal(LimitState.NoTraffic, Check(share: 0.7, match: "match: { apps: [news] }, ").State);
        Assert.Equal(LimitState.NoTraffic, Check(share: 0.7, since: SampleEntries.Start.AddDays(10)).State);
    }

    private static Relaxation Suspended() => new()
    {
        PolicyName = "p", PolicyVersion = 1, Rule = "az50", Cause = RelaxationCause.Health, StartedAt = SampleEntries.Start, LastAt = SampleEntries.Start, Requests = 1, Volume = 1, IsOver = true,
    };

    private static LimitCheck Check(double share, Relaxation? suspended = null, string match = "", DateTimeOffset since = default)
    {
        PolicyLoadResult loaded = PolicyLoader.Load(
            $$"""
            apiVersion: ballast/v1
            kind: BalancePolicy
            metadata: { name: p, version: 1 }
            scopes: [{ id: org, {{match}}rules: [{ id: az50, cap: { platform: azure }, share: 0.5, burst: 1000 }] }]
            """, ComponentKindName.All);
        SharePolicy policy = SharePolicy.Compile(loaded.Options!, "d", s_catalog, ComponentMap.Plain);
        IEnumerable<LedgerEntry> entries = Enumerable.Range(0, 1000).Select(index => SampleEntries.Completed($"e{index}") with
        {
            KeyId = "support", RequestedModel = "gpt", StartedAt = SampleEntries.Start.AddMinutes(index), Deployment = index % 10 < 10 * share ? "azure/gpt" : "bedrock/openai.gpt",
        });
        IReadOnlyList<DemandCell> cells = SampleDemand.Cells(LimitCheck.Stretch, [.. entries.Where(row => row.StartedAt >= since)]);
        return Assert.Single(LimitCheck.Of(policy, s_catalog, cells, suspended is null ? [] : [suspended]));
    }
}
