using System.Globalization;
using Ballast.Ledger;
using Ballast.Ledger.Rollups;
using Microsoft.Data.Sqlite;

namespace Ballast.Tests.Ledger;

public sealed class SqliteLedgerStoreTests : LedgerStoreContract
{
    private readonly TemporaryFolder _folder = new();

    private string FilePath => _folder.File("ledger.db");

    protected override Task<ILedgerStore> OpenStoreAsync() => Task.FromResult<ILedgerStore>(SqliteLedgerStore.Open(FilePath));

    protected override ILedgerStore OpenAgain(RollupRetention retention, TimeProvider time) => SqliteLedgerStore.Open(FilePath, retention, time);

    protected override Task<IReadOnlyList<string>> QueryAsync(string sql) => Task.FromResult(Query(FilePath, sql));

    /// <summary>A ledger of the version before gets the sums that it would have had from the beginning.</summary>
    [Fact]
    public async Task Open_FileWithoutSums_GetsThoseOfItsRows()
    {
        Random dice = new(19);
        await Store.AppendAsync([.. Enumerable.Range(0, 300).Select(number => RandomEntry(dice, number) with { TimeToFirstToken = TimeSpan.FromMicroseconds(dice.NextInt64(0, 1L << dice.Next(1, 40))) })], Cancellation);
        IReadOnlyList<string> kept = await QueryAsync(Sums);
        await Store.DisposeAsync();
        foreach (string drop in (string[])["VIEW usage_rollups", "VIEW usage_times", "VIEW usage_media", "VIEW retried", "TABLE rollups", "TABLE rollup_media", "TABLE rollup_times", "TABLE retried_rows", "TABLE rollup_kept"])
        {
            Query(FilePath, "DROP " + drop);
        }

        Query(FilePath, "DROP VIEW attempts");
        Query(FilePath, "ALTER TABLE attempt_rows DROP COLUMN media");
        Query(FilePath, "CREATE VIEW attempts AS SELECT * FROM attempt_rows");
        Query(FilePath, "PRAGMA user_version = 4");
        await using SqliteLedgerStore again = SqliteLedgerStore.Open(FilePath);
        await again.AppendAsync([], Cancellation);

        Assert.True(kept.Count > 300);
        Assert.Equal(kept.Order(StringComparer.Ordinal), (await QueryAsync(Sums)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Open_FileWithoutSumsOfMedia_GetsThoseOfItsRows()
    {
        Random dice = new(20);
        await Store.AppendAsync([.. Enumerable.Range(0, 300).Select(number => RandomEntry(dice, number))], Cancellation);
        IReadOnlyList<string> kept = await QueryAsync(SumsOfMedia);
        await Store.DisposeAsync();
        Query(FilePath, "DROP VIEW usage_media");
        Query(FilePath, "DROP TABLE rollup_media");
        Query(FilePath, "PRAGMA user_version = 6");
        await using SqliteLedgerStore again = SqliteLedgerStore.Open(FilePath);
        await again.AppendAsync([], Cancellation);

        Assert.True(kept.Count > 300);
        Assert.Equal(kept.Order(StringComparer.Ordinal), (await QueryAsync(SumsOfMedia)).Order(StringComparer.Ordinal));
    }

    /// <summary>A file that was moved or deleted takes rows without a word, and has nothing of them at the next start.</summary>
    [Fact]
    public async Task AppendAsync_FileIsGone_IsRefusedUntilItIsBack()
    {
        Random dice = new(7);
        await Store.AppendAsync([RandomEntry(dice, 1)], Cancellation);
        File.Move(FilePath, FilePath + ".old");

        LedgerException refused = await Assert.ThrowsAsync<LedgerException>(() => Store.AppendAsync([RandomEntry(dice, 2)], Cancellation));
        Assert.Contains("moved or deleted", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(FilePath));

        File.Move(FilePath + ".old", FilePath);
        await Store.AppendAsync([RandomEntry(dice, 3)], Cancellation);
        Assert.Equal(["2"], await QueryAsync("SELECT count(*) FROM attempt_rows"));
    }

    private static IReadOnlyList<string> Query(string path, string sql)
    {
        using SqliteConnection connection = new($"Data Source={path};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        using SqliteDataReader reader = command.ExecuteReader();
        List<string> rows = [];
        while (reader.Read())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(column => Convert.ToString(reader.GetValue(column), CultureInfo.InvariantCulture))));
        }

        return rows;
    }

    protected override LedgerReader OpenReader() => new(FilePath);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Open_NewFile_IsReadableByItsOwnerOnly()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        await Store.AppendAsync([SampleEntries.Completed("a1")], Cancellation);

        foreach (string file in (string[])[FilePath, FilePath + "-wal", FilePath + "-shm"])
        {
#pragma warning disable CA1416 // skipped on Windows above
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
#pragma warning restore CA1416
        }
    }

    [Fact]
    public async Task Open_FileWithRows_KeepsThem()
    {
        await Store.AppendAsync([SampleEntries.Completed("a1")], Cancellation);
        await Store.DisposeAsync();

        await using SqliteLedgerStore again = SqliteLedgerStore.Open(FilePath);
        await again.AppendAsync([SampleEntries.Completed("a2")], Cancellation);

        Assert.Equal(2, (await ReadAllAsync()).Count);
    }

    [Fact]
    public void Open_FileOfNewerVersion_IsRefusedWithBothVersions()
    {
        string newer = _folder.File("newer.db");
        Run(newer, "PRAGMA user_version = 99");

        LedgerException failure = Assert.Throws<LedgerException>(() => SqliteLedgerStore.Open(newer));
        Assert.Contains("version 99", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NotADatabase_IsRefusedWithThePath()
    {
        string text = _folder.File("notes.txt");
        File.WriteAllText(text, string.Concat(Enumerable.Repeat("This is not a database. ", 100)));

        LedgerException failure = Assert.Throws<LedgerException>(() => SqliteLedgerStore.Open(text));
        Assert.Contains(text, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FolderMissing_IsRefusedWithThePath()
    {
        string path = _folder.File("missing/ledger.db");

        Assert.Contains(path, Assert.Throws<LedgerException>(() => SqliteLedgerStore.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AppendAsync_ReadersAtTheSameTime_SeeWholeBatchesOnly()
    {
        using CancellationTokenSource done = new();
        LedgerReader reader = new(FilePath);
        Task<int> reading = Task.Run(
            async () =>
            {
                int reads = 0;
                while (!done.IsCancellationRequested)
                {
                    Assert.Equal(0, await reader.CountAsync(Cancellation) % 10);
                    reads++;
                }

                return reads;
            },
            Cancellation);
        for (int batch = 0; batch < 100; batch++)
        {
            await Store.AppendAsync([.. Enumerable.Range(0, 10).Select(index => SampleEntries.Completed($"{batch}-{index}"))], Cancellation);
        }

        await done.CancelAsync();
        Assert.True(await reading > 0);
        Assert.Equal(1000, await reader.CountAsync(Cancellation));
    }

    [Fact]
    public async Task AppendAsync_MoreLabelsThanAreKeptInMind_EachRowKeepsItsOwn()
    {
        const int count = SqliteLabels.LabelsMax + 100;
        LedgerEntry[] rows = [.. Enumerable.Range(0, count).Select(index => SampleEntries.Completed($"a{index}") with { RequestedModel = $"invented-{index}" })];
        await Store.AppendAsync(rows, Cancellation);
        await Store.AppendAsync([.. rows.Take(50).Select(row => row with { AttemptId = row.AttemptId + "b" })], Cancellation);

        IReadOnlyList<LedgerEntry> read = await ReadAllAsync();
        Assert.Equal(count + 50, read.Count);
        Assert.All(read, row => Assert.Equal("invented-" + row.AttemptId[1..].TrimEnd('b'), row.RequestedModel));
    }

    [Fact]
    public async Task AppendAsync_RowsOfOneKind_ShareOneLabel()
    {
        await Store.AppendAsync([.. Enumerable.Range(0, 50).Select(index => SampleEntries.Completed($"a{index}"))], Cancellation);
        await Store.AppendAsync([SampleEntries.Failed("b1"), SampleEntries.Completed("b2")], Cancellation);

        Assert.Equal("2", Run(FilePath, "SELECT CAST(count(*) AS TEXT) FROM labels"));
    }

    [Theory]
    [InlineData("req_1-1", "req_1", 1)]
    [InlineData("req_1-2", "req_1", 2)]
    [InlineData("req_1-12", "req_1", 12)]
    [InlineData("req_1-1", "req_1", 2)]
    [InlineData("req_1-1", "req_2", 1)]
    [InlineData("req_1x1", "req_1", 1)]
    [InlineData("-1", "", 1)]
    [InlineData("", "", 1)]
    public async Task AppendAsync_IdsOfAnyForm_ReadBackTheSame(string attempt, string exchange, int number)
    {
        await Store.AppendAsync([SampleEntries.Completed(attempt) with { ExchangeId = exchange, AttemptNumber = number }], Cancellation);

        LedgerEntry read = Assert.Single(await ReadAllAsync());
        Assert.Equal((attempt, exchange, number), (read.AttemptId, read.ExchangeId, read.AttemptNumber));
    }

    [Fact]
    public async Task EntriesAsync_PeriodAsked_ReadsNoMoreThanThat()
    {
        await Store.AppendAsync([SampleEntries.Completed("a1")], Cancellation);

        Assert.StartsWith("SEARCH a USING PRIMARY KEY (started_us>? AND started_us<?)", Plan("SELECT * FROM attempts WHERE started_us >= 1 AND started_us < 2"), StringComparison.Ordinal);
    }

    /// <summary>What a killed process leaves behind is what a copy of its files shows, taken while it writes: the log may end in a torn frame.</summary>
    [Fact]
    public async Task Open_FilesOfAProcessKilledWhileWriting_AreWholeAndHoldWhatWasAppended()
    {
        int appended = 0;
        Task writing = Task.Run(
            async () =>
            {
                // Few enough for no checkpoint: a copy of two files, unlike a kill, is not taken at one moment.
                for (int batch = 0; batch < 80; batch++)
                {
                    await Store.AppendAsync([.. Enumerable.Range(0, 5).Select(index => SampleEntries.Completed($"{batch}-{index}"))], Cancellation);
                    Interlocked.Add(ref appended, 5);
                }
            },
            Cancellation);
        for (int copies = 0; copies < 5 || !writing.IsCompleted; copies++)
        {
            int before = Volatile.Read(ref appended);
            string copy = _folder.File(string.Create(CultureInfo.InvariantCulture, $"copy{copies}.db"));
            File.Copy(FilePath, copy);
            File.Copy(FilePath + "-wal", copy + "-wal");

            await using SqliteLedgerStore opened = SqliteLedgerStore.Open(copy);
            long rows = await new LedgerReader(copy).CountAsync(Cancellation);
            Assert.True(rows >= before, $"{before} rows had been appended, {rows} are there");
            Assert.Equal(0, rows % 5);
            Assert.Equal("ok", Run(copy, "PRAGMA integrity_check"));
        }

        await writing;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(4_000)]
    [InlineData(9_000)]
    public async Task Open_LogCutShort_LosesTheLastBatchesWholeAndNothingElse(int bytes)
    {
        for (int batch = 0; batch < 20; batch++)
        {
            await Store.AppendAsync([.. Enumerable.Range(0, 5).Select(index => SampleEntries.Completed($"{batch}-{index}"))], Cancellation);
        }

        string copy = _folder.File("copy.db");
        File.Copy(FilePath, copy);
        File.Copy(FilePath + "-wal", copy + "-wal");
        using (FileStream log = File.OpenWrite(copy + "-wal"))
        {
            log.SetLength(log.Length - bytes);
        }

        await using SqliteLedgerStore opened = SqliteLedgerStore.Open(copy);
        long rows = await new LedgerReader(copy).CountAsync(Cancellation);
        Assert.InRange(rows, 80, 95);
        Assert.Equal(0, rows % 5);
        Assert.Equal("ok", Run(copy, "PRAGMA integrity_check"));
    }

    private string Plan(string sql)
    {
        using SqliteConnection connection = new($"Data Source={FilePath};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + sql;
        using SqliteDataReader reader = command.ExecuteReader();
        reader.Read();
        return reader.GetString(reader.GetOrdinal("detail"));
    }

    private static string? Run(string path, string sql)
    {
        using SqliteConnection connection = new($"Data Source={path};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() as string;
    }
}
