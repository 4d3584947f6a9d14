namespace Ballast.Ledger.Rollups;

/// <summary>What is summed of the attempts of one bucket.</summary>
internal sealed class RollupSums
{
    public long Attempts { get; private set; }
    public long InputTokens { get; private set; }
    public long CacheReadTokens { get; private set; }
    public long CacheWriteTokens { get; private set; }
    public long CacheWriteLongTokens { get; private set; }
    public long OutputTokens { get; private set; }
    public long ReasoningTokens { get; private set; }
    public long CostMicro { get; private set; }
    public long CostRest { get; private set; }
    public long UnknownCost { get; private set; }
    public long Estimated { get; private set; }
    public long Timed { get; private set; }
    public long DurationMicroseconds { get; private set; }

    /// <summary>Adds a row as a store writes it.</summary>
    public void Add(LedgerEntry entry)
    {
        Attempts++;
        InputTokens += SqliteLedgerStore.Tokens(entry.InputTokens);
        CacheReadTokens += SqliteLedgerStore.Tokens(entry.CacheReadTokens);
        CacheWriteTokens += SqliteLedgerStore.Tokens(entry.CacheWriteTokens);
        CacheWriteLongTokens += SqliteLedgerStore.Tokens(entry.CacheWriteLongTokens);
        OutputTokens += SqliteLedgerStore.Tokens(entry.OutputTokens);
        ReasoningTokens += entry.ReasoningTokens is long reasoning ? SqliteLedgerStore.Tokens(reasoning) : 0;
        Estimated += entry.IsEstimated ? 1 : 0;
        Timed += IsTimed(entry) ? 1 : 0;
        DurationMicroseconds += SqliteLedgerStore.Microseconds(entry.Duration);
        if (entry.CostUsd is decimal cost && Picodollars.FromDollars(cost) is long pico)
        {
            CostMicro += pico / Picodollars.PerMicrodollar;
            CostRest += pico % Picodollars.PerMicrodollar;
        }
        else if (entry.Outcome != AttemptOutcome.Failed || HasTokens(entry))
        {
            UnknownCost++;
        }
    }

    /// <summary>Times to first token are told of streams.</summary>
    public static bool IsTimed(LedgerEntry entry) => entry.Stream && entry.TimeToFirstToken is not null;

    /// <summary>Its exchange may have other attempts: it failed, came after one that did, or never ended.</summary>
    public static bool MayHaveOthers(LedgerEntry entry) =>
        entry.AttemptNumber != 1 || entry.Outcome == AttemptOutcome.Failed || entry.Reason == "gateway_stopped";

    private static bool HasTokens(LedgerEntry entry) =>
        SqliteLedgerStore.Tokens(entry.InputTokens) + SqliteLedgerStore.Tokens(entry.CacheReadTokens) + SqliteLedgerStore.Tokens(entry.CacheWriteTokens)
            + SqliteLedgerStore.Tokens(entry.CacheWriteLongTokens) + SqliteLedgerStore.Tokens(entry.OutputTokens) > 0;
}
