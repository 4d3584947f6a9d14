using System.Buffers;
using System.Text;
using System.Text.Json;
using Ballast.Balance.Watch;
using Ballast.Ledger;

namespace Ballast.Cli.Demo;

/// <summary>What the story came to, as one line of JSON.</summary>
/// <param name="Counts">What the applications saw.</param>
/// <param name="Books">The ledger beside the bill.</param>
/// <param name="Balance">Shares against their caps.</param>
/// <param name="Suspended">Requests for which a cap gave way, since nothing else was lawful and up.</param>
/// <param name="ReportPath">Of the page for those who decide; null where it could not be written.</param>
/// <param name="Duration">Of the story.</param>
internal sealed record DemoSummary(DemoCounts Counts, DemoBooks Books, BalanceStanding Balance, long Suspended, string? ReportPath, TimeSpan Duration)
{
    /// <summary>No request failed, and the ledger agrees with the bill in every row.</summary>
    public bool IsGood => Counts.Failed == 0 && Books.Mismatches.Count == 0 && Books.LedgerRows == Books.BilledRows;

    public string ToJson()
    {
        ArrayBufferWriter<byte> buffer = new(1024);
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("requests", Counts.Ended);
            json.WriteNumber("succeeded", Counts.Succeeded);
            json.WriteNumber("failed", Counts.Failed);
            json.WriteNumber("failovers", Books.Failovers);
            json.WriteNumber("interrupted", Counts.Interrupted);
            json.WriteNumber("ledger_rows", Books.LedgerRows);
            json.WriteNumber("billed_rows", Books.BilledRows);
            json.WriteNumber("in_doubt_rows", Books.InDoubt);
            json.WriteNumber("mismatched_rows", Books.Mismatches.Count);
            WriteShares(json, "by_platform", share => share.Platform);
            WriteShares(json, "by_vendor", share => share.Vendor);
            json.WriteNumber("cost_usd", Books.LedgerUsd);
            json.WriteNumber("cost_billed_usd", Books.BilledUsd);
            json.WriteNumber("seconds", Math.Round(Duration.TotalSeconds, 1));
            WriteBalance(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Answered requests, each counted once: where the last attempt of it went.</summary>
    private void WriteShares(Utf8JsonWriter json, string name, Func<ShareRow, string> component)
    {
        json.WriteStartObject(name);
        foreach (IGrouping<string, ShareRow> group in Books.Shares.GroupBy(component).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            long requests = group.Sum(share => share.Requests);
            if (requests > 0)
            {
                json.WriteNumber(group.Key, requests);
            }
        }

        json.WriteEndObject();
    }

    /// <summary>Shares of the tokens in percent, by act, beside what weights alone would have made of the same requests.</summary>
    private void WriteBalance(Utf8JsonWriter json)
    {
        json.WriteStartObject("caps");
        foreach (BalanceStanding.RuleShares rule in Balance.Rules)
        {
            json.WriteNumber(rule.Rule.Target.Name, Math.Round(100 * rule.Rule.Share, 2));
        }

        json.WriteEndObject();
        WriteActs(json, "shares", act => act.Kept);
        WriteActs(json, "weighted_shares", act => act.Weighted);
        json.WriteNumber("worst_excess_pp", Math.Round(Balance.WorstExcess, 2));
        json.WriteNumber("weighted_worst_excess_pp", Math.Round(Balance.WeightedWorstExcess, 2));
        json.WriteNumber("window_requests", BalanceWatch.Window);
        json.WriteNumber("suspended_requests", Suspended);
        json.WriteStartArray("events");
        foreach (BalanceNote note in Balance.Notes)
        {
            json.WriteStartObject();
            json.WriteString("at", note.At.UtcDateTime);
            json.WriteString("text", note.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("report", ReportPath);
    }

    private void WriteActs(Utf8JsonWriter json, string name, Func<BalanceStanding.Act, IReadOnlyDictionary<string, double>> sharesOf)
    {
        json.WriteStartObject(name);
        foreach (BalanceStanding.Act act in Balance.Acts)
        {
            json.WriteStartObject(act.Name);
            foreach ((string platform, double share) in sharesOf(act).OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                json.WriteNumber(platform, Math.Round(100 * share, 2));
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
