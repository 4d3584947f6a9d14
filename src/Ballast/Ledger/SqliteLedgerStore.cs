using Microsoft.Data.Sqlite;

namespace Ballast.Ledger;

/// <summary>
/// The ledger in one SQLite file: write-ahead log, one writing connection, one prepared statement. Reports read through connections of their
/// own (<see cref="LedgerReader"/>) and never wait for the writer, nor it for them.
/// </summary>
/// <remarks>
/// <c>synchronous = FULL</c>: what was appended survives a crash and a loss of power. One flush of the disk serves a whole batch, which makes it cheap;
/// the figures are in <c>docs/ledger.md</c>.
/// </remarks>
public sealed class SqliteLedgerStore : ILedgerStore
{
    /// <summary>Characters kept of any text; a vendor's name or id cannot bloat the ledger.</summary>
    public const int TextLengthMax = 1024;

    /// <summary>A token count beyond this (or below zero) is a vendor's error; it is cut, so that sums stay within 64 bits.</summary>
    public const long TokensMax = 1_000_000_000_000;

    /// <summary>How long a statement waits for a lock that another process holds; after it the ledger writer tries again.</summary>
    private const int BusyTimeoutMilliseconds = 1_000;

    private static readonly string[] s_columns =
    [
        "attempt_id", "exchange_id", "attempt_number", "started_us", "key_id", "app", "protocol", "operation", "stream",
        "requested_model", "sent_model", "served_model", "deployment", "vendor", "platform", "region",
        "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_long_tokens", "output_tokens", "reasoning_tokens",
        "is_estimated", "cost_pico", "input_cost_pico", "ttft_us", "duration_us", "outcome", "reason", "finish",
        "upstream_status", "upstream_request_id", "reached", "losses",
    ];

    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _insert;

    /// <summary>One batch at a time has the connection; waiting for it is asynchronous.</summary>
    private readonly SemaphoreSlim _turn = new(1, 1);
    private bool _disposed;

    private SqliteLedgerStore(string path, SqliteConnection connection, SqliteCommand insert)
    {
        Path = path;
        _connection = connection;
        _insert = insert;
    }

    public string Path { get; }

    /// <summary>Opens the file or makes it, readable by its owner only. Throws <see cref="LedgerException"/> where it cannot be opened.</summary>
    public static SqliteLedgerStore Open(string path)
    {
        SqliteConnection? connection = null;
        try
        {
            CreateFile(path);
            connection = new(new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = SqliteOpenMode.ReadWrite,
                Pooling = false,
                DefaultTimeout = BusyTimeoutMilliseconds / 1000,
            }.ToString());
            connection.Open();
            Pragma(connection, $"PRAGMA busy_timeout = {BusyTimeoutMilliseconds}");
            Pragma(connection, "PRAGMA journal_mode = WAL");
            Pragma(connection, "PRAGMA synchronous = FULL");
            SqliteSchema.Migrate(connection);
            return new SqliteLedgerStore(path, connection, PrepareInsert(connection));
        }
        catch (Exception failure) when (failure is SqliteException or IOException or UnauthorizedAccessException or LedgerException)
        {
            connection?.Dispose();
            throw new LedgerException($"The ledger {path} cannot be opened: {failure.Message}", failure);
        }
    }

    /// <inheritdoc/>
    /// <remarks>SQLite has no asynchronous calls: the work is done on the caller's thread, which is the ledger writer's own task.</remarks>
    public async Task AppendAsync(IReadOnlyList<LedgerEntry> entries, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using SqliteTransaction transaction = _connection.BeginTransaction(deferred: false);
            _insert.Transaction = transaction;
            foreach (LedgerEntry entry in entries)
            {
                Bind(_insert.Parameters, entry);
                _insert.ExecuteNonQuery();
            }

            transaction.Commit();
        }
        finally
        {
            _insert.Transaction = null;
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_disposed)
            {
                _disposed = true;
                _insert.Dispose();
                _connection.Dispose();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>SQLite would make the file with the process's own mask; its log files take the mode of this one.</summary>
    private static void CreateFile(string path)
    {
        FileStreamOptions options = new() { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using FileStream file = new(path, options);
    }

    private static void Pragma(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // constants only
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static SqliteCommand PrepareInsert(SqliteConnection connection)
    {
        SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // constants only
        command.CommandText =
            $"INSERT OR IGNORE INTO attempts ({string.Join(", ", s_columns)}) VALUES ({string.Join(", ", s_columns.Select(column => "$" + column))})";
#pragma warning restore CA2100
        foreach (string column in s_columns)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = "$" + column, Value = DBNull.Value });
        }

        command.Prepare();
        return command;
    }

    private static void Bind(SqliteParameterCollection parameters, LedgerEntry entry)
    {
        int index = 0;
        void Add(object? value) => parameters[index++].Value = value ?? DBNull.Value;

        Add(Text(entry.AttemptId));
        Add(Text(entry.ExchangeId));
        Add((long)entry.AttemptNumber);
        Add(Microseconds(entry.StartedAt - DateTimeOffset.UnixEpoch));
        Add(Text(entry.KeyId));
        Add(Text(entry.App));
        Add(Text(entry.Protocol));
        Add(Text(entry.Operation));
        Add(entry.Stream ? 1L : 0L);
        Add(Text(entry.RequestedModel));
        Add(Text(entry.SentModel));
        Add(OptionalText(entry.ServedModel));
        Add(Text(entry.Deployment));
        Add(Text(entry.Vendor));
        Add(Text(entry.Platform));
        Add(Text(entry.Region));
        Add(Tokens(entry.InputTokens));
        Add(Tokens(entry.CacheReadTokens));
        Add(Tokens(entry.CacheWriteTokens));
        Add(Tokens(entry.CacheWriteLongTokens));
        Add(Tokens(entry.OutputTokens));
        Add(entry.ReasoningTokens is long reasoning ? Tokens(reasoning) : null);
        Add(entry.IsEstimated ? 1L : 0L);
        Add(entry.CostUsd is decimal cost ? Picodollars.FromDollars(cost) : null);
        Add(entry.InputCostUsd is decimal inputCost ? Picodollars.FromDollars(inputCost) : null);
        Add(entry.TimeToFirstToken is TimeSpan ttft ? Microseconds(ttft) : null);
        Add(Microseconds(entry.Duration));
        Add(LedgerText.OutcomeName(entry.Outcome));
        Add(OptionalText(entry.Reason));
        Add(OptionalText(entry.Finish));
        Add((long?)entry.UpstreamStatus);
        Add(OptionalText(entry.UpstreamRequestId));
        Add(entry.Reached ? 1L : 0L);
        Add(LedgerText.WriteLosses(entry.Losses));
    }

    private static long Microseconds(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    private static long Tokens(long count) => Math.Clamp(count, 0, TokensMax);

    /// <summary>Never null, whatever the compiler was told: one bad row must not hold up all that wait behind it.</summary>
    private static string Text(string? text) => OptionalText(text) ?? "";

    private static string? OptionalText(string? text) => text is { Length: > TextLengthMax } ? text[..TextLengthMax] : text;
}
