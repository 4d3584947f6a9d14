using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Guards;
using Ballast.Protocols;
using Ballast.Tests.Routing;

namespace Ballast.Tests.Guards;

public class KeyDirectoryTests
{
    private readonly Guard _guard = new();
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
        string key = new('\uffff', KeyDirectory.KeyCharactersMax + 1);

        Assert.Equal("ballast_invalid_key", Assert.Throws<GatewayException>(() => Find(key)).Code);
        Assert.Throws<GatewayException>(() => Find(key[..KeyDirectory.KeyCharactersMax]));
    }

    [Fact]
    public void Find_SameHeaderAgain_GivesTheSameKey()
    {
        string header = new("Bearer test-key".AsSpan());

        ApiKey first = Find(_catalog, header.AsMemory(7));

        Assert.Same(first, Find(_catalog, header.AsMemory(7)));
        Assert.Same(first, Find(_catalog, new string(header.AsSpan()).AsMemory(7)));
    }

    [Fact]
    public void Find_AnotherPartOfAKnownHeader_IsRefused()
    {
        string header = new("Bearer test-key".AsSpan());
        Find(_catalog, header.AsMemory(7));

        Assert.Equal("ballast_invalid_key", Assert.Throws<GatewayException>(() => Find(_catalog, header.AsMemory(6))).Code);
        Assert.Equal("ballast_invalid_key", Assert.Throws<GatewayException>(() => Find(_catalog, header.AsMemory(7, 7))).Code);
    }

    [Fact]
    public void Find_KeyTakenOutOfTheCatalog_IsRefusedOnAStandingConnection()
    {
        string header = new("test-key".AsSpan());
        Find(_catalog, header.AsMemory());
        CatalogSnapshot reloaded = Deployments.Catalog(null);

        Assert.Equal("ballast_invalid_key", Assert.Throws<GatewayException>(() => Find(reloaded, header.AsMemory())).Code);
        Assert.Equal("test", Find(_catalog, header.AsMemory()).Id);
    }

    [Fact]
    public void Find_KeyAddedAfterItWasRefused_GivesIt()
    {
        string header = new("test-key".AsSpan());
        Assert.Throws<GatewayException>(() => Find(Deployments.Catalog(null), header.AsMemory()));

        Assert.Equal("test", Find(_catalog, header.AsMemory()).Id);
    }

    private ApiKey Find(string? key) => Find(_catalog, key.AsMemory());

    /// <summary>As a request is judged.</summary>
    private ApiKey Find(CatalogSnapshot catalog, ReadOnlyMemory<char> key)
    {
        Exchange exchange = new(ProtocolList.OpenAIChat, Operation.Chat, catalog, TimeProvider.System);
        _guard.Admit(exchange, key);
        _guard.Settle(exchange);
        return exchange.Key;
    }
}
