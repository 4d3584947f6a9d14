using Ballast.Configuration.Policies;

namespace Ballast.Catalog;

/// <summary>Makes the component graph of what was written: parties become links to their owners and jurisdictions.</summary>
public static class ComponentMapBuilder
{
    public static ComponentMap Build(ComponentGraphOptions written, IEnumerable<ComponentLink>? observed = null) => new(
        [
            .. written.Links.Select(static link => new ComponentLink(Of(link.When), Of(link.Needs), ProvenanceOf(link.Provenance), link.Source)),
            .. written.Parties.SelectMany(LinksOf),
            .. observed ?? [],
        ],
        [.. written.Gateway.Select(static component => new ComponentEdge(Of(component), Provenance.Declared, ComponentGraphLoader.FileName))]);

    public static Component Of(WrittenComponent written) =>
        new(ComponentKindName.Find(written.Kind) ?? throw new ArgumentException($"'{written.Kind}' is no kind of component.", nameof(written)), written.Name);

    private static IEnumerable<ComponentLink> LinksOf(WrittenParty party)
    {
        Component self = new(ComponentKind.Party, party.Name);
        if (party.Parent is { } parent)
        {
            yield return new ComponentLink(self, new Component(ComponentKind.Party, parent), Provenance.Declared, "owner");
        }

        if (party.Jurisdiction is { } jurisdiction)
        {
            yield return new ComponentLink(self, new Component(ComponentKind.Jurisdiction, jurisdiction), Provenance.Declared, "jurisdiction");
        }
    }

    private static Provenance ProvenanceOf(string word) => word switch
    {
        "contract" => Provenance.Contract,
        "assumed" => Provenance.Assumed,
        _ => Provenance.Declared,
    };
}
