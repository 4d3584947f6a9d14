using System.Globalization;
using System.Text;
using Ballast.Balance;
using Ballast.Balance.Shifts;
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
        (string compared, IReadOnlyList<RecordedShift> shifts) = await ShiftsAsync(house, ledger, settings).ConfigureAwait(false);
        WeightsBeside beside = new(house.Watch.Story(demand.Stretch), house.Watch.Acts(), house.Watch.Standing(), compared);
        ExposureFindings found = new(analysis, policy, LimitCheck.Of(policy, catalog, cells, relaxations), relaxations, shifts, []);
        byte[] page = Encoding.UTF8.GetBytes(new ExposurePage(found, period, beside).Write());

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

    /// <summary>The quarter in which Azure is gone against the one before it, in stretches short enough for a story of seconds.</summary>
    private static async Task<(string Compared, IReadOnlyList<RecordedShift> Shifts)> ShiftsAsync(DemoHouse house, LedgerReader ledger, DemoSettings settings)
    {
        const int stretches = 11;
        IReadOnlyList<(DateTimeOffset At, string Name)> acts = house.Watch.Acts();
        DateTimeOffset? gone = Begin(DemoStory.Outage), back = Begin(DemoStory.Recovered);
        TimeSpan stretch = TimeSpan.FromMilliseconds(100 * Math.Max(1, Math.Round(settings.Seconds * 2.5 / stretches)));
        string compared = string.Create(CultureInfo.InvariantCulture, $"the quarter in which Azure was gone and the one before it, over stretches of {stretch.TotalSeconds:0.0} seconds, by Welch's t-test");
        if (gone is null || back is null)
        {
            return (compared, []);
        }

        // Stretches lie on the clock: the windows meet where one ends.
        DateTimeOffset middle = new(gone.Value.UtcTicks - (gone.Value.UtcTicks % stretch.Ticks), TimeSpan.Zero);
        LedgerFilter both = new(middle - (back.Value - middle), back);
        ShiftAnalysis analysis = ShiftAnalysis.Build(await ledger.BucketsAsync(stretch, both).ConfigureAwait(false), middle, await ledger.SharesAsync(both).ConfigureAwait(false));
        return (compared, ShiftEvents.Read([.. analysis.Found.Select(shift => ShiftEvents.Write(shift, back.Value))]));

        DateTimeOffset? Begin(string name) => acts.Where(act => act.Name == name).Select(static act => (DateTimeOffset?)act.At).FirstOrDefault();
    }
}
