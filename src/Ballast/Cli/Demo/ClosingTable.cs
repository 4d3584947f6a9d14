using Ballast.Catalog;
using System.Globalization;
using Ballast.Balance;
using Ballast.Balance.Watch;

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
        WriteBalance(summary, output);
        DemoCounts counts = summary.Counts;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Count(counts.Ended, "request")}{Recorded(counts)}: {counts.Succeeded} succeeded, {counts.Failed} failed."));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {summary.Books.Failovers} answered after a failover, {counts.Interrupted} cut in mid-answer and ended by a clear error."));
        WriteBooks(summary.Books, output);
        if (summary.ReportPath is { } report)
        {
            output.WriteLine($"For those who decide: {report}");
        }

        if (settings.Hold)
        {
            WriteNext(house, output);
        }
    }

    private static void WriteBalance(DemoSummary summary, TextWriter output)
    {
        BalanceStanding balance = summary.Balance;
        ReportTable table = new("Shares of the tokens against their caps, beside what weights alone would have made of the same requests");
        table.AddTextColumn("");
        foreach (BalanceStanding.RuleShares rule in balance.Rules)
        {
            table.AddNumberColumn(string.Create(CultureInfo.InvariantCulture, $"{rule.Rule.Target.Name}, max {100 * rule.Rule.Share:0}%"));
            table.AddNumberColumn("by weights");
        }

        foreach (BalanceStanding.Act act in balance.Acts)
        {
            table.AddRow([act.Name, .. balance.Rules.SelectMany(rule => (string[])[Share(act.Kept, rule), Share(act.Weighted, rule)])]);
        }

        table.WriteTerminal(output);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Over a cap at worst, in any {BalanceWatch.Window} requests: {Points(balance.WorstExcess)} by share credits, {Points(balance.WeightedWorstExcess)} by weights alone."));
        output.WriteLine(summary.Suspended == 0 ? "No cap had to give way." : $"Caps gave way for {Count(summary.Suspended, "request")}: nothing else was lawful and up.");
        output.WriteLine();

        static string Share(IReadOnlyDictionary<string, double> shares, BalanceStanding.RuleShares rule) =>
            string.Create(CultureInfo.InvariantCulture, $"{100 * shares.GetValueOrDefault(rule.Rule.Target.Name):0.0}%");
        static string Points(double excess) => string.Create(CultureInfo.InvariantCulture, $"{excess:+0.0;-0.0} points");
    }

    private static void WriteBooks(DemoBooks books, TextWriter output)
    {
        string verdict = books.Mismatches.Count == 0 && books.LedgerRows == books.BilledRows ? "equal, row by row" : "NOT equal";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Reached a platform: {books.LedgerRows} attempts in the ledger, {books.BilledRows} billed; {verdict}."));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Cost: ${books.LedgerUsd:0.000000} by the ledger, ${books.BilledUsd:0.000000} by the bill."));
        if (books.Estimated > 0)
        {
            output.WriteLine($"  {Count(books.Estimated, "answer")} without final usage: their cost is estimated upwards.");
        }

        foreach (string mismatch in books.Mismatches)
        {
            output.WriteLine($"mismatch: {mismatch}");
        }
    }

    private static string Recorded(DemoCounts counts) => counts.Recorded == 0 ? ""
        : string.Create(CultureInfo.InvariantCulture, $" ({counts.Recorded} recorded real ones, {counts.Refused} of them refused as their provider did)");

    private static string Count(long count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count} {what}{(count == 1 ? "" : "s")}");

    private static void WriteNext(DemoHouse house, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"Everything is up again and waits for you, key {DemoConfiguration.OpenKey}. Try:");
        output.WriteLine($"  curl -s {house.Server.Address}v1/chat/completions \\");
        output.WriteLine($"    -H 'authorization: Bearer {DemoConfiguration.OpenKey}' -H 'content-type: application/json' \\");
        output.WriteLine("""    -d '{"model":"assistant","messages":[{"role":"user","content":"Who are you?"}]}'""");
        output.WriteLine($"  curl -X POST {house.Sandbox.Control}platforms/azure/disappear");
        output.WriteLine("    and ask again; …/azure/return brings it back");
        output.WriteLine($"  the live page: {house.Server.AdminAddress}   Ctrl-C ends it all");
    }
}
