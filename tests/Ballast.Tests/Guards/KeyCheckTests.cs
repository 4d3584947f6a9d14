using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Guards;
using Ballast.Tests.Routing;

namespace Ballast.Tests.Guards;

public class KeyCheckTests
{
    private readonly CatalogSnapshot _catalog = Deployments.Catalog(null, Deployments.Key());

    [Fact]
    public void Find_KnownKey_GivesIt() => Assert.Equal("test", Find("test-key").Id);

    [Theory]
    [InlineData(null, "ballast_missing_key")]
    [InlineData("", "ballast_missing_key")]
    [InlineData("test-kez", "ballast_invalid_key")]
    [InlineData("test-key ", "ballast_invalid_key")]
    public void Find_AnythingElse_IsRefused(string? key, string code)
    {
        Assert.Equal(code, Assert.Throws<GatewayException>(() => Find(key)).Code);
    }

    [Fact]
    public void Find_KeyLongerThanTheLimit_IsRefused()
    {
        string key = new('\uffff', KeyCheck.KeyCharactersMax + 1);

        Assert.Equal("ballast_invalid_key", Assert.Throws<GatewayException>(() => Find(key)).Code);
        Assert.Throws<GatewayException>(() => Find(key[..KeyCheck.KeyCharactersMax]));
    }

    [Fact]
    public void Find_SameHeaderAgain_GivesTheSameKey()
    {
        string header = new("Bearer test-key".AsSpan());

        ApiKey first = KeyCheck.Find(_catalog, header.AsMemory(7));

        Assert.Same(first, KeyCheck.Find(_catalog, header.AsMemory(7)));
        Assert.Same(first, KeyCheck.Find(_catalog, new string(header.AsSpan()).AsMemory(7)));
    }

    [Fact]
    public void Find_AnotherPartOfAKnownHeader_IsRefused()
    {
        string header = new("Bearer test-key".AsSpan());
        KeyCheck.Find(_catalog, header.AsMemory(7));

        Assert.Equal("ballast_invalid_key", Assert.Throws<GatewayException>(() => KeyCheck.Find(_catalog, header.AsMemory(6))).Code);
        Assert.Equal("ballast_invalid_key", Assert.Throws<GatewayException>(() => KeyCheck.Find(_catalog, header.AsMemory(7, 7))).Code);
    }

    [Fact]
    public void Find_KeyTakenOutOfTheCatalog_IsRefusedOnAStandingConnection()
    {
        string header = new("test-key".AsSpan());
        KeyCheck.Find(_catalog, header.AsMemory());
        CatalogSnapshot reloaded = Deployments.Catalog(null);

        Assert.Equal("ballast_invalid_key", Assert.Throws<GatewayException>(() => KeyCheck.Find(reloaded, header.AsMemory())).Code);
        Assert.Equal("test", KeyCheck.Find(_catalog, header.AsMemory()).Id);
    }

    [Fact]
    public void Find_KeyAddedAfterItWasRefused_GivesIt()
    {
        string header = new("test-key".AsSpan());
        Assert.Throws<GatewayException>(() => KeyCheck.Find(Deployments.Catalog(null), header.AsMemory()));

        Assert.Equal("test", KeyCheck.Find(_catalog, header.AsMemory()).Id);
    }

    private ApiKey Find(string? key) => KeyCheck.Find(_catalog, key.AsMemory());
}
