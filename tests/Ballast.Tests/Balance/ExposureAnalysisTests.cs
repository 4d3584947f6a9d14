using System.Net;
using Ballast.Balance;
using Ballast.Catalog;
using Ballast.Configuration.Policies;
using Ballast.Ledger;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Balance;

public class ExposureAnalysisTests
{
    [Fact]
    public void Find_RandomFaultTrees_EqualsBruteForce()
    {
        Random random = new(11);
        for (int graph = 0; graph < 1_000; graph++)
        {
            int deployments = random.Next(1, 9);
            ulong all = ulong.MaxValue >> (64 - deployments);
            ulong[] gone = [.. Enumerable.Range(0, random.Next(1, 13)).Select(_ => (ulong)random.NextInt64() & (ulong)random.NextInt64() & all)];

            string[] found = [.. CutSets.Find(gone, all).Select(static set => string.Join(',', set)).Order(StringComparer.Ordinal)];

            Assert.Equal(BruteForce(gone, all).Order(StringComparer.Ordinal), found);
        }
    }

    /// <summary>Every subset of up to three that takes all away, and no proper subset of which does.</summary>
    private static IEnumerable<string> BruteForce(ulong[] gone, ulong all)
    {
        bool Stops(int set) => Enumerable.Range(0, gone.Length).Where(index => (set & (1 << index)) != 0).Aggregate(0UL, (sum, index) => sum | gone[index]) == all;
        return
            from set in Enumerable.Range(1, (1 << gone.Length) - 1)
            let members = Enumerable.Range(0, gone.Length).Where(index => (set & (1 << index)) != 0).ToArray()
            where members.Length <= 3 && Stops(set) && members.All(index => !Stops(set & ~(1 << index)))
            select string.Join(',', members);
    }

    [Fact]
    public void Build_TwoVendorsOnOnePlatform_IsOneFailure()
    {
        DataTerms eu = new("eu", 0, Training: false);
        Deployment claude = SampleCatalog.Deployment("bedrock", "claude-sonnet-4-5", "anthropic", "aws", "frankfurt", eu);
        Deployment llama = SampleCatalog.Deployment("bedrock2", "llama-4", "meta", "aws", "dublin", eu);
        CatalogSnapshot catalog = SampleCatalog.Create([claude, llama], [SampleCatalog.Key("support")], SampleCatalog.Model("assistant", claude, llama));

        ExposureAnalysis analysis = ExposureAnalysis.Build(catalog, ComponentMap.Plain, policy: null,
            SampleDemand.Of([.. Enumerable.Range(0, 200).Select(index => Row(index, index % 2 == 0 ? claude : llama))]));

        Assert.Equal(1, analysis.CommonModeGap, precision: 6);
        ComponentUse aws = Use(analysis, ComponentKind.Platform, "aws");
        Assert.Equal((1, 1, 1), (aws.TokenShare, aws.Stops, aws.Unproven));
        ComponentUse anthropic = Use(analysis, ComponentKind.Vendor, "anthropic");
        Assert.Equal((0.5, 0, 0.5), (anthropic.TokenShare, anthropic.Stops, anthropic.Unproven));
        ModelCuts cuts = Assert.Single(analysis.Models);
        Assert.Equal("platform:aws", Assert.Single(cuts.SinglePoints).ToString());
        Assert.Contains("vendor:anthropic + vendor:meta", cuts.Cuts.Select(static cut => cut.ToString()));
    }

    [Fact]
    public void Build_SubstituteWasShown_LeavesLessUnproven()
    {
        CatalogSnapshot catalog = SampleCatalog.Create(SampleCatalog.Key("support"));
        Deployment azure = catalog.Deployments["azure/gpt"];
        PolicyOptions policy = new()
        {
            Name = "p", Version = 1, Criticality = new Dictionary<string, int> { ["support"] = 1 },
            Substitutes = [new SubstituteOptions { For = "azure/gpt", By = ["bedrock/openai.gpt"], Parity = 0.9 }],
        };

        ExposureAnalysis analysis = ExposureAnalysis.Build(catalog, ComponentMap.Plain, policy, SampleDemand.Of([.. Enumerable.Range(0, 50).Select(index => Row(index, azure, "gpt"))]));

        Assert.Equal(0.1, Use(analysis, ComponentKind.Platform, "azure").Unproven, precision: 6);
        Assert.Equal(1, Use(analysis, ComponentKind.Vendor, "openai").Stops, precision: 6);
        Assert.Equal(Provenance.Assumed, Use(analysis, ComponentKind.Family, "gpt").Provenance);
    }

    /// <summary>What an app's owner says of it counts, and what a policy says goes before it.</summary>
    [Theory]
    [InlineData(null, 0.8)]
    [InlineData(3, 0.5)]
    public void Build_TiersOfApps_WeighTheirRequests(int? byPolicy, double critical)
    {
        CatalogSnapshot catalog = SampleCatalog.Create(SampleCatalog.Key("support") with { Tier = 1 }, SampleCatalog.Key("news") with { Tier = 3 });
        PolicyOptions? policy = byPolicy is { } tier ? new PolicyOptions { Name = "p", Version = 1, Criticality = new Dictionary<string, int> { ["support"] = tier } } : null;

        ExposureAnalysis analysis = ExposureAnalysis.Build(catalog, ComponentMap.Plain, policy, SampleDemand.Of(
        [
            .. Enumerable.Range(0, 50).Select(index => Row(index, catalog.Deployments["azure/gpt"], "gpt") with { App = "support" }),
            .. Enumerable.Range(50, 50).Select(index => Row(index, catalog.Deployments["bedrock/openai.gpt"], "gpt") with { App = "news", KeyId = "news" }),
        ]));

        Assert.Equal(critical, Use(analysis, ComponentKind.Platform, "azure").CriticalShare, precision: 6);
        Assert.Equal(-1, Use(analysis, ComponentKind.Platform, "azure").Trend!.Value, precision: 1);
    }

    /// <summary>Two accounts that nothing declared connects fail in the same minutes: a link is seen, and the model they share has a single point of failure.</summary>
    [Fact]
    public void Build_PlantedCommonMode_IsFound()
    {
        CatalogSnapshot catalog = SampleCatalog.Create(SampleCatalog.Key("support"));
        Random random = new(3);
        List<LedgerEntry> entries = [];
        for (int minute = 0; minute < 600; minute++)
        {
            bool isHidden = minute % 40 < 3;
            foreach (Deployment deployment in catalog.Deployments.Values)
            {
                bool fails = (isHidden && deployment.Provider.Name is "azure" or "bedrock") ? isHidden : random.Next(50) == 0;
                LedgerEntry row = Row(entries.Count, deployment, "gpt") with { StartedAt = SampleEntries.Start.AddMinutes(minute) };
                entries.Add(fails ? row with { Outcome = AttemptOutcome.Failed, UpstreamStatus = 503 } : row);
            }
        }

        ExposureAnalysis analysis = ExposureAnalysis.Build(catalog, ComponentMap.Plain, policy: null, SampleDemand.Of(entries));

        SharedFailure hidden = Assert.Single(analysis.SharedFailures);
        Assert.Equal(("azure", "bedrock"), (hidden.One, hidden.Other));
        Assert.InRange(hidden.Phi, 0.7, 1);
        Assert.Contains(analysis.Models.Single(static model => model.Model == "gpt").SinglePoints, static point => point.Name == "common-mode-of-azure-and-bedrock");
    }

    /// <summary>A story of seconds has intervals and a picture of its own, not one point of an hour; a straggler's seconds are not drawn.</summary>
    [Fact]
    public void Build_TrafficOfSeconds_IsToldByItsOwnStretches()
    {
        CatalogSnapshot catalog = SampleCatalog.Create(SampleCatalog.Key("support"));
        Deployment azure = catalog.Deployments["azure/gpt"], claude = catalog.Deployments["anthropic/claude"];
        LedgerEntry[] rows =
        [
            .. Enumerable.Range(0, 1_200).Select(index => Row(index, index % 3 == 0 ? claude : azure, index % 3 == 0 ? "claude" : "gpt") with { StartedAt = SampleEntries.Start.AddMilliseconds(25 * index) }),
            Row(5_000, azure, "gpt") with { StartedAt = SampleEntries.Start.AddSeconds(40) },
        ];

        ExposureAnalysis analysis = ExposureAnalysis.Build(catalog, ComponentMap.Plain, policy: null, SampleDemand.Of(rows));

        Assert.Equal(TimeSpan.FromSeconds(1), analysis.Stretch);
        Assert.Equal(30, analysis.Timeline.Count);
        Assert.All(analysis.Timeline, static point => Assert.InRange(point.Platforms["azure"], 0.55, 0.75));
        ComponentUse anthropic = Use(analysis, ComponentKind.Vendor, "anthropic");
        Assert.InRange(anthropic.Stops, 0.33, 0.34);
        Assert.True(anthropic.StopsInterval.Low < anthropic.Stops && anthropic.StopsInterval.High > anthropic.Stops);
        Assert.InRange(anthropic.StopsPerHour, 45_000, 48_000);
        Assert.Null(anthropic.HourlyMax);
    }

    [Fact]
    public void Ranges_OfAnyTextFile_ContainTheirAddresses()
    {
        CloudRanges ranges = CloudRanges.Parse("""{"prefixes":[{"ip_prefix":"203.0.113.0/24"},{"ipv6_prefix":"2001:db8::/32"}],"note":"not/9a range"}""" + "\n198.51.100.7/32,eu\n");

        Assert.Equal(3, ranges.Count);
        Assert.True(ranges.Contains(IPAddress.Parse("203.0.113.77")));
        Assert.True(ranges.Contains(IPAddress.Parse("::ffff:198.51.100.7")));
        Assert.True(ranges.Contains(IPAddress.Parse("2001:db8:1::1")));
        Assert.False(ranges.Contains(IPAddress.Parse("203.0.114.1")));
    }

    private static LedgerEntry Row(int index, Deployment deployment, string model = "assistant") => SampleEntries.Completed($"e{index}", deployment.Platform, deployment.Vendor) with
    {
        KeyId = "support", RequestedModel = model, Deployment = deployment.Name, Region = deployment.Region, StartedAt = SampleEntries.Start.AddMinutes(index),
    };

    private static ComponentUse Use(ExposureAnalysis analysis, ComponentKind kind, string name) =>
        analysis.Dimensions.Single(dimension => dimension.Kind == kind).Components.Single(use => use.Component.Name == name);
}
