using System.Diagnostics;
using Ballast.Tenancy;
using Ballast.Tests.Ledger;
using Npgsql;

namespace Ballast.Tests.Tenancy;

public sealed class PostgresTenancyStoreTests(PostgresFixture postgres) : TenancyStoreContract
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private string _connection = "";

    protected override async Task<ITenancyStore> OpenAsync()
    {
        _connection = await postgres.NewDatabaseAsync();
        return PostgresTenancyStore.Of(_connection);
    }

    protected override ITenancyStore OpenOther() => PostgresTenancyStore.Of(_connection);

    protected override ValueTask DisposeFolderAsync() => default;

    [Fact]
    public async Task ListenAsync_ChangesByAnother_AreToldWithoutALook()
    {
        await using ITenancyStore listener = OpenOther();
        await using ITenancyStore other = OpenOther();
        using CancellationTokenSource end = new();
        int told = 0;
        Task listening = listener.ListenAsync(() => Interlocked.Increment(ref told), TimeProvider.System, end.Token);
        await UntilAsync(() => Volatile.Read(ref told) == 1); // it listens
        for (int i = 0; i < 3; i++)
        {
            Assert.True(await other.TryChangeAsync(i, new RecordChange("create", "app", $"a{i}", "{}", "{}"), "first", DateTimeOffset.UnixEpoch, Cancellation));
            await UntilAsync(() => Volatile.Read(ref told) == i + 2);
        }

        await end.CancelAsync();
        await listening.WaitAsync(s_patience, Cancellation);
    }

    /// <summary>A connection that was cut is made anew, and what was missed meanwhile is looked at.</summary>
    [Fact]
    public async Task ListenAsync_ConnectionIsCut_ListensAgain()
    {
        await using ITenancyStore listener = OpenOther();
        using CancellationTokenSource end = new();
        int told = 0;
        Task listening = listener.ListenAsync(() => Interlocked.Increment(ref told), TimeProvider.System, end.Token);
        await UntilAsync(() => Volatile.Read(ref told) == 1);
        await CutAllAsync();
        await UntilAsync(() => Volatile.Read(ref told) == 2);

        await end.CancelAsync();
        await listening.WaitAsync(s_patience, Cancellation);
    }

    [Fact]
    public async Task VersionAsync_ConnectionIsCut_FailsOnceAndGoesOn()
    {
        await using PostgresTenancyStore store = PostgresTenancyStore.Of(_connection);
        Assert.Equal(0, await store.VersionAsync(Cancellation));
        await CutAllAsync();

        await Assert.ThrowsAsync<TenancyStoreException>(() => store.VersionAsync(Cancellation));
        Assert.Equal(0, await store.VersionAsync(Cancellation));
    }

    [Fact]
    public async Task AgreeAsync_SecondValue_IsNotTaken()
    {
        await using PostgresTenancyStore one = PostgresTenancyStore.Of(_connection);
        await using PostgresTenancyStore other = PostgresTenancyStore.Of(_connection);
        Assert.Equal(7, await one.AgreeAsync("pepper", 7, Cancellation));
        Assert.Equal(7, await other.AgreeAsync("pepper", 8, Cancellation));
    }

    [Fact]
    public async Task VersionAsync_SeveralGatewaysStartAtOnce_MakeOneSchema()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            await using PostgresTenancyStore store = PostgresTenancyStore.Of(_connection);
            Assert.Equal(0, await store.VersionAsync(Cancellation));
        }));
    }

    [Fact]
    public async Task VersionAsync_DatabaseOfANewerBallast_IsRefused()
    {
        await using PostgresTenancyStore store = PostgresTenancyStore.Of(_connection);
        await store.VersionAsync(Cancellation);
        await RunAsync("UPDATE ballast_tenancy SET version = 99");

        await using PostgresTenancyStore older = PostgresTenancyStore.Of(_connection);
        Assert.Contains("newer", (await Assert.ThrowsAsync<TenancyStoreException>(() => older.VersionAsync(Cancellation))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host=db;Pasword=secret-word")]
    [InlineData("postgres://u:secret-word@db/x")]
    public void Of_NoConnectionString_SaysSoWithoutItsWords(string text) =>
        Assert.DoesNotContain("secret-word", Assert.Throws<TenancyStoreException>(() => PostgresTenancyStore.Of(text)).ToString(), StringComparison.Ordinal);

    private Task CutAllAsync() => RunAsync("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'ballast' AND datname = current_database()");

    private async Task RunAsync(string sql)
    {
        await using NpgsqlConnection connection = new(_connection);
        await connection.OpenAsync(Cancellation);
        await using NpgsqlCommand command = new(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(waited.Elapsed < s_patience, "it does not happen");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancellation);
        }
    }
}
