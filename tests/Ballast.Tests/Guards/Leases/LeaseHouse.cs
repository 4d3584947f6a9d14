using Ballast.Guards;
using Ballast.Guards.Leases;
using Ballast.Tenancy;
using Ballast.Tenancy.Leases;
using Ballast.Tests.Ledger;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Guards.Leases;

/// <summary>Meters of several gateways on one database, without their ports: each speaks to the store when it is told to.</summary>
internal sealed class LeaseHouse : IAsyncDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 12, 12, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();
    private readonly string _connection;
    private readonly Action<MeterBook> _fill;
    private readonly List<LeaseGateway> _gateways = [];

    public LeaseHouse(string connection, Action<MeterBook> fill)
    {
        (_connection, _fill) = (connection, fill);
    }

    public FakeTimeProvider Time { get; } = new(s_now);

    public IReadOnlyList<LeaseGateway> Gateways => _gateways;

    public LeaseGateway Add()
    {
        _gateways.Add(Open(_gateways.Count));
        return _gateways[^1];
    }

    /// <summary>Ends one as a kill does, and starts it again on its files.</summary>
    public async Task<LeaseGateway> CrashAsync(int number)
    {
        await _gateways[number].CrashAsync();
        return _gateways[number] = Open(number);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (LeaseGateway gateway in _gateways)
        {
            await gateway.CrashAsync();
        }

        _folder.Dispose();
    }

    private LeaseGateway Open(int number)
    {
        LeaseFile file = LeaseFile.Open(_folder.File($"{number}.leases"), 1, Time);
        MeterBook meters = new(Time) { Share = new LeaseShare(file, Time) };
        SwitchedStore store = new(new PostgresLeaseStore(_connection, file.Gateway, Time));
        List<Exception> failures = [];
        LeaseGateway gateway = new(meters, file, store, new LeaseKeeper(store, meters, static _ => Task.FromResult(0m), failures.Add), failures);
        _fill(meters);
        return gateway;
    }
}

/// <summary>One of them.</summary>
internal sealed record LeaseGateway(MeterBook Meters, LeaseFile File, SwitchedStore Store, LeaseKeeper Keeper, List<Exception> Failures)
{
    public Task ShareAsync() => Keeper.ShareAsync(TestContext.Current.CancellationToken);

    /// <summary>Nothing is given back, nothing is said.</summary>
    public async Task CrashAsync()
    {
        await Store.DisposeAsync();
        File.Dispose();
    }
}

/// <summary>The real store, on a way that can be cut: before a word gets there, or after it.</summary>
internal sealed class SwitchedStore(ILeaseStore store) : ILeaseStore
{
    public bool IsAway { get; set; }

    /// <summary>The word arrives, the answer does not.</summary>
    public bool LosesAnswers { get; set; }

    public async Task<LeaseReply> ShareAsync(LeaseRequest request, CancellationToken cancellation)
    {
        if (IsAway)
        {
            throw new TenancyStoreException("away");
        }

        LeaseReply reply = await store.ShareAsync(request, cancellation);
        return LosesAnswers ? throw new TenancyStoreException("lost") : reply;
    }

    public Task SeedAsync(string sheet, decimal spent, CancellationToken cancellation) => store.SeedAsync(sheet, spent, cancellation);

    public Task<bool> TryTellAsync(string alert, CancellationToken cancellation) => store.TryTellAsync(alert, cancellation);

    public Task LeaveAsync(TimeSpan lately, CancellationToken cancellation) => store.LeaveAsync(lately, cancellation);

    public ValueTask DisposeAsync() => store.DisposeAsync();
}
