namespace Ballast.Catalog;

/// <summary>How it is known that something depends on something.</summary>
public enum Provenance
{
    /// <summary>Somebody wrote it down.</summary>
    Declared,

    /// <summary>A contract says so.</summary>
    Contract,

    /// <summary>It was seen in traffic or in addresses.</summary>
    Observed,

    /// <summary>It was concluded from a name.</summary>
    Assumed,
}

/// <summary>One thing that a deployment cannot do without.</summary>
/// <param name="Component">What it is.</param>
/// <param name="Provenance">How that is known.</param>
/// <param name="Source">From where, for people.</param>
public sealed record ComponentEdge(Component Component, Provenance Provenance, string Source);

/// <summary>A declared dependency: what has <paramref name="When"/> needs <paramref name="Needs"/> too.</summary>
public sealed record ComponentLink(Component When, Component Needs, Provenance Provenance, string Source);

/// <summary>
/// The component graph: a deployment needs all of its components (AND), a model needs one of its deployments (OR). Beside what the configuration says come declared,
/// contracted and observed links, followed to their end: a platform's party, its owner, the owner's jurisdiction.
/// </summary>
public sealed class ComponentMap(IReadOnlyList<ComponentLink> links, IReadOnlyList<ComponentEdge> gateway)
{
    public static ComponentMap Plain { get; } = new([], []);

    /// <summary>What Ballast itself cannot do without: its host, its database.</summary>
    public IReadOnlyList<ComponentEdge> Gateway { get; } = Close([.. gateway], links);

    public IReadOnlyList<ComponentLink> Links { get; } = links;

    /// <summary>Everything that this deployment needs, each component once.</summary>
    public IReadOnlyList<ComponentEdge> Of(Deployment deployment)
    {
        bool isFamilyDeclared = Links.Any(link => link.Needs.Kind == ComponentKind.Family && link.When.Kind is ComponentKind.Deployment && link.When.Name == deployment.Name);
        List<ComponentEdge> edges =
        [
            .. Component.ConfiguredKinds.Select(kind => new ComponentEdge(Component.Of(kind, deployment), Provenance.Declared, "configuration")),
            new(Component.Of(ComponentKind.Deployment, deployment), Provenance.Declared, "configuration"),
        ];
        if (!isFamilyDeclared)
        {
            edges.Add(new ComponentEdge(Component.Of(ComponentKind.Family, deployment), Provenance.Assumed, "the model's name"));
        }

        return Close(edges, Links);
    }

    public bool Depends(Deployment deployment, Component component) => Of(deployment).Any(edge => edge.Component == component);

    private static List<ComponentEdge> Close(List<ComponentEdge> edges, IReadOnlyList<ComponentLink> links)
    {
        HashSet<Component> known = [.. edges.Select(static edge => edge.Component)];
        for (int next = 0; next < edges.Count; next++)
        {
            foreach (ComponentLink link in links)
            {
                if (link.When == edges[next].Component && known.Add(link.Needs))
                {
                    edges.Add(new ComponentEdge(link.Needs, link.Provenance, link.Source));
                }
            }
        }

        return edges;
    }
}
