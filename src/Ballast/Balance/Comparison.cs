using Ballast.Catalog;
using Ballast.Ledger;

namespace Ballast.Balance;

/// <summary>Two vendors or platforms side by side, from the organisation's own traffic.</summary>
public sealed record Comparison(ComparisonSide A, ComparisonSide B)
{
    /// <summary>Asks the ledger. Throws <see cref="ArgumentException"/> for a name that nobody knows.</summary>
    /// <param name="reader">The ledger.</param>
    /// <param name="catalog">Tells where else models can be had; null leaves that row out.</param>
    /// <param name="a">A vendor or platform, perhaps with <c>vendor:</c> or <c>platform:</c> before it.</param>
    /// <param name="b">The other one.</param>
    /// <param name="filter">The period.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<Comparison> BuildAsync(
        LedgerReader reader, CatalogSnapshot? catalog, string a, string b, LedgerFilter filter, CancellationToken cancellation = default)
    {
        IReadOnlyList<ShareRow> everything = await reader.SharesAsync(LedgerFilter.Everything, cancellation).ConfigureAwait(false);
        (ComparisonSubject subjectA, ComparisonSubject subjectB) = ComparisonSubject.Resolve(
            a,
            b,
            Names(everything.Select(row => row.Vendor), catalog?.Deployments.Values.Select(item => item.Vendor), profile => profile.IsVendor),
            Names(everything.Select(row => row.Platform), catalog?.Deployments.Values.Select(item => item.Platform), profile => profile.IsPlatform));
        TrafficFigures all = await reader.FiguresAsync(vendor: null, platform: null, filter, cancellation).ConfigureAwait(false);
        return new Comparison(
            await BuildSideAsync(reader, catalog, subjectA, all, filter, cancellation).ConfigureAwait(false),
            await BuildSideAsync(reader, catalog, subjectB, all, filter, cancellation).ConfigureAwait(false));
    }

    /// <summary>By model: which platforms offer it. Two deployments hold the same model when vendor and name agree, a vendor's prefix aside.</summary>
    public static IReadOnlyList<ModelPlaces> FindElsewhere(CatalogSnapshot catalog, ComparisonSubject subject)
    {
        Deployment[] deployments = [.. catalog.Deployments.Values];
        return
        [
            .. deployments
                .Where(new Component(subject.Kind, subject.Name).Holds)
                .Select(deployment => (deployment.Vendor, Name: PlainName(deployment)))
                .Distinct()
                .OrderBy(model => model.Name, StringComparer.Ordinal)
                .Select(model => new ModelPlaces(model.Name,
                [
                    .. deployments
                        .Where(other => other.Vendor == model.Vendor && PlainName(other) == model.Name)
                        .Select(other => other.Platform)
                        .Where(platform => subject.Kind == ComponentKind.Vendor || platform != subject.Name)
                        .Distinct(StringComparer.Ordinal)
                        .Order(StringComparer.Ordinal),
                ])),
        ];
    }

    private static async Task<ComparisonSide> BuildSideAsync(
        LedgerReader reader, CatalogSnapshot? catalog, ComparisonSubject subject, TrafficFigures all, LedgerFilter filter, CancellationToken cancellation)
    {
        bool isVendor = subject.Kind == ComponentKind.Vendor;
        TrafficFigures figures = await reader
            .FiguresAsync(isVendor ? subject.Name : null, isVendor ? null : subject.Name, filter, cancellation)
            .ConfigureAwait(false);
        DeclaredProfile? declared = DeclaredProfiles.All.GetValueOrDefault(subject.Name);
        return new ComparisonSide
        {
            Subject = subject,
            Figures = figures,
            RequestShare = all.Answered == 0 ? null : (double)figures.Answered / all.Answered,
            CostShare = all.CostUsd == 0 ? null : (double)(figures.CostUsd / all.CostUsd),
            Elsewhere = catalog is null ? null : FindElsewhere(catalog, subject),
            Declared = declared is not null && (isVendor ? declared.IsVendor : declared.IsPlatform) ? declared : null,
        };
    }

    private static HashSet<string> Names(IEnumerable<string> seen, IEnumerable<string>? configured, Func<DeclaredProfile, bool> isDeclared) =>
    [
        .. seen, .. configured ?? [], .. DeclaredProfiles.All.Values.Where(isDeclared).Select(profile => profile.Name),
    ];

    /// <summary>Bedrock calls a model <c>openai.gpt-…</c>, other hosts <c>meta/llama-…</c>: the vendor's name before it is no part of the model's.</summary>
    private static string PlainName(Deployment deployment)
    {
        string name = deployment.Model;
        string vendor = deployment.Vendor;
        return name.Length > vendor.Length + 1 && name.StartsWith(vendor, StringComparison.Ordinal) && name[vendor.Length] is '.' or '/'
            ? name[(vendor.Length + 1)..]
            : name;
    }
}
