using Ballast.Tenancy;

namespace Ballast.Tests.Guards;

/// <summary>A store, and how often it was asked for anything.</summary>
internal sealed class CountingStore(ITenancyStore of) : ITenancyStore
{
    private long _calls;

    public long Calls => Interlocked.Read(ref _calls);

    public Task<long> VersionAsync(CancellationToken cancellation) => Counted().VersionAsync(cancellation);

    public Task<StoredState> LoadAsync(CancellationToken cancellation) => Counted().LoadAsync(cancellation);

    public Task<bool> TryChangeAsync(long version, RecordChange change, string actor, DateTimeOffset at, CancellationToken cancellation) =>
        Counted().TryChangeAsync(version, change, actor, at, cancellation);

    public Task<IReadOnlyList<AuditDocument>> AuditAsync(long? before, int countMax, CancellationToken cancellation) => Counted().AuditAsync(before, countMax, cancellation);

    public Task ListenAsync(Action changed, TimeProvider time, CancellationToken cancellation) => of.ListenAsync(changed, time, cancellation);

    public ValueTask DisposeAsync() => of.DisposeAsync();

    private ITenancyStore Counted()
    {
        Interlocked.Increment(ref _calls);
        return of;
    }
}
