using System.CommandLine;
using Ballast.Balance;
using Ballast.Catalog;
using Ballast.Ledger;

namespace Ballast.Cli;

/// <summary><c>ballast compare A B</c>: two vendors or platforms side by side.</summary>
public static class CompareCommand
{
    public static Command Create()
    {
        Command command = new(
            "compare",
            """
            Two vendors or platforms side by side, measured by your own traffic.

            Prices are what you paid per million tokens, cache discounts included; times are of streams; errors leave out 429
            (shown apart) and requests that any platform would have refused. The last three rows are declared, not measured:
            short statements of general knowledge, each with source and date.

            Some names are both: openai makes models and runs a platform. Such a name takes the kind of the other one
            (compare openai azure: two platforms); where both are both, vendors are compared. vendor:openai and
            platform:openai say it outright.

            Exit code: 0 told, 1 the ledger cannot be read, 2 a wrong argument.

            Examples:
              ballast compare openai anthropic
              ballast compare azure aws --since 7d
              ballast compare vendor:openai platform:azure --md
            """);
        Argument<string> a = new("A") { Description = "A vendor or a platform." };
        Argument<string> b = new("B") { Description = "The other one." };
        command.Add(a);
        command.Add(b);
        ReportOptions options = new(command);
        command.SetAction((arguments, cancellation) => ReportRequest.RunAsync(arguments, async () =>
        {
            ReportRequest request = options.Read(arguments, TimeProvider.System);
            LedgerReader ledger = ReportSource.OpenLedger(request);
            CatalogSnapshot? catalog = ReportSource.FindCatalog(request);
            string nameA = arguments.GetRequiredValue(a);
            string nameB = arguments.GetRequiredValue(b);
            try
            {
                Write(await Comparison.BuildAsync(ledger, catalog, nameA, nameB, request.Filter, cancellation).ConfigureAwait(false), request, ledger.Path);
            }
            catch (ArgumentException unknown)
            {
                throw new UsageException(unknown.Message);
            }
        }));
        return command;
    }

    private static void Write(Comparison comparison, ReportRequest request, string path)
    {
        if (request.Form == ReportForm.Json)
        {
            ReportJson.WriteLine(request.Output, writer => ComparisonView.WriteJson(writer, comparison, request.Filter));
            return;
        }

        if (comparison.A.Figures.Attempts + comparison.B.Figures.Attempts == 0)
        {
            request.Error.WriteLine($"Neither has traffic in the period; only what the catalog and the declared data know is shown. {ReportSource.NothingFound(request, path)}");
        }

        request.Write(ComparisonView.Table(comparison, $"{comparison.A.Subject} and {comparison.B.Subject}, {request.PeriodText}"));
    }
}
