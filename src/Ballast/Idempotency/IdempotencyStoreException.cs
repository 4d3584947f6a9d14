namespace Ballast.Idempotency;

/// <summary>The answers that are kept for repetitions cannot be read or written.</summary>
public sealed class IdempotencyStoreException(string message, Exception? inner = null) : Exception(message, inner);
