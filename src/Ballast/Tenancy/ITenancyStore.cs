namespace Ballast.Tenancy;

/// <summary>One stored document: its kind (<c>app</c>, <c>key</c> …), its name, its revision and its JSON.</summary>
public sealed record StoredRecord(string Kind, string Id, long Revision, string Body);

/// <summary>All that is stored, at one moment.</summary>
public sealed record StoredState(long Version, IReadOnlyList<StoredRecord> Records)
{
    public static StoredState Empty { get; } = new(0, []);
}

/// <summary>One change of one document; a body of null deletes it.</summary>
public sealed record RecordChange(string Action, string Kind, string Id, string? Body, string? AuditBody);

/// <summary>
/// Where organisations, teams, apps, keys, budgets and tokens made at run time are kept. One contract, one shared test suite for every store. Every method throws
/// <see cref="TenancyStoreException"/> where the store cannot be used. Nothing of it is ever called on the path of a client's request.
/// </summary>
public interface ITenancyStore : IAsyncDisposable
{
    /// <summary>Counts up with every change, whoever made it.</summary>
    Task<long> VersionAsync(CancellationToken cancellation);

    Task<StoredState> LoadAsync(CancellationToken cancellation);

    /// <summary>
    /// Applies a change and writes its row of the audit, both or neither; when this returns it is on the disk. False where the store is no longer at
    /// <paramref name="version"/>: somebody else has changed it, and nothing was done.
    /// </summary>
    Task<bool> TryChangeAsync(long version, RecordChange change, string actor, DateTimeOffset at, CancellationToken cancellation);

    /// <summary>Tells of changes that others make, as soon as the store knows of them; a store that cannot tell returns at once. It is looked for changes all the same.</summary>
    /// <param name="changed">Called when there may have been one; must be quick and must not throw.</param>
    /// <param name="time">Of the pauses between two tries.</param>
    /// <param name="cancellation">Ends it, without an exception.</param>
    Task ListenAsync(Action changed, TimeProvider time, CancellationToken cancellation);

    /// <summary>Rows of the audit, the newest first; those before a sequence where one is given.</summary>
    Task<IReadOnlyList<AuditDocument>> AuditAsync(long? before, int countMax, CancellationToken cancellation);
}

/// <summary>The store of tenants and keys cannot be used.</summary>
public sealed class TenancyStoreException(string message, Exception? inner = null) : Exception(message, inner);
