using Npgsql;

namespace Ballast.Tenancy;

/// <summary>
/// The store in a PostgreSQL database (15 or newer) that several gateways share. A change is told to all that listen with <c>NOTIFY</c>, when it is committed. One connection
/// works, another one listens; one that failed is opened anew the next time.
/// </summary>
public sealed class PostgresTenancyStore : ITenancyStore
{
    private const string Channel = "ballast_tenancy";

    /// <summary>Longest wait for one command: a database that hangs must not hold up who looks twice a second.</summary>
    private const int CommandSeconds = 5;

    private static readonly TimeSpan s_listenPause = TimeSpan.FromSeconds(1);

    private readonly NpgsqlDataSource _source;

    /// <summary>One statement at a time has the connection.</summary>
    private readonly SemaphoreSlim _turn = new(1, 1);
    private NpgsqlConnection? _connection;
    private bool _isMigrated;
    private bool _isDisposed;

    private PostgresTenancyStore(NpgsqlDataSource source)
    {
        _source = source;
    }

    /// <summary>Connects with the first call, not here.</summary>
    /// <exception cref="TenancyStoreException">It is no connection string.</exception>
    public static PostgresTenancyStore Of(string connection)
    {
        try
        {
            return new PostgresTenancyStore(PostgresSource.Of(connection, CommandSeconds));
        }
        catch (FormatException fault)
        {
            throw new TenancyStoreException(fault.Message);
        }
    }

    /// <inheritdoc/>
    public Task<long> VersionAsync(CancellationToken cancellation) => RunAsync(VersionAsync, cancellation);

    /// <inheritdoc/>
    public Task<StoredState> LoadAsync(CancellationToken cancellation) => RunAsync(
        static async (connection, cancellation) =>
        {
            NpgsqlTransaction snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellation).ConfigureAwait(false);
            await using (snapshot.ConfigureAwait(false))
            {
                long version = await VersionAsync(connection, cancellation).ConfigureAwait(false);
                List<StoredRecord> records = [];
                await ReadAsync(
                    connection, "SELECT kind, id, revision, body FROM tenancy_records ORDER BY kind COLLATE \"C\", id COLLATE \"C\"", [],
                    row => records.Add(new StoredRecord(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetString(3))), cancellation).ConfigureAwait(false);
                return new StoredState(version, records);
            }
        },
        cancellation);

    /// <inheritdoc/>
    public Task<bool> TryChangeAsync(long version, RecordChange change, string actor, DateTimeOffset at, CancellationToken cancellation) => RunAsync(
        async (connection, cancellation) =>
        {
            NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                // Who comes second waits here, and then sees what the first has made of it.
                long current = (long)(await AskAsync(connection, "SELECT value FROM tenancy_state WHERE name = 'version' FOR UPDATE", [], cancellation).ConfigureAwait(false))!;
                if (current != version)
                {
                    return false;
                }

                await (change.Body is null
                    ? AskAsync(connection, "DELETE FROM tenancy_records WHERE kind = $1 AND id = $2", [change.Kind, change.Id], cancellation)
                    : AskAsync(
                        connection,
                        """
                        INSERT INTO tenancy_records (kind, id, revision, body) VALUES ($1, $2, $3, $4)
                        ON CONFLICT (kind, id) DO UPDATE SET revision = excluded.revision, body = excluded.body
                        """,
                        [change.Kind, change.Id, version + 1, change.Body], cancellation)).ConfigureAwait(false);
                await AskAsync(
                    connection, "INSERT INTO tenancy_audit (at_us, actor, action, kind, id, after) VALUES ($1, $2, $3, $4, $5, $6)",
                    [(at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond, actor, change.Action, change.Kind, change.Id, (object?)change.AuditBody ?? DBNull.Value],
                    cancellation).ConfigureAwait(false);
                await AskAsync(connection, "UPDATE tenancy_state SET value = $1 WHERE name = 'version'", [version + 1], cancellation).ConfigureAwait(false);
                await AskAsync(connection, $"NOTIFY {Channel}", [], cancellation).ConfigureAwait(false);
                await transaction.CommitAsync(cancellation).ConfigureAwait(false);
                return true;
            }
        },
        cancellation);

    /// <inheritdoc/>
    public Task<IReadOnlyList<AuditDocument>> AuditAsync(long? before, int countMax, CancellationToken cancellation) => RunAsync<IReadOnlyList<AuditDocument>>(
        async (connection, cancellation) =>
        {
            List<AuditDocument> found = [];
            await ReadAsync(
                connection, "SELECT sequence, at_us, actor, action, kind, id, after FROM tenancy_audit WHERE sequence < $1 ORDER BY sequence DESC LIMIT $2",
                [before ?? long.MaxValue, countMax],
                row => found.Add(new AuditDocument
                {
                    Sequence = row.GetInt64(0),
                    At = DateTimeOffset.UnixEpoch.AddMicroseconds(row.GetInt64(1)),
                    Actor = row.GetString(2),
                    Action = row.GetString(3),
                    Kind = row.GetString(4),
                    Id = row.GetString(5),
                    After = row.IsDBNull(6) ? null : row.GetString(6),
                }),
                cancellation).ConfigureAwait(false);
            return found;
        },
        cancellation);

    /// <inheritdoc/>
    public async Task ListenAsync(Action changed, TimeProvider time, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                {
                    await AskAsync(connection, $"LISTEN {Channel}", [], cancellation).ConfigureAwait(false);
                    while (true)
                    {
                        changed(); // at first for what was missed without a connection
                        await connection.WaitAsync(cancellation).ConfigureAwait(false);
                    }
                }
            }
            catch (Exception failure) when (IsOfTheDatabase(failure) || failure is OperationCanceledException or ObjectDisposedException)
            {
                // Who looks twice a second says that the database is away.
                try
                {
                    await Task.Delay(s_listenPause, time, cancellation).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    }

    /// <summary>What all gateways on this store must have the same of: the first one's value, whoever asks.</summary>
    /// <param name="name">What it is.</param>
    /// <param name="value">What this gateway has of it.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="TenancyStoreException">The store cannot be used.</exception>
    public Task<long> AgreeAsync(string name, long value, CancellationToken cancellation) => RunAsync(
        async (connection, cancellation) =>
        {
            await AskAsync(connection, "INSERT INTO tenancy_state (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", [name, value], cancellation).ConfigureAwait(false);
            return (long)(await AskAsync(connection, "SELECT value FROM tenancy_state WHERE name = $1", [name], cancellation).ConfigureAwait(false))!;
        },
        cancellation);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                await CloseAsync().ConfigureAwait(false);
                await _source.DisposeAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    internal static bool IsOfTheDatabase(Exception failure) => failure is NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException;

    private static async Task<long> VersionAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (long)(await AskAsync(connection, "SELECT value FROM tenancy_state WHERE name = 'version'", [], cancellation).ConfigureAwait(false))!;

    private async Task<T> RunAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_connection is null)
            {
                _connection = await _source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
                if (!_isMigrated)
                {
                    await TenancySchema.MigrateAsync(_connection, cancellation).ConfigureAwait(false);
                    _isMigrated = true;
                }

                // The database's owner may have chosen less; a change that was answered is to survive.
                await AskAsync(_connection, "SET synchronous_commit = on", [], cancellation).ConfigureAwait(false);
            }

            return await work(_connection, cancellation).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            await CloseAsync().ConfigureAwait(false);
            if (IsOfTheDatabase(failure))
            {
                throw new TenancyStoreException($"The database of keys cannot be used: {failure.Message}", failure);
            }

            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask CloseAsync()
    {
        if (Interlocked.Exchange(ref _connection, null) is { } connection)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    internal static async Task<object?> AskAsync(NpgsqlConnection connection, string sql, object[] values, CancellationToken cancellation)
    {
        NpgsqlCommand command = Command(connection, sql, values);
        await using (command.ConfigureAwait(false))
        {
            return await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false);
        }
    }

    internal static async Task ReadAsync(NpgsqlConnection connection, string sql, object[] values, Action<NpgsqlDataReader> take, CancellationToken cancellation)
    {
        NpgsqlCommand command = Command(connection, sql, values);
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            await using (rows.ConfigureAwait(false))
            {
                while (await rows.ReadAsync(cancellation).ConfigureAwait(false))
                {
                    take(rows);
                }
            }
        }
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, object[] values)
    {
#pragma warning disable CA2100 // constants and embedded scripts; all values are bound
        NpgsqlCommand command = new(sql, connection);
#pragma warning restore CA2100
        foreach (object value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return command;
    }
}
