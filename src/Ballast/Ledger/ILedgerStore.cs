namespace Ballast.Ledger;

/// <summary>Where ledger rows live. One contract, one shared test suite for every store.</summary>
public interface ILedgerStore : IAsyncDisposable
{
    /// <summary>Writes all rows in one transaction; a row whose id is already there is left as it is.</summary>
    Task AppendAsync(IReadOnlyList<LedgerEntry> entries, CancellationToken cancellation);
}
