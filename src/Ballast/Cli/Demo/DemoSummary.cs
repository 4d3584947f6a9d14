using System.Buffers;
using System.Text;
using System.Text.Json;
using Ballast.Ledger;

namespace Ballast.Cli.Demo;

/// <summary>What the story came to, as one line of JSON.</summary>
internal sealed record DemoSummary(DemoCounts Counts, DemoBooks Books, TimeSpan Duration)
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
}
