using System.Globalization;
using Ballast.Ledger;
using Microsoft.Data.Sqlite;

namespace Ballast.Tests.Ledger;

/// <summary>Files of every earlier version are brought up to date without a row or a figure changing.</summary>
public sealed class SqliteSchemaTests : IDisposable
{
    private static readonly string[] s_words = ["key_id", "app", "protocol", "operation", "requested_model", "sent_model", "served_model", "deployment", "vendor", "platform", "region"];

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Open_FileOfVersion1_KeepsEveryRowAsItWas()
    {
        string path = _folder.File("v1.db");
        List<string> before = MakeVersion1(path, 300);

        await using (SqliteLedgerStore store = SqliteLedgerStore.Open(path))
        {
            Assert.Equal(before, Dump(path));
            LedgerReader reader = new(path);
            Assert.Equal(300, await reader.CountAsync(Cancellation));
            IReadOnlyList<LedgerEntry> entries = await reader.EntriesAsync(LedgerFilter.Everything, int.MaxValue, Cancellation);
            Assert.Contains(entries, entry => entry.ServedModel is null);
            Assert.Equal(300, entries.Select(entry => entry.AttemptId).Distinct().Count());

            // What is there already stays as it is, and new rows come beside it.
            await store.AppendAsync([entries[0] with { App = "changed" }, SampleEntries.Completed("new")], Cancellation);
            Assert.Equal(301, await reader.CountAsync(Cancellation));
            Assert.Equal(entries[0].App, (await reader.EntriesAsync(LedgerFilter.Everything, 1, Cancellation))[0].App);
        }

        Assert.Equal("ok", Scalar(path, "PRAGMA integrity_check"));
        Assert.Equal("7", Scalar(path, "PRAGMA user_version"));
        Assert.Equal("0", Scalar(path, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'attempts_%' AND name <> 'attempt_rows'"));
    }

    [Fact]
    public async Task Open_EmptyFileOfVersion1_TakesRows()
    {
        string path = _folder.File("empty.db");
        MakeVersion1(path, 0);

        await using SqliteLedgerStore store = SqliteLedgerStore.Open(path);
        await store.AppendAsync([SampleEntries.Completed("a1")], Cancellation);

        Assert.Equal(1, await new LedgerReader(path).CountAsync(Cancellation));
    }

    [Fact]
    public async Task UsageAsync_FileOfVersion1_SaysHowToBringItUpToDate()
    {
        string path = _folder.File("old.db");
        MakeVersion1(path, 1);

        LedgerException failure = await Assert.ThrowsAsync<LedgerException>(() => new LedgerReader(path).CountAsync(Cancellation));
        Assert.Contains("version 1", failure.Message, StringComparison.Ordinal);
        Assert.Contains("ballast serve", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>A step that fails leaves the file as it was: it is one transaction.</summary>
    [Fact]
    public void Open_StepThatFails_LeavesTheOldFile()
    {
        string path = _folder.File("stuck.db");
        List<string> before = MakeVersion1(path, 20);
        Execute(path, "CREATE TABLE labels (in_the_way TEXT)");

        Assert.Throws<LedgerException>(() => SqliteLedgerStore.Open(path));

        Assert.Equal(before, Dump(path));
        Assert.Equal("1", Scalar(path, "PRAGMA user_version"));
    }

    private static List<string> MakeVersion1(string path, int rows)
    {
        using Stream script = typeof(SqliteLedgerStore).Assembly.GetManifestResourceStream("Ballast.Ledger.Schema.sqlite.sql")!;
        Execute(path, new StreamReader(script).ReadToEnd());
        Execute(path, "PRAGMA user_version = 1");
        Random random = new(1);
        for (int row = 0; row < rows; row++)
        {
            // Few values for each word, so that rows share labels in part and in full, and values that only differ in what SQL may take for the same.
            string[] words = [.. s_words.Select(word => random.Next(5) switch { 0 => "''", 1 => "'a'", 2 => "'A'", 3 => "'a '", _ => word == "served_model" ? "NULL" : "'1'" })];
            string ttft = random.Next(2) == 0 ? "NULL" : "123";
            Execute(path, string.Create(CultureInfo.InvariantCulture,
                $"""
                INSERT INTO attempts ({string.Join(", ", s_words)}, attempt_id, exchange_id, attempt_number, started_us, stream, input_tokens, cache_read_tokens,
                    cache_write_tokens, cache_write_long_tokens, output_tokens, reasoning_tokens, is_estimated, cost_pico, input_cost_pico, ttft_us, duration_us, outcome,
                    reason, finish, upstream_status, upstream_request_id, reached, losses)
                VALUES ({string.Join(", ", words)}, 'req_{row / 2}-{(row % 2) + 1}', 'req_{row / 2}', {(row % 2) + 1}, {1_700_000_000_000_000 + (random.Next(50) * 1000)}, {row % 2}, 1, 2,
                    3, 4, 5, 6, 0, {row}, NULL, {ttft}, 99, 'completed', NULL, 'stop', 200, 'u{row}', 1, NULL)
                """));
        }

        return Dump(path);
    }

    private static List<string> Dump(string path)
    {
        using SqliteConnection connection = Open(path);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText =
            """
            SELECT attempt_id, exchange_id, attempt_number, started_us, key_id, app, protocol, operation, stream,
                requested_model, sent_model, served_model, deployment, vendor, platform, region,
                input_tokens, cache_read_tokens, cache_write_tokens, cache_write_long_tokens, output_tokens, reasoning_tokens,
                is_estimated, cost_pico, input_cost_pico, ttft_us, duration_us, outcome, reason, finish,
                upstream_status, upstream_request_id, reached, losses
            FROM attempts ORDER BY attempt_id
            """;
        using SqliteDataReader reader = command.ExecuteReader();
        List<string> rows = [];
        while (reader.Read())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(column => reader.IsDBNull(column) ? "null" : $"<{reader.GetValue(column)}>")));
        }

        return rows;
    }

    private static void Execute(string path, string sql)
    {
        using SqliteConnection connection = Open(path);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static string? Scalar(string path, string sql)
    {
        using SqliteConnection connection = Open(path);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private static SqliteConnection Open(string path)
    {
        SqliteConnection connection = new($"Data Source={path};Pooling=False");
        connection.Open();
        return connection;
    }
}
