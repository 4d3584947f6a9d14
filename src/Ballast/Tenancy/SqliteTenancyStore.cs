using Microsoft.Data.Sqlite;

namespace Ballast.Tenancy;

/// <summary>The store in one SQLite file, readable by its owner only. What was changed survives a loss of power (<c>synchronous = FULL</c>).</summary>
public sealed class SqliteTenancyStore : ITenancyStore
{
    private const int SchemaVersion = 1;
    private const int BusyTimeoutSeconds = 5;

    private readonly string _path;

    /// <summary>One statement at a time has the connection.</summary>
    private readonly SemaphoreSlim _turn = new(1, 1);
    private SqliteConnection? _connection;
    private bool _isDisposed;

    private SqliteTenancyStore(string path)
    {
        _path = path;
    }

    /// <exception cref="TenancyStoreException">The file cannot be opened.</exception>
    public static SqliteTenancyStore Open(string path)
    {
        SqliteTenancyStore store = new(path);
        try
        {
            store._connection = Connect(path);
            return store;
        }
        catch (Exception failure) when (failure is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw store.Failed(failure);
        }
    }

    public Task<long> VersionAsync(CancellationToken cancellation) => RunAsync(static connection => Version(connection), cancellation);

    public Task<StoredState> LoadAsync(CancellationToken cancellation) => RunAsync(
        static connection =>
        {
            using SqliteTransaction snapshot = connection.BeginTransaction(deferred: true);
            using SqliteCommand command = Command(connection, "SELECT kind, id, revision, body FROM records ORDER BY kind, id");
            using SqliteDataReader rows = command.ExecuteReader();
            List<StoredRecord> records = [];
            while (rows.Read())
            {
                records.Add(new StoredRecord(rows.GetString(0), rows.GetString(1), rows.GetInt64(2), rows.GetString(3)));
            }

            return new StoredState(Version(connection), records);
        },
        cancellation);

    public Task<bool> TryChangeAsync(long version, RecordChange change, string actor, DateTimeOffset at, CancellationToken cancellation) => RunAsync(
        connection =>
        {
            using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
            if (Version(connection) != version)
            {
                return false;
            }

            using SqliteCommand write = change.Body is null
                ? Command(connection, "DELETE FROM records WHERE kind = $kind AND id = $id", ("$kind", change.Kind), ("$id", change.Id))
                : Command(
                    connection,
                    """
                    INSERT INTO records (kind, id, revision, body) VALUES ($kind, $id, $revision, $body)
                    ON CONFLICT (kind, id) DO UPDATE SET revision = excluded.revision, body = excluded.body
                    """,
                    ("$kind", change.Kind), ("$id", change.Id), ("$revision", version + 1), ("$body", change.Body));
            write.ExecuteNonQuery();
            using SqliteCommand audit = Command(
                connection, "INSERT INTO audit (at_us, actor, action, kind, id, after) VALUES ($at, $actor, $action, $kind, $id, $after)",
                ("$at", (at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond), ("$actor", actor), ("$action", change.Action),
                ("$kind", change.Kind), ("$id", change.Id), ("$after", change.AuditBody));
            audit.ExecuteNonQuery();
            using SqliteCommand count = Command(connection, "UPDATE state SET value = $version WHERE name = 'version'", ("$version", version + 1));
            count.ExecuteNonQuery();
            transaction.Commit();
            return true;
        },
        cancellation);

    public Task<IReadOnlyList<AuditDocument>> AuditAsync(long? before, int countMax, CancellationToken cancellation) => RunAsync<IReadOnlyList<AuditDocument>>(
        connection =>
        {
            using SqliteCommand command = Command(
                connection, "SELECT sequence, at_us, actor, action, kind, id, after FROM audit WHERE sequence < $before ORDER BY sequence DESC LIMIT $count",
                ("$before", before ?? long.MaxValue), ("$count", (long)countMax));
            using SqliteDataReader rows = command.ExecuteReader();
            List<AuditDocument> found = [];
            while (rows.Read())
            {
                found.Add(new AuditDocument
                {
                    Sequence = rows.GetInt64(0),
                    At = DateTimeOffset.UnixEpoch.AddMicroseconds(rows.GetInt64(1)),
                    Actor = rows.GetString(2),
                    Action = rows.GetString(3),
                    Kind = rows.GetString(4),
                    Id = rows.GetString(5),
                    After = rows.IsDBNull(6) ? null : rows.GetString(6),
                });
            }

            return found;
        },
        cancellation);

    /// <summary>A file tells nobody.</summary>
    public Task ListenAsync(Action changed, TimeProvider time, CancellationToken cancellation) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        _isDisposed = true;
        _connection?.Dispose();
        _connection = null;
        _turn.Release();
    }

    /// <summary>SQLite has no asynchronous calls: the work is done on the pool. A connection that failed is opened anew the next time.</summary>
    private async Task<T> RunAsync<T>(Func<SqliteConnection, T> work, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_connection is not null && !File.Exists(_path))
            {
                // Whatever was changed in a file without a name, a revocation too, would be undone by the next start.
                throw new TenancyStoreException($"The store of keys {_path} was moved or deleted while it was open: put it back, or start anew.");
            }

            return await Task.Run(() => work(_connection ??= Connect(_path)), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is SqliteException or IOException or UnauthorizedAccessException)
        {
            _connection?.Dispose();
            _connection = null;
            throw Failed(failure);
        }
        finally
        {
            _turn.Release();
        }
    }

    private TenancyStoreException Failed(Exception failure) => new($"The store of keys {_path} cannot be used: {failure.Message}", failure);

    private static SqliteConnection Connect(string path)
    {
        PrivateFile.Touch(path);
        SqliteConnection connection = new(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = BusyTimeoutSeconds,
        }.ToString());
        try
        {
            connection.Open();
            Execute(connection, "PRAGMA journal_mode = WAL");
            Execute(connection, "PRAGMA synchronous = FULL");
            Migrate(connection);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Migrate(SqliteConnection connection)
    {
        using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
        using SqliteCommand ask = Command(connection, "PRAGMA user_version");
        long version = (long)ask.ExecuteScalar()!;
        if (version > SchemaVersion)
        {
            throw new TenancyStoreException($"The store of keys has version {version} and was written by a newer Ballast; this one knows version {SchemaVersion}.");
        }

        if (version == 0)
        {
            using Stream stream = typeof(SqliteTenancyStore).Assembly.GetManifestResourceStream("Ballast.Tenancy.Schema.tenancy.sql")
                ?? throw new InvalidOperationException("The embedded script is missing.");
            using StreamReader script = new(stream);
            Execute(connection, script.ReadToEnd());
            Execute(connection, "PRAGMA user_version = 1");
        }

        transaction.Commit();
    }

    private static long Version(SqliteConnection connection)
    {
        using SqliteCommand command = Command(connection, "SELECT value FROM state WHERE name = 'version'");
        return (long)command.ExecuteScalar()!;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = Command(connection, sql);
        command.ExecuteNonQuery();
    }

    private static SqliteCommand Command(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // made of constants and an embedded script; all values are bound
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach ((string name, object? value) in values)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        return command;
    }
}
