using Ballast.Catalog;
using Ballast.Ledger;
using Ballast.Prices;
using Ballast.Protocols.Conversation;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>Holds a gateway's ledger against its platforms' bill, joined by the id of the attempt.</summary>
internal static class Books
{
    private static readonly TimeSpan SettleWithin = TimeSpan.FromSeconds(30);

    /// <summary>
    /// One row in each book for each attempt that reached a platform, the same tokens of each class, the same outcome, the same cost.
    /// Returns how many rows were compared. The client's requests must have ended; others may still run.
    /// </summary>
    public static async Task<int> AssertAgreeAsync(GatewayHost gateway, string app)
    {
        IReadOnlyList<string> faults = [];
        int compared = 0;
        await GatewayHost.UntilAsync(
            async () =>
            {
                (compared, faults) = Compare(gateway, gateway.Sandbox.Billing.Rows, await gateway.EntriesAsync(), app);
                return faults.Count == 0;
            },
            SettleWithin);
        Assert.True(faults.Count == 0, string.Join('\n', faults.Take(20)));
        return compared;
    }

    // The bill is read before the ledger: what is billed while a request still runs has its ledger row a moment later, and the next look finds it.
    private static (int Compared, List<string> Faults) Compare(
        GatewayHost gateway, IReadOnlyList<BillingRow> bill, IReadOnlyList<LedgerEntry> ledger, string app)
    {
        List<string> faults = [];
        Dictionary<string, LedgerEntry> byId = ledger.ToDictionary(entry => entry.AttemptId);
        HashSet<string> billed = [];
        int compared = 0;
        foreach (BillingRow row in bill)
        {
            if (row.ClientRequestId is not { } id || !byId.TryGetValue(id, out LedgerEntry? entry))
            {
                faults.Add($"{row.Platform} billed {row.ClientRequestId ?? "a request without an id"} at {row.Path}, which the ledger does not hold.");
            }
            else if (!billed.Add(id))
            {
                faults.Add($"{row.Platform} billed {id} twice.");
            }
            else if (entry.App == app)
            {
                compared++;
                faults.AddRange(Differences(entry, row, gateway.Server.Catalog.Current).Select(fault => $"{id} at {entry.Deployment} ({row.Path}): {fault}"));
            }
        }

        faults.AddRange(ledger.Where(entry => entry.App == app && entry.Reached && !billed.Contains(entry.AttemptId))
            .Select(entry => $"{entry.AttemptId} at {entry.Deployment} ({entry.Outcome}, {entry.Reason}) was not billed."));
        return (compared, faults);
    }

    private static IEnumerable<string> Differences(LedgerEntry entry, BillingRow row, CatalogSnapshot catalog)
    {
        if (!entry.Reached)
        {
            yield return "billed, but by the ledger it never reached its platform.";
        }

        string outcome = row.Outcome switch { "completed" => "Completed", "cancelled" => "Cancelled", _ => "Failed" };
        if (outcome != entry.Outcome.ToString())
        {
            yield return $"{row.Outcome} on the bill, {entry.Outcome} ({entry.Reason}) in the ledger.";
        }

        if (entry.SentModel != row.Model && row.Status != 400 && row.Model is not null) // what is asked for by its id names no model
        {
            yield return $"model {row.Model} on the bill, {entry.SentModel} in the ledger.";
        }

        if (entry.Outcome == AttemptOutcome.Cancelled)
        {
            yield break; // What was produced until the hang-up is known to the platform alone; the ledger estimates and says so.
        }

        (long, long, long, long) told = (entry.InputTokens, entry.CacheReadTokens, entry.CacheWriteTokens + entry.CacheWriteLongTokens, entry.OutputTokens);
        (long, long, long, long) charged = (row.InputTokens, row.CacheReadTokens, row.CacheWriteTokens, row.OutputTokens);
        if (told != charged || entry.IsEstimated)
        {
            yield return $"tokens (input, cache read, cache write, output) {told}{(entry.IsEstimated ? ", estimated," : "")} in the ledger, {charged} on the bill.";
        }

        Price? price = catalog.FindModel(entry.Deployment)!.Candidates[0].Deployment.Prices?.At(entry.StartedAt);
        Usage billed = new()
        {
            InputTokens = row.InputTokens,
            CacheReadTokens = row.CacheReadTokens,
            CacheWriteTokens = row.CacheWriteTokens - entry.CacheWriteLongTokens,
            CacheWriteLongTokens = entry.CacheWriteLongTokens,
            OutputTokens = row.OutputTokens,
        };
        if (Pricing.Cost(price, billed) is var cost && cost != entry.CostUsd)
        {
            yield return $"{entry.CostUsd} US dollars in the ledger, {cost} by the bill.";
        }

        if (Pricing.InputCost(price, billed) is var inputCost && inputCost != entry.InputCostUsd)
        {
            yield return $"{entry.InputCostUsd} US dollars of input in the ledger, {inputCost} by the bill.";
        }
    }
}
