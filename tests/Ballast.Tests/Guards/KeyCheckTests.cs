using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Guards;
using Ballast.Tests.Routing;

namespace Ballast.Tests.Guards;

public class KeyCheckTests
{
    private readonly CatalogSnapshot _catalog = Deployments.Catalog(null, Deployments.Key());

    [Fact]
    public void Find_KnownKey_GivesIt() => Assert.Equal("test", KeyCheck.Find(_catalog, "test-key").Id);

    [Theory]
    [InlineData(null, "ballast_missing_key")]
    [InlineData("", "ballast_missing_key")]
    [InlineData("test-kez", "ballast_invalid_key")]
    [InlineData("test-key ", "ballast_invalid_key")]
    public void Find_AnythingElse_IsRefused(string? key, string code)
    {
        Assert.Equal(code, Assert.Throws<GatewayException>(() => KeyCheck.Find(_catalog, key)).Code);
    }

    [Fact]
    public void Find_KeyLongerThanTheLimit_IsRefused()
    {
        string key = new('\uffff', KeyCheck.KeyCharactersMax + 1);

        Assert.Equal("ballast_invalid_key", Assert.Throws<GatewayException>(() => KeyCheck.Find(_catalog, key)).Code);
        Assert.Throws<GatewayException>(() => KeyCheck.Find(_catalog, key[..KeyCheck.KeyCharactersMax]));
    }
}
