using System.CommandLine;
using Ballast.Balance.Shifts;
using Ballast.Catalog;
using Ballast.Ledger;
using Ballast.Prices;

namespace Ballast.Cli;

/// <summary><c>ballast shifts</c>: what has changed at a vendor or a platform between two windows.</summary>
public static class ShiftsCommand
{
    public static Command Create()
    {
        Command command = new(
            "shifts",
            """
            What has changed: prices as paid, time to first token, speed, errors, refusals and shares of each vendor and platform.

            The time since --since is compared with as much time before it, by Welch's t-test over stretches of time (hours, for a
            week). A change is told from 5 % on, where it would be seen by chance in fewer than one of 1,000 comparisons. So many
            comparisons are made at once that some may show one all the same: their number, the false alarms to expect, and the
            probability corrected for all comparisons (Holm) are told with them.

            Prices that change in the price book, and what is deprecated or ends, are told from the configuration, up to 90 days
            ahead. What is found is kept in the ledger as events; the exposure page shows it.

            Exit code: 0 told, 1 the ledger cannot be read, 2 a wrong argument or a faulty configuration.

            Examples:
              ballast shifts
              ballast shifts --since 24h --json
              ballast shifts --since 2026-11-01 --until 2026-11-15 --dry-run
            """);
        Option<bool> dry = new("--dry-run") { Description = "Keep nothing in the ledger." };
        Option<bool> all = new("--all") { Description = "All comparisons, not only what is found." };
        command.Add(dry);
        command.Add(all);
        ReportOptions options = new(command, sinceDefault: "7d");
        command.SetAction((arguments, cancellation) => ReportRequest.RunAsync(arguments, async () =>
        {
            ReportRequest request = options.Read(arguments, TimeProvider.System);
            LedgerReader ledger = ReportSource.OpenLedger(request);
            ShiftReport report = await BuildAsync(request, ledger, cancellation).ConfigureAwait(false);
            bool isWhole = request.Filter is { App: null, KeyId: null };
            int kept = arguments.GetValue(dry) || !isWhole ? 0 : await KeepAsync(report, request, ledger, cancellation).ConfigureAwait(false);
            ShiftsView.Write(report, request, arguments.GetValue(all));
            if (!isWhole && report.Analysis.Found.Count > 0)
            {
                await request.Error.WriteLineAsync("Nothing was kept in the ledger: it is of one application or key only.").ConfigureAwait(false);
            }
            else if (kept > 0 && request.Form == ReportForm.Terminal)
            {
                await request.Output.WriteLineAsync($"Kept in the ledger: {kept} events.").ConfigureAwait(false);
            }
        }));
        return command;
    }

    private static async Task<ShiftReport> BuildAsync(ReportRequest request, LedgerReader ledger, CancellationToken cancellation)
    {
        DateTimeOffset until = request.Filter.Until ?? TimeProvider.System.GetUtcNow();
        if (request.Filter.Since is not { } since || since >= until)
        {
            throw new UsageException("Two windows are compared: --since must name a time before --until, such as 7d.");
        }

        // Stretches lie on the clock: the windows meet where one ends.
        TimeSpan stretch = ShiftAnalysis.StretchOf(until - since);
        DateTimeOffset middle = new(since.UtcTicks - (since.UtcTicks % stretch.Ticks), TimeSpan.Zero);
        LedgerFilter both = request.Filter with { Since = middle - (until - middle), Until = until };
        IReadOnlyList<ShareRow> shares = await ledger.SharesAsync(both, cancellation).ConfigureAwait(false);
        IReadOnlyList<TrafficBucket> buckets = await ledger.BucketsAsync(stretch, both, cancellation).ConfigureAwait(false);
        CatalogSnapshot? catalog = ReportSource.FindCatalog(request);
        PriceBook book = ReportSource.FindPrices(request);
        return new ShiftReport(
            both.Since!.Value, middle, until, stretch, ShiftAnalysis.Build(buckets, middle, shares),
            catalog is null ? [] : CatalogChange.Find(catalog, book, Day(middle), Day(until), shares), buckets.Sum(static bucket => bucket.Attempts));
    }

    private static async Task<int> KeepAsync(ShiftReport report, ReportRequest request, LedgerReader ledger, CancellationToken cancellation)
    {
        LedgerEvent[] events = [.. report.Analysis.Found.Select(shift => ShiftEvents.Write(shift, report.Until)), .. report.Announced.Select(ShiftEvents.Write)];
        if (events.Length == 0)
        {
            return 0;
        }

        try
        {
            ILedgerEventStore store = ReportSource.OpenEvents(request, ledger);
            await using (((IAsyncDisposable)store).ConfigureAwait(false))
            {
                await store.AppendEventsAsync(events, cancellation).ConfigureAwait(false);
                return events.Length;
            }
        }
        catch (Exception failure) when (failure is LedgerException or System.Data.Common.DbException)
        {
            await request.Error.WriteLineAsync($"What was found could not be kept in the ledger: {failure.Message}").ConfigureAwait(false);
            return 0;
        }
    }

    private static DateOnly Day(DateTimeOffset time) => DateOnly.FromDateTime(time.UtcDateTime);
}

/// <summary>What was compared, and what came of it.</summary>
/// <param name="From">Begin of the first window.</param>
/// <param name="Middle">Where the second begins.</param>
/// <param name="Until">Its end.</param>
/// <param name="Stretch">Of time, each of which is one observation.</param>
/// <param name="Analysis">From traffic.</param>
/// <param name="Announced">From price book and configuration.</param>
/// <param name="Attempts">In both windows.</param>
internal sealed record ShiftReport(
    DateTimeOffset From, DateTimeOffset Middle, DateTimeOffset Until, TimeSpan Stretch, ShiftAnalysis Analysis, IReadOnlyList<CatalogChange> Announced, long Attempts);
