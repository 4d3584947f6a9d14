using System.Globalization;
using Ballast.Balance;

namespace Ballast.Cli.Demo;

/// <summary>What the story came to: shares, cost and what each disappearance would stop, the books, and what to try next.</summary>
internal static class ClosingTable
{
    public static void Write(DemoSettings settings, DemoHouse house, DemoSummary summary, TextWriter output)
    {
        ExposureReport exposure = ExposureReport.Build(house.Server.Catalog.Current, summary.Books.Shares);
        output.WriteLine();
        ExposureView.Table(exposure, ComponentKind.Vendor).WriteTerminal(output);
        ExposureView.Table(exposure, ComponentKind.Platform).WriteTerminal(output);
        DemoCounts counts = summary.Counts;
        string recorded = counts.Recorded > 0 ? string.Create(CultureInfo.InvariantCulture, $" ({counts.Recorded} recorded real ones)") : "";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{counts.Ended} requests{recorded}: {counts.Succeeded} succeeded, {summary.Books.Failovers} of them after a failover; "
            + $"{counts.Interrupted} were cut in mid-answer and ended in a clear error; {counts.Failed} failed."));
        WriteBooks(summary.Books, output);
        if (settings.Hold)
        {
            WriteNext(house, output);
        }
    }

    private static void WriteBooks(DemoBooks books, TextWriter output)
    {
        string verdict = books.Mismatches.Count == 0 && books.LedgerRows == books.BilledRows ? "equal, row by row" : "NOT equal";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"The ledger holds {books.LedgerRows} attempts that reached a platform, the platforms billed {books.BilledRows}: {verdict}."));
        string estimated = books.Estimated == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" ({books.Estimated} answers without final usage are estimated upwards)");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Cost by the ledger ${books.LedgerUsd:0.000000}, by the bill ${books.BilledUsd:0.000000}{estimated}."));
        foreach (string mismatch in books.Mismatches)
        {
            output.WriteLine($"mismatch: {mismatch}");
        }
    }

    private static void WriteNext(DemoHouse house, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"Everything is up again and waits for you, key {DemoConfiguration.OpenKey}. Try:");
        output.WriteLine($"  curl -s {house.Server.Address}v1/chat/completions -H 'authorization: Bearer {DemoConfiguration.OpenKey}' -H 'content-type: application/json' \\");
        output.WriteLine("""    -d '{"model":"assistant","messages":[{"role":"user","content":"Who are you?"}]}'""");
        output.WriteLine($"  curl -X POST {house.Sandbox.Control}platforms/azure/disappear      (and ask again; /return brings it back)");
        output.WriteLine($"  open {house.Server.AdminAddress}      Ctrl-C ends it");
    }
}
