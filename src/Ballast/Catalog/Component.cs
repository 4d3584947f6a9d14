namespace Ballast.Catalog;

/// <summary>Something that deployments depend on, by kind and name: it is there for all of them or for none.</summary>
public readonly record struct Component(ComponentKind Kind, string Name)
{
    /// <summary>The kinds that every deployment has by its configuration alone, and that the ledger remembers.</summary>
    public static IReadOnlyList<ComponentKind> ConfiguredKinds { get; } =
        [ComponentKind.Vendor, ComponentKind.Platform, ComponentKind.Region, ComponentKind.Provider];

    /// <summary>The deployment stops when this component disappears, by its configuration alone; what is declared beside it is in the component graph.</summary>
    public bool Holds(Deployment deployment) => Of(Kind, deployment) == this;

    /// <summary>By its configuration alone.</summary>
    public static Component Of(ComponentKind kind, Deployment deployment) => new(kind, kind switch
    {
        ComponentKind.Vendor => deployment.Vendor,
        ComponentKind.Platform => deployment.Platform,
        ComponentKind.Region => deployment.Region,
        ComponentKind.Provider => deployment.Provider.Name,
        ComponentKind.Family => ModelFamily.Of(deployment.Model),
        ComponentKind.Deployment => deployment.Name,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    });

    /// <summary>A provider's own component of that kind; none for the vendor, which only a deployment has.</summary>
    public static IEnumerable<Component> Of(ComponentKind kind, Provider provider) => kind switch
    {
        ComponentKind.Platform => [new(kind, provider.Platform)],
        ComponentKind.Region => [new(kind, provider.Region)],
        ComponentKind.Provider => [new(kind, provider.Name)],
        _ => [],
    };

    public override string ToString() => $"{ComponentKindName.Of(Kind)}:{Name}";
}

/// <summary>The words by which kinds of components are called in files and reports.</summary>
public static class ComponentKindName
{
    /// <summary>All of them, in the order of the enumeration.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Enum.GetValues<ComponentKind>().Select(Of)];

    public static string Of(ComponentKind kind) => kind switch
    {
        ComponentKind.Vendor => "vendor",
        ComponentKind.Platform => "platform",
        ComponentKind.Region => "region",
        ComponentKind.Provider => "provider",
        ComponentKind.Family => "family",
        ComponentKind.Network => "network",
        ComponentKind.Party => "party",
        ComponentKind.Jurisdiction => "jurisdiction",
        ComponentKind.Deployment => "deployment",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Null for a word that names none.</summary>
    public static ComponentKind? Find(string word)
    {
        foreach (ComponentKind kind in Enum.GetValues<ComponentKind>())
        {
            if (Of(kind) == word)
            {
                return kind;
            }
        }

        return null;
    }
}
