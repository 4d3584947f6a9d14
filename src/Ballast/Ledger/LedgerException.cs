namespace Ballast.Ledger;

/// <summary>The ledger cannot be opened or read; the message says what to do about it.</summary>
public sealed class LedgerException : Exception
{
    /// <summary>There is no ledger yet: nothing was ever written.</summary>
    public bool IsMissing { get; init; }

    public LedgerException(string message) : base(message)
    {
    }

    public LedgerException(string message, Exception inner) : base(message, inner)
    {
    }
}
