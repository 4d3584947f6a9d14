using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Ledger;
using Ballast.Protocols.Conversation;
using Ballast.Sandbox;

namespace Ballast.Cli.Demo;

/// <summary>The ledger of this run, read from SQLite, beside the bill of the platforms, read from the sandbox's own log; joined by the id of the attempt.</summary>
internal sealed class DemoBooks
{
    private const int RowsMax = 1_000_000;

    /// <summary>Attempts that reached a platform.</summary>
    public required int LedgerRows { get; init; }

    /// <summary>
    /// Attempts that the ledger must take for having reached their platform, because a connection stood, while that platform never saw them: the connection
    /// broke before the first byte of an answer. Only the bill can tell; they count in neither book.
    /// </summary>
    public required int InDoubt { get; init; }

    /// <summary>Rows of the bill that belong to an attempt.</summary>
    public required int BilledRows { get; init; }

    /// <summary>One sentence for each row that is in one book only, or says something else in the other.</summary>
    public required IReadOnlyList<string> Mismatches { get; init; }
    public required IReadOnlyList<ShareRow> Shares { get; init; }

    /// <summary>US dollars by the ledger, and by the bill at the same prices.</summary>
    public required decimal LedgerUsd { get; init; }
    public required decimal BilledUsd { get; init; }

    /// <summary>Answers whose final usage never came; the ledger estimates those upwards.</summary>
    public required int Estimated { get; init; }

    /// <summary>Exchanges that a second or later attempt answered in full.</summary>
    public required long Failovers { get; init; }

    public static async Task<DemoBooks> ReadAsync(DemoHouse house)
    {
        LedgerReader ledger = new(house.LedgerPath);
        LedgerFilter thisRun = new(Since: house.StartedAt);
        IReadOnlyList<LedgerEntry> entries = await ledger.EntriesAsync(thisRun, RowsMax).ConfigureAwait(false);
        IReadOnlyList<ShareRow> shares = await ledger.SharesAsync(thisRun).ConfigureAwait(false);
        return Compare(entries, shares, house.Sandbox.Billing.Rows, house.Server.Catalog.Current);
    }

    internal static DemoBooks Compare(
        IReadOnlyList<LedgerEntry> entries, IReadOnlyList<ShareRow> shares, IReadOnlyList<BillingRow> bill, CatalogSnapshot catalog)
    {
        Dictionary<string, LedgerEntry> byId = entries.ToDictionary(entry => entry.AttemptId, StringComparer.Ordinal);
        HashSet<string> billed = new(StringComparer.Ordinal);
        List<string> mismatches = [];
        int joined = 0;
        decimal billedUsd = 0;
        foreach (BillingRow row in bill)
        {
            if (row.ClientRequestId is not { } id || !byId.TryGetValue(id, out LedgerEntry? entry))
            {
                mismatches.Add($"{row.Platform} billed {row.RequestId}, which the ledger does not hold");
                continue;
            }

            joined++;
            billedUsd += Pricing.Cost(catalog.FindModel(entry.Deployment)?.Candidates[0].Deployment.Prices?.At(entry.StartedAt), UsageOf(row)) ?? 0;
            if (!billed.Add(id))
            {
                mismatches.Add($"{row.Platform} billed {id} twice");
            }
            else if (Difference(entry, row) is { } difference)
            {
                mismatches.Add($"{id} at {entry.Deployment}: {difference}");
            }
        }

        LedgerEntry[] unbilled = [.. entries.Where(entry => entry.Reached && !billed.Contains(entry.AttemptId))];
        mismatches.AddRange(unbilled.Where(entry => !IsInDoubt(entry))
            .Select(entry => $"{entry.AttemptId} at {entry.Deployment} ({entry.Outcome}, {entry.Reason}) is in the ledger as having reached its platform, which did not bill it"));
        return new DemoBooks
        {
            LedgerRows = entries.Count(entry => entry.Reached) - unbilled.Count(IsInDoubt),
            InDoubt = unbilled.Count(IsInDoubt),
            BilledRows = joined,
            Mismatches = mismatches,
            Shares = shares,
            LedgerUsd = entries.Sum(entry => entry.CostUsd ?? 0),
            BilledUsd = billedUsd,
            Estimated = entries.Count(entry => entry.IsEstimated),
            Failovers = entries.Count(entry => entry is { AttemptNumber: > 1, Outcome: AttemptOutcome.Completed }),
        };
    }

    private static bool IsInDoubt(LedgerEntry entry) =>
        entry is { Outcome: AttemptOutcome.Failed, UpstreamStatus: null } && entry.Reason == GatewayError.ConnectionLost.Code;

    /// <summary>What the two say differently of one attempt; null where they agree. Tokens are compared wherever the platform told them to the end.</summary>
    private static string? Difference(LedgerEntry entry, BillingRow row)
    {
        if (!entry.Reached)
        {
            return "billed, but by the ledger it never reached its platform";
        }

        if (entry.IsEstimated || entry.Outcome != AttemptOutcome.Completed)
        {
            return null;
        }

        (long, long, long, long) ledger = (entry.InputTokens, entry.CacheReadTokens, entry.CacheWriteTokens + entry.CacheWriteLongTokens, entry.OutputTokens);
        (long, long, long, long) bill = (row.InputTokens, row.CacheReadTokens, row.CacheWriteTokens, row.OutputTokens);
        return ledger == bill ? null : $"tokens (input, cache read, cache write, output) are {ledger} in the ledger and {bill} on the bill";
    }

    private static Usage UsageOf(BillingRow row) => new()
    {
        InputTokens = row.InputTokens,
        CacheReadTokens = row.CacheReadTokens,
        CacheWriteTokens = row.CacheWriteTokens,
        OutputTokens = row.OutputTokens,
    };
}
