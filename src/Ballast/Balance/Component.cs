using Ballast.Catalog;
using Ballast.Ledger;

namespace Ballast.Balance;

/// <summary>Something that deployments depend on, by kind and name: it is there for all of them or for none.</summary>
public readonly record struct Component(ComponentKind Kind, string Name)
{
    /// <summary>The deployment stops when this component disappears.</summary>
    public bool Holds(Deployment deployment) => Of(Kind, deployment) == this;

    public static Component Of(ComponentKind kind, Deployment deployment) => new(kind, kind switch
    {
        ComponentKind.Vendor => deployment.Vendor,
        ComponentKind.Platform => deployment.Platform,
        ComponentKind.Region => deployment.Region,
        ComponentKind.Provider => deployment.Provider.Name,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    });

    /// <summary>A provider's own component of that kind; none for the vendor, which only a deployment has.</summary>
    public static IEnumerable<Component> Of(ComponentKind kind, Provider provider) => kind switch
    {
        ComponentKind.Vendor => [],
        ComponentKind.Platform => [new(kind, provider.Platform)],
        ComponentKind.Region => [new(kind, provider.Region)],
        ComponentKind.Provider => [new(kind, provider.Name)],
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>From the ledger, which still knows what the catalog has forgotten.</summary>
    public static Component Of(ComponentKind kind, ShareRow row) => new(kind, kind switch
    {
        ComponentKind.Vendor => row.Vendor,
        ComponentKind.Platform => row.Platform,
        ComponentKind.Region => row.Region,
        ComponentKind.Provider => row.Deployment.Split('/', 2)[0],
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    });
}
