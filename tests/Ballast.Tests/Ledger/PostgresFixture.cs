[assembly: AssemblyFixture(typeof(Ballast.Tests.Ledger.PostgresFixture))]

namespace Ballast.Tests.Ledger;

/// <summary>One PostgreSQL server for all tests that need none of their own, started by the first of them.</summary>
public sealed class PostgresFixture : IAsyncDisposable
{
    private readonly Lazy<Task<PostgresServer>> _server = new(PostgresServer.StartNewAsync);

    public async Task<string> NewDatabaseAsync() => await (await _server.Value).NewDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        if (_server.IsValueCreated && PostgresServer.IsInstalled)
        {
            await (await _server.Value).DisposeAsync();
        }
    }
}
