using Ballast.Catalog;
using Ballast.Balance;
using Ballast.Ledger;

namespace Ballast.Tests.Balance;

public sealed class ExposureReportTests
{
    private static readonly ShareRow[] s_shares =
    [
        new("support", "azure/gpt", "openai", "azure", "sweden", 60, 70, 6_000, 3m),
        new("billing", "bedrock/openai.gpt", "openai", "aws", "frankfurt", 30, 30, 2_000, 1m),
        new("support", "anthropic/claude", "anthropic", "anthropic", "global", 10, 10, 2_000, 0m),
        new("support", "retired/old", "mistral", "retired", "paris", 0, 5, 0, 0m),
    ];

    [Fact]
    public void Build_Traffic_SumsSharesByEachKind()
    {
        ExposureReport report = ExposureReport.Build(SampleCatalog.Create(), s_shares);

        Assert.Equal((100, 10_000, 4m), (report.Requests, report.Tokens, report.CostUsd));
        ComponentExposure openai = report.Of(ComponentKind.Vendor).First();
        Assert.Equal("openai", openai.Component.Name);
        Assert.Equal((90, 8_000, 4m), (openai.Requests, openai.Tokens, openai.CostUsd));
        Assert.Equal((0.9, 0.8, 1.0), (openai.RequestShare!.Value, openai.TokenShare!.Value, openai.CostShare!.Value));
        Assert.Equal(["azure", "aws", "anthropic", "local", "retired"], report.Of(ComponentKind.Platform).Select(item => item.Component.Name));
        Assert.Equal(["azure", "bedrock", "anthropic", "local", "retired"], report.Of(ComponentKind.Provider).Select(item => item.Component.Name));
        Assert.Equal(["sweden", "frankfurt", "global", "home", "paris"], report.Of(ComponentKind.Region).Select(item => item.Component.Name));
        foreach (ComponentKind kind in Component.ConfiguredKinds)
        {
            Assert.Equal(1.0, report.Of(kind).Sum(item => item.RequestShare!.Value), precision: 9);
        }
    }

    [Fact]
    public void Build_ComponentOnlyInTheLedger_IsMarked()
    {
        ExposureReport report = ExposureReport.Build(SampleCatalog.Create(), s_shares);

        Assert.False(report.Of(ComponentKind.Platform).Single(item => item.Component.Name == "retired").IsInCatalog);
        Assert.True(report.Of(ComponentKind.Platform).Single(item => item.Component.Name == "local").IsInCatalog);
    }

    [Fact]
    public void Build_NoTraffic_HasNoSharesAndStillTellsWhatStops()
    {
        ExposureReport report = ExposureReport.Build(SampleCatalog.Create(), []);

        Assert.All(report.Components, item => Assert.Null(item.RequestShare));
        Assert.Equal("claude", report.Of(ComponentKind.Vendor).Single(item => item.Component.Name == "anthropic").Cut.Stopped[0].Model);
        Assert.Equal(3, report.NamedModels);
    }
}
