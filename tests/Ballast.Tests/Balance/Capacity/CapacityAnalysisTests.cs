using Ballast.Balance;
using Ballast.Balance.Capacity;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Configuration.Policies;
using Ballast.Ledger;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Balance.Capacity;

/// <summary>Whether there is room elsewhere: a thousand tokens a minute on Azure, and quotas of all kinds.</summary>
public class CapacityAnalysisTests
{
    private static readonly Component s_azure = new(ComponentKind.Platform, "azure");

    [Theory]
    [InlineData(400L, null, 0.4)]
    [InlineData(5_000L, null, 1.0)]
    [InlineData(null, 3L, 0.3)]
    [InlineData(900L, 2L, 0.2)]
    public void Without_KnownQuota_CarriesWhatItAllows(long? tokens, long? requests, double carried)
    {
        ExposureAnalysis analysis = Analyse(aws => aws with { Quota = new QuotaOptions(requests, tokens) });

        Survived left = Assert.Single(analysis.Capacity, static left => left.Gone.SequenceEqual([s_azure])).Peak;
        Assert.True(left.IsKnown);
        Assert.Equal(carried, left.High, precision: 6);
        Assert.Equal(carried, Use(analysis).Room, precision: 6);
        Assert.Equal(1 - carried, Use(analysis).Stops, precision: 6);
        Assert.Equal(600 * (1 - carried), Use(analysis).StopsPerHour, precision: 6);
    }

    [Fact]
    public void Without_UnknownQuota_IsAnIntervalAndNeverZero()
    {
        ExposureAnalysis analysis = Analyse(static aws => aws);

        Survived left = Assert.Single(analysis.Capacity, static left => left.Gone.SequenceEqual([s_azure])).Peak;
        Assert.False(left.IsKnown);
        Assert.Equal((0, 1), (left.Low, left.High));
        Assert.Equal(["azure/gpt", "bedrock/gpt"], analysis.UnknownQuotas);
        Assert.Equal((1, 0), (Use(analysis).Room, Use(analysis).Stops));
    }

    [Fact]
    public void Without_AccountsQuota_CountsForAllItsDeploymentsTogether()
    {
        ExposureAnalysis analysis = Analyse(static aws => aws with { Provider = aws.Provider with { Quota = new QuotaOptions(null, 250) } });

        Assert.Equal(0.25, Assert.Single(analysis.Capacity, static left => left.Gone.SequenceEqual([s_azure])).Median.High, precision: 6);
        Assert.Equal(["azure/gpt"], analysis.UnknownQuotas);
    }

    [Fact]
    public void Quotas_DeclaredGoesBeforeObserved_AndTheLastObservedCounts()
    {
        Deployment aws = Aws();
        Quotas quotas = new([Told("bedrock/gpt", """{"tokens_per_minute":1}"""), Told("bedrock/gpt", """{"requests_per_minute":7,"tokens_per_minute":300}"""), Told("x", "[]")]);

        Assert.Equal(new Quota(7, 300, Provenance.Observed), quotas.Of(aws));
        Assert.Equal(new Quota(null, 900, Provenance.Declared), quotas.Of(aws with { Quota = new QuotaOptions(null, 900) }));
        Assert.Null(Quotas.Declared.Of(aws));
        Assert.Equal(0.3, Assert.Single(Analyse(static same => same, quotas: quotas).Capacity, static left => left.Gone.SequenceEqual([s_azure])).Peak.High, precision: 6);
    }

    [Theory]
    [InlineData(400L, 0.5, false)]
    [InlineData(600L, 0.5, true)]
    [InlineData(null, 0.5, null)]
    public void Survival_OfAPolicy_IsHeldAgainstTheMeasuredDemand(long? tokens, double keep, bool? holds)
    {
        PolicyOptions policy = new()
        {
            Name = "p", Version = 1,
            Scopes = [new PolicyScopeOptions { Id = "org", Survive = [new SurvivalOptions { Id = "n-1", Any = ["platform"], Keep = keep }] }],
        };

        SurvivalCheck check = Assert.Single(Analyse(aws => aws with { Quota = tokens is null ? null : new QuotaOptions(null, tokens) }, policy).Survival);

        Assert.Equal(holds, check.Holds);
        Assert.Equal("platform:azure", check.Worst?.ToString());
    }

    [Fact]
    public void Survival_ScopeWithoutTraffic_IsNotKnown()
    {
        PolicyOptions policy = new()
        {
            Name = "p", Version = 1,
            Scopes = [new PolicyScopeOptions { Id = "o", Match = new PolicyMatch { Apps = ["other"] }, Survive = [new SurvivalOptions { Id = "n-1", Any = ["platform"], Keep = 0.5 }] }],
        };

        Assert.Null(Assert.Single(Analyse(static aws => aws, policy).Survival).Holds);
    }

    private static ExposureAnalysis Analyse(Func<Deployment, Deployment> change, PolicyOptions? policy = null, Quotas? quotas = null)
    {
        Deployment azure = SampleCatalog.Deployment("azure", "gpt", "openai", "azure", "sweden", new DataTerms("eu", 0, Training: false));
        Deployment aws = change(Aws());
        CatalogSnapshot catalog = SampleCatalog.Create([azure, aws], [SampleCatalog.Key("support")], SampleCatalog.Model("gpt", azure, aws));
        return ExposureAnalysis.Build(catalog, ComponentMap.Plain, policy, SampleDemand.Of([.. Enumerable.Range(0, 600).Select(Row)]), quotas);
    }

    private static Deployment Aws() => SampleCatalog.Deployment("bedrock", "gpt", "openai", "aws", "frankfurt", new DataTerms("eu", 0, Training: false));

    /// <summary>Ten requests of 100 tokens each minute.</summary>
    private static LedgerEntry Row(int index) => SampleEntries.Completed($"e{index}", "azure") with
    {
        KeyId = "support", RequestedModel = "gpt", Deployment = "azure/gpt", StartedAt = SampleEntries.Start.AddSeconds(6 * index),
        InputTokens = 80, CacheReadTokens = 0, CacheWriteTokens = 0, CacheWriteLongTokens = 0, OutputTokens = 20,
    };

    private static LedgerEvent Told(string deployment, string body) => new() { Id = "q", At = SampleEntries.Start, Kind = LedgerEvent.Quota, Subject = deployment, Body = body };

    private static ComponentUse Use(ExposureAnalysis analysis) => analysis.Dimensions.Single(static dimension => dimension.Kind == ComponentKind.Platform).Components.Single(static use => use.Component == s_azure);
}
