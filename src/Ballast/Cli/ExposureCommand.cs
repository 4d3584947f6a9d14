using System.CommandLine;
using Ballast.Balance;
using Ballast.Catalog;
using Ballast.Ledger;

namespace Ballast.Cli;

/// <summary><c>ballast exposure</c>: shares of traffic, and what stops if a vendor, platform, region or provider disappears.</summary>
public static class ExposureCommand
{
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

            Examples:
              ballast exposure
              ballast exposure --since 7d --config ballast.yaml --md
            """);
        ReportOptions options = new(command);
        command.SetAction((arguments, cancellation) => ReportRequest.RunAsync(arguments, async () =>
        {
            ReportRequest request = options.Read(arguments, TimeProvider.System);
            CatalogSnapshot catalog = ReportSource.FindCatalog(request) ?? throw new UsageException(
                "What stops is told from the configuration: name it with --config FILE (there is no ballast.yaml here).");
            LedgerReader ledger = ReportSource.OpenLedger(request);
            IReadOnlyList<ShareRow> shares = await ledger.SharesAsync(request.Filter, cancellation).ConfigureAwait(false);
            Write(ExposureReport.Build(catalog, shares), request, ledger.Path);
        }));
        return command;
    }

    internal static void Write(ExposureReport report, ReportRequest request, string path)
    {
        if (request.Form == ReportForm.Json)
        {
            ReportJson.WriteLine(request.Output, writer => ExposureView.WriteJson(writer, report, request.Filter));
            return;
        }

        if (report.Requests == 0)
        {
            request.Output.WriteLine(ReportSource.NothingFound(request, path) + " What stops is told all the same:");
            request.Output.WriteLine();
        }

        foreach (ComponentKind kind in Component.ConfiguredKinds)
        {
            request.Write(ExposureView.Table(report, kind));
        }

        foreach (StoppedModel model in report.Unanswerable)
        {
            request.Output.WriteLine($"{model.Model} cannot lawfully be answered for {string.Join(", ", model.Apps)}, even with everything up.");
        }
    }
}
