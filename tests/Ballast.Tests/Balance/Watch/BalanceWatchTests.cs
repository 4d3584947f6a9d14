using Ballast.Balance.Watch;
using Ballast.Catalog;
using Ballast.Configuration.Policies;
using Ballast.Ledger;
using Ballast.Routing.Shares;
using Ballast.Tests.Ledger;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Balance.Watch;

public class BalanceWatchTests
{
    private static readonly DataTerms s_eu = new("eu", 0, Training: false);
    private static readonly DataTerms s_us = new("us", 30, Training: false);
    private static readonly Deployment s_azure = SampleCatalog.Deployment("azure", "gpt", "openai", "azure", "sweden", s_eu);
    private static readonly Deployment s_bedrock = SampleCatalog.Deployment("bedrock", "gpt", "openai", "aws", "dublin", s_eu);
    private static readonly Deployment s_openai = SampleCatalog.Deployment("openai", "gpt", "openai", "openai", "us", s_us);

    private readonly FakeTimeProvider _time = new(SampleEntries.Start);
    private readonly BalanceWatch _watch;
    private int _rows;

    public BalanceWatchTests()
    {
        // Weights of 5 : 3 : 2 meet both caps, as long as all may go anywhere.
        Model model = SampleCatalog.Model("assistant", s_azure, s_bedrock, s_openai) with
        {
            Selection = Selection.Weighted,
            Candidates = [new(s_azure, 5), new(s_bedrock, 3), new(s_openai, 2)],
        };
        CatalogSnapshot catalog = SampleCatalog.Create(
            [s_azure, s_bedrock, s_openai], [SampleCatalog.Key("any"), SampleCatalog.Key("bound", SampleCatalog.EuropeOnly)], model);
        PolicyOptions policy = PolicyLoader.Load(
            """
            apiVersion: ballast/v1
            kind: BalancePolicy
            metadata: { name: test, version: 1 }
            scopes: [{ id: org, rules: [{ id: az50, cap: { platform: azure }, share: 0.5 }, { id: aws45, cap: { platform: aws }, share: 0.45 }] }]
            """,
            ComponentKindName.All).Options!;
        _watch = new BalanceWatch(catalog, SharePolicy.Compile(policy, "digest", catalog, ComponentMap.Plain), _time);
        _watch.BeginAct("first", "It begins.");
    }

    [Fact]
    public void Standing_WeightsMeetTheCaps_BothWaysHoldThem()
    {
        Answer(400, "any", s_azure, s_bedrock, s_openai, s_openai);
        _watch.Complete();

        BalanceStanding standing = _watch.Standing();

        Assert.Equal((0.25, 0.25, 0.5), (standing.Kept["azure"], standing.Kept["aws"], standing.Kept["openai"]));
        Assert.Equal(0.5, standing.Weighted["azure"], precision: 6);
        Assert.Equal(0.3, standing.Weighted["aws"], precision: 6);
        Assert.Equal(0, standing.WeightedWorstExcess, precision: 6);
        Assert.Equal(-20, standing.WorstExcess, precision: 6);
    }

    [Fact]
    public void Standing_MixMoves_WeightsGoOverAndItIsTold()
    {
        Answer(320, "any", s_azure, s_openai);
        _time.Advance(TimeSpan.FromSeconds(1));
        _watch.BeginAct("moved", "It moves.");
        Answer(320, "bound", s_azure, s_bedrock);
        _watch.Complete();

        BalanceStanding standing = _watch.Standing();

        Assert.Equal(62.5 - 50, standing.WeightedWorstExcess, precision: 4);
        Assert.Equal(0.625, standing.Acts[1].Weighted["azure"], precision: 6);
        Assert.Equal(0.5, standing.Acts[1].Kept["azure"], precision: 6);
        Assert.Equal(5, standing.WorstExcess, precision: 4); // aws, of which half of the last requests were
        Assert.Contains(standing.Notes, static note => note.Text.StartsWith("azure is held at 50 %", StringComparison.Ordinal));
    }

    [Fact]
    public void Standing_PlatformIsGone_WeightsSendNothingThere()
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        _watch.Lose("azure");
        _watch.BeginAct("dark", "It goes.");
        Answer(320, "bound", s_bedrock);
        _time.Advance(TimeSpan.FromSeconds(1));
        _watch.Regain("azure");
        _watch.BeginAct("back", "It comes.");
        Answer(80, "bound", s_bedrock);
        _watch.Complete();

        BalanceStanding standing = _watch.Standing();

        Assert.Equal(["aws"], standing.Acts[1].Weighted.Keys);
        Assert.Equal(0.625, standing.Acts[2].Weighted["azure"], precision: 6);
    }

    [Fact]
    public void Record_LaterOnesEndFirst_AreCountedAsTheyBegan()
    {
        Answer(1, "any", s_azure);
        _time.Advance(TimeSpan.FromSeconds(1));
        LedgerEntry slow = Row("any", s_openai, SampleEntries.Start + TimeSpan.FromMilliseconds(10));
        _watch.BeginAct("second", "On.");
        Answer(1, "any", s_azure);
        _watch.Record(slow, 1);
        Assert.Empty(_watch.Standing().Kept); // what began a moment ago may still have company

        _time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(0.5, _watch.Standing().Acts[0].Kept["openai"], precision: 6);
        Assert.Equal(["azure"], _watch.Standing().Acts[1].Kept.Keys);
    }

    [Fact]
    public void Timeline_Weighted_HasTheTokensThatWereAnswered()
    {
        Answer(100, "bound", s_bedrock);
        _watch.Complete();

        long[] sums = [.. _watch.Timeline(1).Select(static series => series.Tokens.Sum())];

        Assert.Equal(100 * 178, sums.Sum());
        Assert.Equal(["aws", "azure"], _watch.Timeline(1).Select(static series => series.Name));
    }

    private void Answer(int requests, string key, params Deployment[] served)
    {
        for (int request = 0; request < requests; request++)
        {
            _time.Advance(TimeSpan.FromMicroseconds(100));
            _watch.Record(Row(key, served[request % served.Length], _time.GetUtcNow()), 1);
        }
    }

    private LedgerEntry Row(string key, Deployment served, DateTimeOffset at) =>
        SampleEntries.Completed($"a{++_rows}", served.Platform, served.Vendor) with { KeyId = key, Deployment = served.Name, StartedAt = at };
}
