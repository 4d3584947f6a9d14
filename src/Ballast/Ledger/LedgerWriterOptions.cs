namespace Ballast.Ledger;

/// <summary>The bounds of a <see cref="LedgerWriter"/>.</summary>
public sealed record LedgerWriterOptions
{
    /// <summary>Rows that may wait; a further one waits for room. From <c>LimitsOptions.LedgerQueueMax</c>.</summary>
    public int QueueMax { get; init; } = 16_384;

    /// <summary>Rows of one transaction.</summary>
    public int BatchRowsMax { get; init; } = 512;

    /// <summary>How long a row waits for others to share its transaction with.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Wait after a store's first failure; doubles up to <see cref="RetryWaitMax"/>.</summary>
    public TimeSpan RetryWait { get; init; } = TimeSpan.FromMilliseconds(100);
    public TimeSpan RetryWaitMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long disposal waits for the store to take what is left.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(4);
}
