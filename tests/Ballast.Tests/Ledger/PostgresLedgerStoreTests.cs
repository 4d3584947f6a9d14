using Ballast.Ledger;
using Ballast.Ledger.Rollups;
using Npgsql;

namespace Ballast.Tests.Ledger;

public sealed class PostgresLedgerStoreTests(PostgresFixture postgres) : LedgerStoreContract
{
    private string _connection = "";

    protected override async Task<ILedgerStore> OpenStoreAsync()
    {
        _connection = await postgres.NewDatabaseAsync();
        return new PostgresLedgerStore(_connection);
    }

    protected override ILedgerStore OpenAgain(RollupRetention retention, TimeProvider time) => new PostgresLedgerStore(_connection, retention, time);

    protected override async Task<IReadOnlyList<string>> QueryAsync(string sql)
    {
        await using NpgsqlConnection connection = new(_connection);
        await connection.OpenAsync(Cancellation);
        await using NpgsqlCommand command = new(sql, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(Cancellation);
        List<string> rows = [];
        while (await reader.ReadAsync(Cancellation))
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(column => Convert.ToString(reader.GetValue(column), System.Globalization.CultureInfo.InvariantCulture))));
        }

        return rows;
    }

    /// <summary>A ledger of the version before gets the sums that it would have had from the beginning.</summary>
    [Fact]
    public async Task AppendAsync_DatabaseWithoutSums_GetsThoseOfItsRows()
    {
        Random dice = new(19);
        await Store.AppendAsync([.. Enumerable.Range(0, 300).Select(number => RandomEntry(dice, number) with { TimeToFirstToken = TimeSpan.FromMicroseconds(dice.NextInt64(0, 1L << dice.Next(1, 40))) })], Cancellation);
        IReadOnlyList<string> kept = await QueryAsync(Sums);
        await QueryAsync(
            """
            DROP VIEW usage_media; DROP TABLE rollup_media; DROP VIEW usage_rollups; DROP VIEW usage_times; DROP VIEW retried; DROP TABLE rollups; DROP TABLE rollup_times; DROP TABLE retried_rows; DROP TABLE rollup_kept;
            DROP TABLE rollup_labels; DROP FUNCTION ballast_label; DROP FUNCTION ballast_slot; UPDATE ballast_ledger SET version = 2
            """);
        await using PostgresLedgerStore again = new(_connection);
        await again.AppendAsync([], Cancellation);

        Assert.True(kept.Count > 300);
        Assert.Equal(kept.Order(StringComparer.Ordinal), (await QueryAsync(Sums)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task AppendAsync_DatabaseWithoutSumsOfMedia_GetsThoseOfItsRows()
    {
        Random dice = new(20);
        await Store.AppendAsync([.. Enumerable.Range(0, 300).Select(number => RandomEntry(dice, number))], Cancellation);
        IReadOnlyList<string> kept = await QueryAsync(SumsOfMedia);
        await QueryAsync("DROP VIEW usage_media; DROP TABLE rollup_media; UPDATE ballast_ledger SET version = 4");
        await using PostgresLedgerStore again = new(_connection);
        await again.AppendAsync([], Cancellation);

        Assert.True(kept.Count > 300);
        Assert.Equal(kept.Order(StringComparer.Ordinal), (await QueryAsync(SumsOfMedia)).Order(StringComparer.Ordinal));
    }

    protected override LedgerReader OpenReader() => LedgerReader.OfPostgres(_connection);

    [Fact]
    public async Task AppendAsync_RowsOfSeveralMonths_LieInPartsOfTheirOwn()
    {
        await Store.AppendAsync(
            [SampleEntries.Completed("a1"), SampleEntries.Completed("a2") with { StartedAt = SampleEntries.Start.AddMonths(2) }], Cancellation);

        await using NpgsqlConnection connection = new(_connection);
        await connection.OpenAsync(Cancellation);
        await using NpgsqlCommand command = new("SELECT string_agg(DISTINCT tableoid::regclass::text, ' ' ORDER BY tableoid::regclass::text) FROM attempts", connection);
        Assert.Equal("attempts_2026_11 attempts_2027_01", await command.ExecuteScalarAsync(Cancellation));
    }

    [Fact]
    public async Task AppendAsync_SeveralGatewaysStartAtOnce_MakeOneSchema()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async index =>
        {
            await using PostgresLedgerStore store = new(_connection);
            await store.AppendAsync([SampleEntries.Completed($"a{index}")], Cancellation);
        }));

        Assert.Equal(6, await OpenReader().CountAsync(Cancellation));
    }

    [Fact]
    public async Task AppendAsync_ConnectionIsCut_TheNextBatchHasANewOne()
    {
        await Store.AppendAsync([SampleEntries.Completed("a1")], Cancellation);
        await using NpgsqlConnection connection = new(_connection);
        await connection.OpenAsync(Cancellation);
        await using NpgsqlCommand command = new("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'ballast' AND datname = current_database()", connection);
        await command.ExecuteScalarAsync(Cancellation);

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => Store.AppendAsync([SampleEntries.Completed("a2")], Cancellation));
        await Store.AppendAsync([SampleEntries.Completed("a2")], Cancellation);

        Assert.Equal(2, await OpenReader().CountAsync(Cancellation));
    }

    [Fact]
    public async Task AppendAsync_DatabaseOfANewerBallast_IsRefused()
    {
        await Store.AppendAsync([SampleEntries.Completed("a1")], Cancellation);
        await using NpgsqlConnection connection = new(_connection);
        await connection.OpenAsync(Cancellation);
        await using NpgsqlCommand command = new("UPDATE ballast_ledger SET version = 99", connection);
        await command.ExecuteNonQueryAsync(Cancellation);

        await using PostgresLedgerStore older = new(_connection);
        LedgerException failure = await Assert.ThrowsAsync<LedgerException>(() => older.AppendAsync([SampleEntries.Completed("a2")], Cancellation));
        Assert.Contains("newer", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<LedgerException>(() => OpenReader().CountAsync(Cancellation));
    }

    [Theory]
    [InlineData("Host=db;Pasword=secret-word")]
    [InlineData("postgres://u:secret-word@db/x")]
    public void Check_NoConnectionString_SaysSoWithoutItsWords(string text) =>
        Assert.DoesNotContain("secret-word", Assert.Throws<LedgerException>(() => PostgresLedgerStore.Check(text)).ToString(), StringComparison.Ordinal);
}
