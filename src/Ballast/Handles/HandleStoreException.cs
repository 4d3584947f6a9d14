namespace Ballast.Handles;

/// <summary>Handles cannot be kept or found now; the message says why and is for the log.</summary>
public sealed class HandleStoreException : Exception
{
    public HandleStoreException(string message) : base(message)
    {
    }

    public HandleStoreException(string message, Exception inner) : base(message, inner)
    {
    }
}
