using Ballast.Ledger.Rollups;
using Ballast.Ledger.Spool;
using Npgsql;
using NpgsqlTypes;

namespace Ballast.Ledger;

/// <summary>
/// The ledger in a PostgreSQL database (15 or newer). A batch is copied in binary form into a table of the connection's own, and from there into the month's part of the
/// ledger in one statement that leaves rows which are there as they are. Nothing is opened before the first batch: a gateway starts without its database.
/// </summary>
public sealed class PostgresLedgerStore : ILedgerStore, ILedgerEventStore
{
    private const string Copy =
        """
        COPY ballast_batch (attempt_id, exchange_id, attempt_number, started_us, key_id, app, team, organisation, protocol, operation, stream,
            requested_model, sent_model, served_model, deployment, vendor, platform, region,
            input_tokens, cache_read_tokens, cache_write_tokens, cache_write_long_tokens, output_tokens, reasoning_tokens,
            is_estimated, cost_pico, input_cost_pico, reserved_pico, reserved_currency, ttft_us, duration_us, outcome, reason, finish,
            upstream_status, upstream_request_id, reached, losses, media) FROM STDIN (FORMAT BINARY)
        """;

    private readonly NpgsqlDataSource _source;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly HashSet<DateTime> _months = [];
    private NpgsqlConnection? _connection;
    private readonly RollupRetention _retention;
    private readonly TimeProvider _time;
    private DateTimeOffset _sweptAt = DateTimeOffset.MinValue;
    private bool _isMigrated;
    private bool _disposed;

    /// <param name="connection">As Npgsql writes it, for example <c>Host=db;Database=ballast;Username=ballast;Password=…</c>.</param>
    /// <exception cref="LedgerException">It is no connection string.</exception>
    /// <param name="retention">How long sums are kept; null for the usual times.</param>
    /// <param name="time">By which what is too old is found.</param>
    public PostgresLedgerStore(string connection, RollupRetention? retention = null, TimeProvider? time = null)
    {
        _source = Source(connection);
        _retention = retention ?? RollupRetention.Default;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>Judges a connection without making one.</summary>
    /// <exception cref="LedgerException">It is no connection string.</exception>
    public static void Check(string connection) => Source(connection).Dispose();

    /// <inheritdoc/>
    public async Task AppendAsync(IReadOnlyList<LedgerEntry> entries, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            await WriteAsync(entries, cancellation).ConfigureAwait(false);
        }
        catch (Exception) when (_connection is not null)
        {
            await CloseAsync().ConfigureAwait(false);
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
            ObjectDisposedException.ThrowIf(_disposed, this);
            NpgsqlConnection connection = _connection ??= await OpenAsync(cancellation).ConfigureAwait(false);
            NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                EventQuery.Insert(connection, transaction, events);
                await transaction.CommitAsync(cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception) when (_connection is not null)
        {
            await CloseAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
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
                await CloseAsync().ConfigureAwait(false);
                await _source.DisposeAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Connections to a ledger, made when they are asked for.</summary>
    internal static NpgsqlDataSource Source(string connection)
    {
        try
        {
            // A database that hangs is found out by the writer's own limit, and sooner by this one.
            return Tenancy.PostgresSource.Of(connection, commandSeconds: 30);
        }
        catch (FormatException)
        {
            throw new LedgerException("The ledger's connection is no connection string of PostgreSQL: write it as Host=…;Database=…;Username=…;Password=….");
        }
    }

    private async Task WriteAsync(IReadOnlyList<LedgerEntry> entries, CancellationToken cancellation)
    {
        NpgsqlConnection connection = _connection ??= await OpenAsync(cancellation).ConfigureAwait(false);
        foreach (DateTime month in entries.Select(static entry => MonthOf(entry.StartedAt)).Distinct())
        {
            if (!_months.Contains(month))
            {
                await PostgresSchema.EnsureMonthAsync(connection, month, cancellation).ConfigureAwait(false);
                _months.Add(month);
            }
        }

        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            NpgsqlBinaryImporter copy = await connection.BeginBinaryImportAsync(Copy, cancellation).ConfigureAwait(false);
            await using (copy.ConfigureAwait(false))
            {
                foreach (LedgerEntry entry in entries)
                {
                    WriteRow(copy, entry);
                }

                await copy.CompleteAsync(cancellation).ConfigureAwait(false);
            }

            await PostgresSchema.RunAsync(connection, PostgresRollups.Append, cancellation).ConfigureAwait(false);
            if (_time.GetUtcNow() is var now && now - _sweptAt >= RollupRetention.SweepEvery)
            {
                await PostgresRollups.SweepAsync(connection, _retention, now, cancellation).ConfigureAwait(false);
                _sweptAt = now;
            }

            CrashPoint.Reach("apply.inserted");
            await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        }
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellation)
    {
        NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!_isMigrated)
            {
                await PostgresSchema.MigrateAsync(connection, cancellation).ConfigureAwait(false);
                _isMigrated = true;
            }

            // The database's owner may have chosen less; a row that was acknowledged is deleted from the spool.
            await PostgresSchema.RunAsync(
                connection,
                "SET synchronous_commit = on; CREATE TEMPORARY TABLE IF NOT EXISTS ballast_batch (LIKE attempts) ON COMMIT DELETE ROWS",
                cancellation).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _connection, null) is { } connection)
        {
            _months.Clear();
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static DateTime MonthOf(DateTimeOffset time) => new(time.UtcDateTime.Year, time.UtcDateTime.Month, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Values in the order of <see cref="Copy"/>.</summary>
    private static void WriteRow(NpgsqlBinaryImporter copy, LedgerEntry entry)
    {
        copy.StartRow();
        Text(copy, SqliteLedgerStore.Text(entry.AttemptId));
        Text(copy, SqliteLedgerStore.Text(entry.ExchangeId));
        copy.Write(entry.AttemptNumber, NpgsqlDbType.Integer);
        Number(copy, SqliteLedgerStore.Microseconds(entry.StartedAt - DateTimeOffset.UnixEpoch));
        Text(copy, SqliteLedgerStore.Text(entry.KeyId));
        Text(copy, SqliteLedgerStore.Text(entry.App));
        Text(copy, entry.Team);
        Text(copy, entry.Organisation);
        Text(copy, SqliteLedgerStore.Text(entry.Protocol));
        Text(copy, SqliteLedgerStore.Text(entry.Operation));
        Flag(copy, entry.Stream);
        Text(copy, SqliteLedgerStore.Text(entry.RequestedModel));
        Text(copy, SqliteLedgerStore.Text(entry.SentModel));
        Text(copy, entry.ServedModel);
        Text(copy, SqliteLedgerStore.Text(entry.Deployment));
        Text(copy, SqliteLedgerStore.Text(entry.Vendor));
        Text(copy, SqliteLedgerStore.Text(entry.Platform));
        Text(copy, SqliteLedgerStore.Text(entry.Region));
        Number(copy, SqliteLedgerStore.Tokens(entry.InputTokens));
        Number(copy, SqliteLedgerStore.Tokens(entry.CacheReadTokens));
        Number(copy, SqliteLedgerStore.Tokens(entry.CacheWriteTokens));
        Number(copy, SqliteLedgerStore.Tokens(entry.CacheWriteLongTokens));
        Number(copy, SqliteLedgerStore.Tokens(entry.OutputTokens));
        Number(copy, entry.ReasoningTokens is long reasoning ? SqliteLedgerStore.Tokens(reasoning) : null);
        Flag(copy, entry.IsEstimated);
        Money(copy, entry.CostUsd);
        Money(copy, entry.InputCostUsd);
        Money(copy, entry.Reserved);
        Text(copy, entry.ReservedCurrency);
        Number(copy, entry.TimeToFirstToken is TimeSpan ttft ? SqliteLedgerStore.Microseconds(ttft) : null);
        Number(copy, SqliteLedgerStore.Microseconds(entry.Duration));
        Text(copy, LedgerText.OutcomeName(entry.Outcome));
        Text(copy, entry.Reason);
        Text(copy, entry.Finish);
        Number(copy, entry.UpstreamStatus);
        Text(copy, entry.UpstreamRequestId);
        Flag(copy, entry.Reached);
        Text(copy, LedgerText.WriteLosses(entry.Losses));
        Text(copy, MediaText.Write(entry.Media));
    }

    private static void Flag(NpgsqlBinaryImporter copy, bool value) => Number(copy, value ? 1 : 0);

    private static void Money(NpgsqlBinaryImporter copy, decimal? dollars) => Number(copy, dollars is decimal amount ? Picodollars.FromDollars(amount) : null);

    private static void Number(NpgsqlBinaryImporter copy, long? number)
    {
        if (number is long value)
        {
            copy.Write(value, NpgsqlDbType.Bigint);
        }
        else
        {
            copy.WriteNull();
        }
    }

    /// <summary>PostgreSQL knows no text with a zero in it.</summary>
    private static void Text(NpgsqlBinaryImporter copy, string? text)
    {
        if (SqliteLedgerStore.OptionalText(text) is { } value)
        {
            copy.Write(value.Contains('\0', StringComparison.Ordinal) ? value.Replace('\0', '\uFFFD') : value, NpgsqlDbType.Text);
        }
        else
        {
            copy.WriteNull();
        }
    }
}
