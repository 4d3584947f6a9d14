namespace Ballast.Ledger;

/// <summary>The bounds of a <see cref="LedgerWriter"/>.</summary>
public sealed record LedgerWriterOptions
{
    /// <summary>Rows of one transaction.</summary>
    public int BatchRowsMax { get; init; } = 512;

    /// <summary>How long a row waits for others to share its transaction with.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Wait after a store's first failure; doubles up to <see cref="RetryWaitMax"/>.</summary>
    public TimeSpan RetryWait { get; init; } = TimeSpan.FromMilliseconds(100);
    public TimeSpan RetryWaitMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long one transaction may take before it is given up and tried again.</summary>
    public TimeSpan StoreTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long disposal waits for the store to take what is left; the rest stays in the spool for the next start.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(4);
}
