namespace Ballast.Ledger;

/// <summary>The store refused a batch: told to whoever logs it.</summary>
/// <param name="Error">What the store threw.</param>
/// <param name="Attempt">1 for the first refusal of this batch.</param>
/// <param name="RetryIn">Wait until the next try; null where there is none because the writer is closing.</param>
/// <param name="Pending">Rows not yet in the store; they are in the spool.</param>
public readonly record struct LedgerFailure(Exception Error, int Attempt, TimeSpan? RetryIn, long Pending);
