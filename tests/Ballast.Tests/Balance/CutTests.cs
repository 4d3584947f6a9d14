using Ballast.Balance;
using Ballast.Catalog;
using CsCheck;

namespace Ballast.Tests.Balance;

public sealed class CutTests
{
    private static Cut Lose(CatalogSnapshot catalog, ComponentKind kind, string name) => Cut.Of(catalog, new Component(kind, name).Holds);

    [Fact]
    public void Of_OneOfTwoClouds_StopsNothingAndThinsWhatUsedIt()
    {
        Cut cut = Lose(SampleCatalog.Create(), ComponentKind.Platform, "azure");

        Assert.Empty(cut.Stopped);
        Assert.Equal([new ThinnedModel("assistant", 3, 4), new ThinnedModel("gpt", 1, 2)], cut.Thinned);
        Assert.Equal(1, cut.DeploymentsGone);
    }

    [Fact]
    public void Of_VendorBehindTwoClouds_StopsItsModelThoughEitherCloudAloneDoesNot()
    {
        Cut cut = Lose(SampleCatalog.Create(), ComponentKind.Vendor, "openai");

        StoppedModel stopped = Assert.Single(cut.Stopped);
        Assert.Equal(("gpt", true), (stopped.Model, stopped.ForAll));
        Assert.Equal([new ThinnedModel("assistant", 2, 4)], cut.Thinned);
        Assert.Equal(2, cut.DeploymentsGone);
    }

    [Theory]
    [InlineData(ComponentKind.Platform, "anthropic")]
    [InlineData(ComponentKind.Vendor, "anthropic")]
    [InlineData(ComponentKind.Region, "global")]
    [InlineData(ComponentKind.Provider, "anthropic")]
    public void Of_OnlyPlaceOfAModel_StopsIt(ComponentKind kind, string name) =>
        Assert.Equal("claude", Assert.Single(Lose(SampleCatalog.Create(), kind, name).Stopped).Model);

    [Fact]
    public void Of_UnknownComponent_ChangesNothing()
    {
        Cut cut = Lose(SampleCatalog.Create(), ComponentKind.Platform, "elsewhere");

        Assert.Empty(cut.Stopped);
        Assert.Empty(cut.Thinned);
        Assert.Equal(0, cut.DeploymentsGone);
    }

    /// <summary>Claude in the US would be left, but the bank's data may not go there.</summary>
    [Fact]
    public void Of_RemainingCandidateNotLawfulForOneApp_StopsForThatAppOnly()
    {
        DataTerms eu = new("eu", 0, Training: false);
        DataTerms us = new("us", 0, Training: false);
        Deployment home = SampleCatalog.Deployment("azure", "gpt", "openai", "azure", "sweden", eu);
        Deployment abroad = SampleCatalog.Deployment("anthropic", "claude", "anthropic", "anthropic", "global", us);
        CatalogSnapshot catalog = SampleCatalog.Create(
            [home, abroad],
            [SampleCatalog.Key("bank", SampleCatalog.EuropeOnly), SampleCatalog.Key("news")],
            SampleCatalog.Model("assistant", home, abroad));

        StoppedModel stopped = Assert.Single(Lose(catalog, ComponentKind.Platform, "azure").Stopped);
        Assert.Equal(["bank"], stopped.Apps);
        Assert.False(stopped.ForAll);

        Assert.Equal([new ThinnedModel("assistant", 1, 2)], Lose(catalog, ComponentKind.Platform, "anthropic").Thinned);
    }

    [Fact]
    public void Of_AppWithTwoKeys_IsNamedWhereEitherKeyIsLeftWithoutCandidate()
    {
        CatalogSnapshot catalog = SampleCatalog.Create(
            SampleCatalog.Key("bank", SampleCatalog.EuropeOnly, "gpt"), SampleCatalog.Key("bank", null, "claude"));

        Assert.Equal(["bank"], Assert.Single(Lose(catalog, ComponentKind.Vendor, "anthropic").Stopped).Apps);
        Assert.True(Assert.Single(Lose(catalog, ComponentKind.Vendor, "anthropic").Stopped).ForAll);
    }

    [Fact]
    public void Of_KeyThatMayNotAskForTheModel_IsNotStopped()
    {
        CatalogSnapshot catalog = SampleCatalog.Create(SampleCatalog.Key("bank", null, "gpt"), SampleCatalog.Key("news", null, "claude"));

        Assert.Equal(["news"], Assert.Single(Lose(catalog, ComponentKind.Vendor, "anthropic").Stopped).Apps);
    }

    [Fact]
    public void Of_AppThatCouldNotBeAnsweredBefore_IsNotStoppedByTheCut()
    {
        CatalogSnapshot catalog = SampleCatalog.Create(SampleCatalog.Key("bank", SampleCatalog.EuropeOnly), SampleCatalog.Key("news"));

        StoppedModel stopped = Assert.Single(Lose(catalog, ComponentKind.Vendor, "anthropic").Stopped);
        Assert.Equal(["news"], stopped.Apps);
        Assert.True(stopped.ForAll);
    }

    [Fact]
    public void Unanswerable_ModelWithNoLawfulCandidate_IsNamedWithItsApps()
    {
        CatalogSnapshot catalog = SampleCatalog.Create(SampleCatalog.Key("bank", SampleCatalog.EuropeOnly), SampleCatalog.Key("news"));

        StoppedModel model = Assert.Single(Cut.Unanswerable(catalog));
        Assert.Equal("claude", model.Model);
        Assert.Equal(["bank"], model.Apps);
        Assert.Empty(Cut.Unanswerable(SampleCatalog.Create()));
    }

    /// <summary>Brute force over small catalogs: a model stops for an app exactly when no lawful candidate outside the component is left.</summary>
    [Fact]
    public void Of_AnyCatalog_EqualsBruteForce() =>
        (from platforms in Gen.Int[0, 2].Array[1, 4]
         from geos in Gen.Bool.Array[4]
         from picks in Gen.Bool.Array[4].Array[1, 3]
         from europeOnly in Gen.Bool.Array[0, 3]
         from gone in Gen.Int[0, 2]
         select (platforms, geos, picks, europeOnly, gone)).Sample(
            sample =>
            {
                Deployment[] deployments =
                [
                    .. sample.platforms.Select((platform, index) => SampleCatalog.Deployment(
                        $"p{index}", "m", "v", $"cloud{platform}", "r", new DataTerms(sample.geos[index] ? "eu" : "us", 0, Training: false))),
                ];
                Model[] models =
                [
                    .. sample.picks.Select((pick, index) => SampleCatalog.Model(
                        $"model{index}", [.. deployments.Where((_, position) => pick[position])])),
                ];
                ApiKey[] keys =
                [
                    .. sample.europeOnly.Select((only, index) => SampleCatalog.Key($"app{index}", only ? SampleCatalog.EuropeOnly : null)),
                ];
                string cloud = $"cloud{sample.gone}";

                Cut cut = Lose(SampleCatalog.Create(deployments, keys, models), ComponentKind.Platform, cloud);

                foreach (Model model in models)
                {
                    string[] apps = [.. keys.Where(key => Count(model, key, left: false) > 0 && Count(model, key, left: true) == 0).Select(key => key.App)];
                    StoppedModel? stopped = cut.Stopped.SingleOrDefault(item => item.Model == model.Name);
                    if (keys.Length > 0 && keys.Any(key => Count(model, key, left: false) > 0))
                    {
                        Assert.Equal(apps, stopped?.Apps ?? []);
                    }
                }

                int Count(Model model, ApiKey key, bool left) => model.Candidates.Count(candidate =>
                    key.Allow.Allows(candidate.Deployment.Data) && (!left || candidate.Deployment.Platform != cloud));
            });
}
