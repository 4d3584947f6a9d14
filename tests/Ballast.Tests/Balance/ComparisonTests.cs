using Ballast.Catalog;
using Ballast.Balance;
using Ballast.Ledger;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Balance;

public sealed class ComparisonTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("openai", "anthropic", ComponentKind.Vendor, ComponentKind.Vendor)]
    [InlineData("openai", "azure", ComponentKind.Platform, ComponentKind.Platform)]
    [InlineData("meta", "anthropic", ComponentKind.Vendor, ComponentKind.Vendor)]
    [InlineData("azure", "aws", ComponentKind.Platform, ComponentKind.Platform)]
    [InlineData("vendor:openai", "azure", ComponentKind.Vendor, ComponentKind.Platform)]
    [InlineData("platform:openai", "anthropic", ComponentKind.Platform, ComponentKind.Platform)]
    [InlineData("meta", "azure", ComponentKind.Vendor, ComponentKind.Platform)]
    public void Resolve_Names_TakeTheKindThatIsMeant(string a, string b, ComponentKind kindA, ComponentKind kindB)
    {
        HashSet<string> vendors = ["openai", "anthropic", "meta"];
        HashSet<string> platforms = ["openai", "anthropic", "azure", "aws"];

        (ComparisonSubject subjectA, ComparisonSubject subjectB) = ComparisonSubject.Resolve(a, b, vendors, platforms);

        Assert.Equal((kindA, kindB), (subjectA.Kind, subjectB.Kind));
        Assert.Equal(a.Split(':')[^1], subjectA.Name);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("vendor:azure")]
    [InlineData("platform:meta")]
    [InlineData("")]
    public async Task BuildAsync_UnknownName_IsRefusedWithTheKnownOnes(string name)
    {
        await using TestLedger ledger = await TestLedger.WithAsync(SampleEntries.Completed("a1", "mycloud", "mymaker"));

        ArgumentException failure = await Assert.ThrowsAsync<ArgumentException>(
            () => Comparison.BuildAsync(ledger.Reader, null, name, "openai", LedgerFilter.Everything, Cancellation));

        Assert.Contains("mymaker", failure.Message, StringComparison.Ordinal);
        Assert.Contains("mycloud", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BuildAsync_OwnTraffic_GivesPricesSpeedAndShares()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("a1"),
            SampleEntries.Completed("a2", "aws") with { CostUsd = 0.001m, InputCostUsd = 0.0004m },
            SampleEntries.Failed("a3", "aws", 429),
            SampleEntries.Failed("a4", "aws"));

        Comparison comparison = await Comparison.BuildAsync(
            ledger.Reader, SampleCatalog.Create(), "azure", "aws", LedgerFilter.Everything, Cancellation);

        ComparisonSide azure = comparison.A;
        ComparisonSide aws = comparison.B;
        Assert.Equal(0.0002m / 127 * 1_000_000, azure.InputPrice);
        Assert.Equal(0.0003m / 51 * 1_000_000, azure.OutputPrice);
        Assert.Equal(100.0, azure.TokensPerSecond);
        Assert.Equal((0.0, 0.0), (azure.ErrorRate, azure.RateLimitedRate));
        Assert.Equal((1 / 3.0, 1 / 3.0), (aws.ErrorRate, aws.RateLimitedRate));
        Assert.Equal((0.5, 0.5), (azure.RequestShare, aws.RequestShare));
        Assert.Equal(2 / 3.0, aws.CostShare!.Value, precision: 9);
        Assert.Equal("gpt", Assert.Single(aws.Elsewhere!).Model);
        Assert.Equal(["azure"], aws.Elsewhere![0].Platforms);
        Assert.NotNull(aws.Declared);
    }

    [Fact]
    public async Task BuildAsync_NoTraffic_LeavesEveryRateOut()
    {
        await using TestLedger ledger = new();

        ComparisonSide side = (await Comparison.BuildAsync(
            ledger.Reader, null, "openai", "meta", LedgerFilter.Everything, Cancellation)).A;

        Assert.Null(side.InputPrice);
        Assert.Null(side.ErrorRate);
        Assert.Null(side.RefusalRate);
        Assert.Null(side.TokensPerSecond);
        Assert.Null(side.RequestShare);
        Assert.Null(side.CostShare);
        Assert.Null(side.Elsewhere);
    }

    [Fact]
    public void FindElsewhere_Vendor_ListsEveryPlatformOfEachModel()
    {
        ModelPlaces gpt = Assert.Single(Comparison.FindElsewhere(SampleCatalog.Create(), new ComparisonSubject(ComponentKind.Vendor, "openai")));

        Assert.Equal("gpt", gpt.Model);
        Assert.Equal(["aws", "azure"], gpt.Platforms);
    }

    [Fact]
    public void FindElsewhere_ModelOfOnePlatform_IsNowhereElse()
    {
        ModelPlaces llama = Assert.Single(Comparison.FindElsewhere(SampleCatalog.Create(), new ComparisonSubject(ComponentKind.Platform, "local")));

        Assert.Equal("llama", llama.Model);
        Assert.Empty(llama.Platforms);
    }
}
