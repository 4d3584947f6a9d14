using System.CommandLine;
using Ballast.Balance;
using Ballast.Balance.Capacity;
using Ballast.Balance.Shifts;
using Ballast.Catalog;
using Ballast.Configuration.Policies;
using Ballast.Ledger;
using Ballast.Routing.Shares;

namespace Ballast.Cli;

/// <summary><c>ballast exposure</c>: shares of traffic, and what stops if a vendor, platform, region or provider disappears.</summary>
public static class ExposureCommand
{
    /// <summary>Events of shifts read at most, the newest.</summary>
    private const int ShiftsMax = 5_000;

    public static Command Create()
    {
        Command command = new(
            "exposure",
            """
            What you hang on: shares of traffic by vendor, platform, region and provider, and what stops if each disappears.

            Shares come from the ledger: requests answered, tokens, and cost as far as it is known. What stops comes from the
            configuration as it is now: each component is taken away, one at a time, and every named model is looked at with the
            candidates that are left. Only candidates that a key's data may lawfully be sent to count, so a model may stop for
            one application and go on for others. Deployments addressed by their own name have no substitute and are left out.

            Exit code: 0 told, 1 the ledger cannot be read, 2 a wrong argument or a faulty configuration.

            Examples:
              ballast exposure
              ballast exposure --since 7d --config ballast.yaml --md
              ballast exposure --at 2026-11-30 --window 30d --scope credit --html > exposure.html
            """);
        Option<string?> scope = new("--scope") { HelpName = "APP", Description = "Only this application; the same as --app." };
        Option<string?> at = new("--at") { HelpName = "WHEN", Description = $"The window's end: {Period.Forms}. Default: now." };
        Option<string?> window = new("--window") { HelpName = "TIME", Description = "The window's length, such as 30d; the same as --since, before --at." };
        Option<bool> html = new("--html") { Description = "One page for those who decide, with its pictures in it, to look at or to print." };
        foreach (Option option in (Option[])[scope, at, window, html])
        {
            command.Add(option);
        }

        ReportOptions options = new(command);
        command.SetAction((arguments, cancellation) => ReportRequest.RunAsync(arguments, async () =>
        {
            ReportRequest request = Narrow(options.Read(arguments, TimeProvider.System), arguments.GetValue(scope), arguments.GetValue(at), arguments.GetValue(window));
            CatalogSnapshot written = ReportSource.FindCatalog(request) ?? throw new UsageException(
                "What stops is told from the configuration: name it with --config FILE, or set the variables that `ballast serve` was started with (there is no ballast.yaml here, and no provider's variable is set).");
            CatalogSnapshot catalog = await ReportSource.WithMadeKeysAsync(request, written, cancellation).ConfigureAwait(false);
            LedgerReader ledger = ReportSource.OpenLedger(request);
            IReadOnlyList<ShareRow> shares = await ledger.SharesAsync(request.Filter, cancellation).ConfigureAwait(false);
            ExposureFindings measured = await MeasureAsync(request, catalog, ledger, shares, cancellation).ConfigureAwait(false);
            if (arguments.GetValue(html))
            {
                request.Output.Write(new ExposurePage(measured, request.PeriodText).Write());
                return;
            }

            Write(ExposureReport.Build(catalog, shares), request, ledger.Path, measured, shares.Sum(static row => row.Attempts));
        }));
        return command;
    }

    private static ReportRequest Narrow(ReportRequest request, string? scope, string? at, string? window)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        DateTimeOffset? until = at is null ? request.Filter.Until : Period.Read("--at", at, now);
        DateTimeOffset? since = window is not null ? Period.Read("--window", window, until ?? now)
            : at is not null && request.Filter.Since is { } asked && until is { } end ? end - (now - asked) : request.Filter.Since;
        Period.Check(since, window is null ? "--since" : "--window", until, now);
        return request with { Filter = request.Filter with { Since = since, Until = until, App = scope ?? request.Filter.App } };
    }

    private static async Task<ExposureFindings> MeasureAsync(
        ReportRequest request, CatalogSnapshot catalog, LedgerReader ledger, IReadOnlyList<ShareRow> shares, CancellationToken cancellation)
    {
        PolicyFolder folder = ReportSource.FindPolicies(request);
        DemandReport demand = await ledger.DemandAsync(request.Filter, ExposureAnalysis.MinutesMax, cancellation).ConfigureAwait(false);
        IReadOnlyList<Relaxation> relaxations = RelaxationEvents.Read(await ledger.EventsAsync(LedgerEvent.Suspension, LedgerFilter.Everything, RelaxationEvents.ReadMax, cancellation).ConfigureAwait(false));
        relaxations = [.. relaxations.Where(one => (request.Filter.Since is null || one.LastAt >= request.Filter.Since) && (request.Filter.Until is null || one.StartedAt < request.Filter.Until))];
        if (demand.Minutes.Count >= ExposureAnalysis.MinutesMax)
        {
            await request.Error.WriteLineAsync("There is too much traffic to look at every minute of this time: what room is left is told from its earlier part. Ask for a shorter one.").ConfigureAwait(false);
        }

        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        Quotas quotas = new(await ledger.EventsAsync(LedgerEvent.Quota, new LedgerFilter(Since: now - Quotas.ObservedFor), Quotas.EventsMax, cancellation).ConfigureAwait(false));
        IReadOnlyList<RecordedShift> shifts = await ShiftsAsync(request, catalog, ledger, shares, now, cancellation).ConfigureAwait(false);
        try
        {
            IReadOnlyList<ObservedPlace> places = await ObservedPlace.FindAsync(catalog, ObservedPlace.ReadRanges(folder), System.Net.Dns.GetHostAddressesAsync, cancellation).ConfigureAwait(false);
            ComponentMap declared = folder.ReadComponents(out _);
            ComponentMap components = new([.. declared.Links, .. places.SelectMany(static place => place.ToLinks())], declared.Gateway);
            PolicyActivation? active = folder.Current();
            PolicyOptions? options = active is null ? null : PolicyLoader.Load(active.Text, ComponentKindName.All).Options;
            SharePolicy? policy = options is null ? null : SharePolicy.Compile(options, active!.Digest, catalog, components);
            IReadOnlyList<DemandCell> since = policy is null ? [] : await ledger.DemandCellsAsync(LimitCheck.Stretch, Since(request.Filter, active!.ActivatedAt), cancellation).ConfigureAwait(false);
            return new ExposureFindings(
                ExposureAnalysis.Build(catalog, components, options, demand, quotas), policy, policy is null ? [] : LimitCheck.Of(policy, catalog, since, relaxations), relaxations, shifts, places);
        }
        catch (FormatException fault)
        {
            throw new UsageException(fault.Message);
        }
    }

    private static LedgerFilter Since(LedgerFilter filter, DateTimeOffset moment) => filter with { Since = filter.Since > moment ? filter.Since : moment };

    /// <summary>Those that <c>ballast shifts</c> has kept, and what is announced now.</summary>
    private static async Task<IReadOnlyList<RecordedShift>> ShiftsAsync(
        ReportRequest request, CatalogSnapshot catalog, LedgerReader ledger, IReadOnlyList<ShareRow> shares, DateTimeOffset now, CancellationToken cancellation)
    {
        DateTimeOffset until = request.Filter.Until ?? now;
        DateTimeOffset since = request.Filter.Since ?? until.AddDays(-30);
        IReadOnlyList<LedgerEvent> kept = await ledger.EventsAsync(LedgerEvent.Shift, new LedgerFilter(since, until), ShiftsMax, cancellation).ConfigureAwait(false);
        IReadOnlyList<CatalogChange> announced = CatalogChange.Find(
            catalog, ReportSource.FindPrices(request), DateOnly.FromDateTime(since.UtcDateTime), DateOnly.FromDateTime(until.UtcDateTime), shares);
        return ShiftEvents.Read([.. kept.Where(one => one.At <= until), .. announced.Select(ShiftEvents.Write)]);
    }

    internal static void Write(ExposureReport report, ReportRequest request, string path, ExposureFindings? measured = null, long attempts = 0)
    {
        if (request.Form == ReportForm.Json)
        {
            ReportJson.WriteLine(request.Output, writer => ExposureView.WriteJson(writer, report, request.Filter, measured is null ? null : inner => ExposureAnalysisView.WriteJson(inner, measured)));
            return;
        }

        if (report.Requests == 0)
        {
            string nothing = attempts == 0 ? ReportSource.NothingFound(request, path) : $"None of the {ReportFormat.Count(attempts)} attempts from {request.PeriodText} was answered: see `ballast usage --by deployment`, and `ballast explain ID` for one of them.";
            request.Output.WriteLine(nothing + " What stops is told all the same:");
            request.Output.WriteLine();
        }

        foreach (ComponentKind kind in Component.ConfiguredKinds)
        {
            request.Write(ExposureView.Table(report, kind));
        }

        if (measured is not null && measured.Analysis.Requests > 0)
        {
            foreach (ReportTable table in ExposureAnalysisView.Tables(measured))
            {
                request.Write(table);
            }
        }

        foreach (StoppedModel model in report.Unanswerable)
        {
            request.Output.WriteLine($"{model.Model} cannot lawfully be answered for {string.Join(", ", model.Apps)}, even with everything up.");
        }
    }
}
