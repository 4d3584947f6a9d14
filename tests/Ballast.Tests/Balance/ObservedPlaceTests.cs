using System.Net;
using System.Net.Sockets;
using Ballast.Balance;
using Ballast.Catalog;
using Ballast.Routing.Shares;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Balance;

/// <summary>Where accounts' addresses lie, by range files in the folder of policies.</summary>
public sealed class ObservedPlaceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Find_AddressInAnotherCloudsRange_IsALinkAndAMismatch()
    {
        IReadOnlyList<ObservedPlace> places = await FindAsync(new() { ["direct.example"] = "203.0.113.9", ["azure.example"] = "198.51.100.1" });

        ObservedPlace direct = places.Single(static place => place.Provider.Name == "direct");
        Assert.Equal("platform:aws", Assert.Single(direct.Mismatches).ToString());
        Assert.Empty(places.Single(static place => place.Provider.Name == "azure").Found);
        ComponentMap map = new([.. places.SelectMany(static place => place.ToLinks())], []);
        ComponentEdge hidden = map.Of(Deployments()[0]).Single(static edge => edge.Component == new Component(ComponentKind.Platform, "aws"));
        Assert.Equal(Provenance.Observed, hidden.Provenance);
    }

    [Fact]
    public async Task Find_NameThatCannotBeFound_SaysSo() =>
        Assert.All(await FindAsync([]), static place => Assert.NotNull(place.Fault));

    [Fact]
    public void ReadRanges_FileWithoutRanges_IsSaidWithItsPath()
    {
        File.WriteAllText(_folder.File("aws.json"), "nothing");

        Assert.Contains("aws.json holds no address range", Assert.Throws<FormatException>(() => ObservedPlace.ReadRanges(Folder())).Message, StringComparison.Ordinal);
    }

    private async Task<IReadOnlyList<ObservedPlace>> FindAsync(Dictionary<string, string> names)
    {
        await File.WriteAllTextAsync(_folder.File("aws.json"), """{"prefixes":[{"ip_prefix":"203.0.113.0/24"}]}""", TestContext.Current.CancellationToken);
        return await ObservedPlace.FindAsync(
            SampleCatalog.Create(Deployments(), []), ObservedPlace.ReadRanges(Folder()),
            (host, _) => names.TryGetValue(host, out string? address) ? Task.FromResult<IPAddress[]>([IPAddress.Parse(address)]) : throw new SocketException(), TestContext.Current.CancellationToken);
    }

    private PolicyFolder Folder()
    {
        File.WriteAllText(_folder.File("components.yaml"), "apiVersion: ballast/v1\nkind: ComponentGraph\nranges:\n  - { component: { platform: aws }, file: aws.json }\n");
        return new PolicyFolder(Path.GetDirectoryName(_folder.File("components.yaml"))!);
    }

    private static Deployment[] Deployments() => [At("direct", "anthropic"), At("azure", "azure")];

    private static Deployment At(string provider, string platform)
    {
        Deployment made = SampleCatalog.Deployment(provider, "claude", "anthropic", platform, "global", new DataTerms("eu", 0, Training: false));
        return made with { Provider = made.Provider with { BaseAddress = new Uri($"https://{provider}.example/v1") } };
    }
}
