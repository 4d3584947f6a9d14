using Ballast.Catalog;
using Ballast.Ledger;

namespace Ballast.Balance;

/// <summary>
/// What the organisation hangs on: the share of traffic that each vendor, platform, region and provider carried, and what stops if it
/// disappears (one at a time). Pure: what it is built from is all that it knows.
/// </summary>
public sealed record ExposureReport
{
    /// <summary>By kind; within a kind the largest share first.</summary>
    public required IReadOnlyList<ComponentExposure> Components { get; init; }

    /// <summary>Exchanges answered, over all.</summary>
    public required long Requests { get; init; }
    public required long Tokens { get; init; }
    public required decimal CostUsd { get; init; }

    /// <summary>Named models in the catalog: without any there is nothing that could stop.</summary>
    public required int NamedModels { get; init; }

    /// <summary>Models that some application may ask for and that nothing may lawfully answer even now.</summary>
    public required IReadOnlyList<StoppedModel> Unanswerable { get; init; }

    public IEnumerable<ComponentExposure> Of(ComponentKind kind) => Components.Where(exposure => exposure.Component.Kind == kind);

    public static ExposureReport Build(CatalogSnapshot catalog, IReadOnlyList<ShareRow> shares)
    {
        long requests = shares.Sum(row => row.Requests);
        long tokens = shares.Sum(row => row.Tokens);
        decimal cost = shares.Sum(row => row.CostUsd);
        return new ExposureReport
        {
            Components =
            [
                .. Component.ConfiguredKinds.SelectMany(kind => Find(kind, catalog, shares)
                    .Select(component => Weigh(component, catalog, shares, requests, tokens, cost))
                    .OrderByDescending(exposure => exposure.Requests)
                    .ThenBy(exposure => exposure.Component.Name, StringComparer.Ordinal)),
            ],
            Requests = requests,
            Tokens = tokens,
            CostUsd = cost,
            NamedModels = catalog.ModelOrder.Count(model => !model.IsDeployment),
            Unanswerable = Cut.Unanswerable(catalog),
        };
    }

    private static IEnumerable<Component> Find(ComponentKind kind, CatalogSnapshot catalog, IReadOnlyList<ShareRow> shares) =>
        InCatalog(kind, catalog).Concat(shares.Select(row => LedgerComponent.Of(kind, row))).Distinct();

    /// <summary>A provider that takes any model has no deployments of its own until somebody asks, and still is something to lose.</summary>
    private static IEnumerable<Component> InCatalog(ComponentKind kind, CatalogSnapshot catalog) =>
        catalog.Deployments.Values.Select(deployment => Component.Of(kind, deployment))
            .Concat(catalog.Providers.Values.SelectMany(provider => Component.Of(kind, provider)));

    private static ComponentExposure Weigh(
        Component component, CatalogSnapshot catalog, IReadOnlyList<ShareRow> shares, long requests, long tokens, decimal cost)
    {
        ShareRow[] own = [.. shares.Where(row => LedgerComponent.Of(component.Kind, row) == component)];
        long ownRequests = own.Sum(row => row.Requests);
        long ownTokens = own.Sum(row => row.Tokens);
        decimal ownCost = own.Sum(row => row.CostUsd);
        return new ComponentExposure
        {
            Component = component,
            Requests = ownRequests,
            Tokens = ownTokens,
            CostUsd = ownCost,
            RequestShare = requests == 0 ? null : (double)ownRequests / requests,
            TokenShare = tokens == 0 ? null : (double)ownTokens / tokens,
            CostShare = cost == 0 ? null : (double)(ownCost / cost),
            IsInCatalog = InCatalog(component.Kind, catalog).Contains(component),
            Cut = Cut.Of(catalog, component.Holds),
        };
    }
}
