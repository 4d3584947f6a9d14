using Ballast.Ledger.Rollups;
using Ballast.Ledger.Spool;
using Microsoft.Data.Sqlite;

namespace Ballast.Ledger;

/// <summary>
/// The ledger in one SQLite file: write-ahead log, one writing connection, two prepared statements. Reports read through connections of their
/// own (<see cref="LedgerReader"/>) and never wait for the writer, nor it for them.
/// </summary>
/// <remarks>
/// <c>synchronous = FULL</c>: what was appended survives a crash and a loss of power. One flush of the disk serves a whole batch, which makes it cheap;
/// the figures are in <c>docs/ledger.md</c>.
/// </remarks>
public sealed class SqliteLedgerStore : ILedgerStore, ILedgerEventStore
{
    /// <summary>Characters kept of any text; a vendor's name or id cannot bloat the ledger.</summary>
    public const int TextLengthMax = 1024;

    /// <summary>A token count beyond this (or below zero) is a vendor's error; it is cut, so that sums stay within 64 bits.</summary>
    public const long TokensMax = 1_000_000_000_000;

    /// <summary>How long a statement waits for a lock that another process holds; after it the ledger writer tries again.</summary>
    private const int BusyTimeoutMilliseconds = 1_000;

    private static readonly string[] s_columns =
    [
        "started_us", "attempt_id", "exchange_id", "attempt_number", "label_id", "stream",
        "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_long_tokens", "output_tokens", "reasoning_tokens",
        "is_estimated", "cost_pico", "input_cost_pico", "ttft_us", "duration_us", "outcome", "reason", "finish",
        "upstream_status", "upstream_request_id", "reached", "losses", "reserved_pico", "reserved_currency", "media",
    ];

    private readonly SqliteConnection _connection;
    private readonly SqliteInsert _insert;
    private readonly SqliteLabels _labels;
    private readonly SqliteRollups _rollups;

    /// <summary>One batch at a time has the connection; waiting for it is asynchronous.</summary>
    private readonly SemaphoreSlim _turn = new(1, 1);
    private bool _disposed;

    private SqliteLedgerStore(string path, SqliteConnection connection, RollupRetention? retention, TimeProvider? time)
    {
        Path = path;
        _connection = connection;
        _insert = new SqliteInsert(connection, "attempt_rows", s_columns);
        _labels = new SqliteLabels(connection);
        _rollups = new SqliteRollups(connection, retention ?? RollupRetention.Default, time ?? TimeProvider.System);
    }

    public string Path { get; }

    /// <summary>Opens the file or makes it, readable by its owner only. Throws <see cref="LedgerException"/> where it cannot be opened.</summary>
    public static SqliteLedgerStore Open(string path, RollupRetention? retention = null, TimeProvider? time = null)
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
            return new SqliteLedgerStore(path, connection, retention, time);
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
            CheckThere();
            using SqliteTransaction transaction = _connection.BeginTransaction(deferred: false);
            _rollups.Begin(transaction);
            foreach (LedgerEntry entry in entries)
            {
                Insert(entry);
            }

            _rollups.Write();
            CrashPoint.Reach("apply.inserted");
            transaction.Commit();
        }
        catch
        {
            _labels.Forget();
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public async Task AppendEventsAsync(IReadOnlyList<LedgerEvent> events, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            CheckThere();
            using SqliteTransaction transaction = _connection.BeginTransaction(deferred: false);
            EventQuery.Insert(_connection, transaction, events);
            transaction.Commit();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>What is written into a file that has lost its name is gone with the process: the rows wait until it is back, or until the next start makes a new one.</summary>
    private void CheckThere()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!File.Exists(Path))
        {
            throw new LedgerException($"The ledger {Path} was moved or deleted while it was open. Put it back, or start anew: rows wait in the spool.");
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
                _labels.Dispose();
                _rollups.Dispose();
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

    /// <summary>Values in the order of <see cref="s_columns"/>.</summary>
    private void Insert(LedgerEntry entry)
    {
        long label = _labels.NumberOf(LabelOf(entry));
        _insert.Begin();
        _insert.Bind(Microseconds(entry.StartedAt - DateTimeOffset.UnixEpoch));
        _insert.Bind(Text(entry.AttemptId));
        _insert.Bind(IsNamedAfterExchange(entry) ? null : Text(entry.ExchangeId));
        _insert.Bind((long)entry.AttemptNumber);
        _insert.Bind(label);
        _insert.Bind(entry.Stream ? 1L : 0L);
        _insert.Bind(Tokens(entry.InputTokens));
        _insert.Bind(Tokens(entry.CacheReadTokens));
        _insert.Bind(Tokens(entry.CacheWriteTokens));
        _insert.Bind(Tokens(entry.CacheWriteLongTokens));
        _insert.Bind(Tokens(entry.OutputTokens));
        _insert.Bind(entry.ReasoningTokens is long reasoning ? Tokens(reasoning) : null);
        _insert.Bind(entry.IsEstimated ? 1L : 0L);
        _insert.Bind(entry.CostUsd is decimal cost ? Picodollars.FromDollars(cost) : null);
        _insert.Bind(entry.InputCostUsd is decimal inputCost ? Picodollars.FromDollars(inputCost) : null);
        _insert.Bind(entry.TimeToFirstToken is TimeSpan ttft ? Microseconds(ttft) : null);
        _insert.Bind(Microseconds(entry.Duration));
        _insert.Bind(LedgerText.OutcomeName(entry.Outcome));
        _insert.Bind(OptionalText(entry.Reason));
        _insert.Bind(OptionalText(entry.Finish));
        _insert.Bind((long?)entry.UpstreamStatus);
        _insert.Bind(OptionalText(entry.UpstreamRequestId));
        _insert.Bind(entry.Reached ? 1L : 0L);
        _insert.Bind(LedgerText.WriteLosses(entry.Losses));
        _insert.Bind(entry.Reserved is decimal reserved ? Picodollars.FromDollars(reserved) : null);
        _insert.Bind(OptionalText(entry.ReservedCurrency));
        _insert.Bind(MediaText.Write(entry.Media));
        if (_insert.Run())
        {
            _rollups.Add(entry, label);
        }
    }

    private static SqliteLabel LabelOf(LedgerEntry entry) => new(
        Text(entry.KeyId), Text(entry.App), Text(entry.Protocol), Text(entry.Operation), Text(entry.RequestedModel), Text(entry.SentModel), OptionalText(entry.ServedModel),
        Text(entry.Deployment), Text(entry.Vendor), Text(entry.Platform), Text(entry.Region), OptionalText(entry.Team), OptionalText(entry.Organisation));

    /// <summary>The view tells such an exchange's id from its attempt's.</summary>
    private static bool IsNamedAfterExchange(LedgerEntry entry)
    {
        ReadOnlySpan<char> id = entry.AttemptId;
        int length = entry.ExchangeId?.Length ?? 0;
        return entry.AttemptNumber is > 0 and < 10 && length > 0 && id.Length == length + 2 && id.Length <= TextLengthMax
            && id[^1] == '0' + entry.AttemptNumber && id[^2] == '-' && id.StartsWith(entry.ExchangeId);
    }

    internal static long Microseconds(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    internal static long Tokens(long count) => Math.Clamp(count, 0, TokensMax);

    /// <summary>Never null, whatever the compiler was told: one bad row must not hold up all that wait behind it.</summary>
    internal static string Text(string? text) => OptionalText(text) ?? "";

    internal static string? OptionalText(string? text) => text is { Length: > TextLengthMax } ? text[..TextLengthMax] : text;
}
