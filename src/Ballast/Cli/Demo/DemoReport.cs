using System.Text;
using Ballast.Balance;
using Ballast.Catalog;
using Ballast.Ledger;
using Ballast.Routing.Shares;

namespace Ballast.Cli.Demo;

/// <summary>The page for those who decide, as <c>ballast exposure --html</c> makes it, of the demo's own ledger.</summary>
internal static class DemoReport
{
    public const string FileDefault = "ballast-demo.html";

    /// <returns>Where it lies; null where no place could be written to, which is told.</returns>
    public static async Task<string?> WriteAsync(DemoSettings settings, DemoHouse house, TextWriter errors)
    {
        SharePolicy policy = house.Watch.Policy;
        LedgerReader ledger = new(house.LedgerPath);
        LedgerFilter run = new(Since: house.StartedAt);
        DemandReport demand = await ledger.DemandAsync(run, ExposureAnalysis.MinutesMax).ConfigureAwait(false);
        IReadOnlyList<DemandCell> cells = await ledger.DemandCellsAsync(LimitCheck.Stretch, run).ConfigureAwait(false);
        CatalogSnapshot catalog = house.Server.Catalog.Current;
        ExposureAnalysis analysis = ExposureAnalysis.Build(catalog, ComponentMap.Plain, policy.Options, demand);
        IReadOnlyList<Relaxation> relaxations = [.. house.Relaxations.Read().Where(one => one.LastAt >= house.StartedAt)];
        string period = $"The demo of {ReportFormat.Moment(house.StartedAt, "")}";
        byte[] page = Encoding.UTF8.GetBytes(new ExposurePage(new ExposureFindings(analysis, policy, LimitCheck.Of(policy, catalog, cells, relaxations), relaxations, [], []), period).Write());

        // Where the demo was started, so that it is found; where nothing may be written there, where the system keeps temporary files.
        string[] places = settings.ReportPath is { } asked ? [asked] : [FileDefault, Path.Combine(Path.GetTempPath(), FileDefault)];
        foreach (string place in places)
        {
            try
            {
                string path = Path.GetFullPath(place);
                await File.WriteAllBytesAsync(path, page).ConfigureAwait(false);
                return path;
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                errors.WriteLine($"The report could not be written to {place}: {fault.Message}");
            }
        }

        return null;
    }
}
