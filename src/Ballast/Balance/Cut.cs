using Ballast.Catalog;

namespace Ballast.Balance;

/// <summary>
/// What is left of a catalog when some deployments are gone. The question may be any predicate, so that cuts of two components, or of what they
/// hang on together, are asked in the same way.
/// </summary>
public sealed record Cut
{
    /// <summary>Deployments that are gone.</summary>
    public required int DeploymentsGone { get; init; }

    /// <summary>Models that some or all applications can no longer be answered for.</summary>
    public required IReadOnlyList<StoppedModel> Stopped { get; init; }

    /// <summary>Models that go on for all who could use them, with fewer candidates.</summary>
    public required IReadOnlyList<ThinnedModel> Thinned { get; init; }

    /// <summary>
    /// Looks at named models only: a deployment addressed by its own name has no substitute by definition. Per API key, only candidates that its data
    /// may lawfully be sent to count; a model that a key could not use before is not stopped by the cut.
    /// </summary>
    public static Cut Of(CatalogSnapshot catalog, Func<Deployment, bool> isGone)
    {
        List<StoppedModel> stopped = [];
        List<ThinnedModel> thinned = [];
        foreach (Model model in catalog.ModelOrder.Where(model => !model.IsDeployment))
        {
            Deployment[] candidates = [.. model.Candidates.Select(candidate => candidate.Deployment)];
            if (!candidates.Any(isGone))
            {
                continue;
            }

            if (Stop(model, candidates, Callers(catalog), isGone) is { } stop)
            {
                stopped.Add(stop);
            }
            else
            {
                thinned.Add(new ThinnedModel(model.Name, candidates.Count(candidate => !isGone(candidate)), candidates.Length));
            }
        }

        return new Cut { DeploymentsGone = catalog.Deployments.Values.Count(isGone), Stopped = stopped, Thinned = thinned };
    }

    /// <summary>Models that an application may ask for and that no candidate may lawfully answer, nothing having disappeared.</summary>
    public static IReadOnlyList<StoppedModel> Unanswerable(CatalogSnapshot catalog) =>
    [
        .. catalog.ModelOrder
            .Where(model => !model.IsDeployment)
            .Select(model => (Model: model, Apps: Apps(Callers(catalog).Where(caller =>
                caller.MayAsk(model) && !model.Candidates.Any(candidate => caller.MayUse(candidate.Deployment))))))
            .Where(pair => pair.Apps.Count > 0)
            .Select(pair => new StoppedModel(pair.Model.Name, pair.Apps, ForAll: false)),
    ];

    private static StoppedModel? Stop(Model model, Deployment[] candidates, IReadOnlyList<Caller> callers, Func<Deployment, bool> isGone)
    {
        Caller[] before = [.. callers.Where(caller => caller.MayAsk(model) && candidates.Any(caller.MayUse))];
        Caller[] lost = [.. before.Where(caller => candidates.All(candidate => isGone(candidate) || !caller.MayUse(candidate)))];
        if (lost.Length > 0)
        {
            return new StoppedModel(model.Name, Apps(lost), ForAll: lost.Length == before.Length);
        }

        // Nobody holds a key for it today; that it would stop is still worth knowing.
        return before.Length == 0 && candidates.All(isGone) ? new StoppedModel(model.Name, [], ForAll: true) : null;
    }

    private static IReadOnlyList<string> Apps(IEnumerable<Caller> callers) =>
        [.. callers.Where(caller => caller.App.Length > 0).Select(caller => caller.App).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>A gateway without keys serves one nameless caller whose data may go anywhere.</summary>
    private static IReadOnlyList<Caller> Callers(CatalogSnapshot catalog) => catalog.Keys.Count == 0
        ? [new Caller("", DataAllowance.Everything, Models: null)]
        : [.. catalog.Keys.Select(key => new Caller(key.App, key.Allow, key.Models))];

    private sealed record Caller(string App, DataAllowance Allow, IReadOnlySet<string>? Models)
    {
        public bool MayAsk(Model model) => Models is null || Models.Contains(model.Name);

        public bool MayUse(Deployment deployment) => Allow.Allows(deployment.Data);
    }
}
