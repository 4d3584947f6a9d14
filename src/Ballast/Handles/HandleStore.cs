using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Ballast.Handles;

/// <summary>
/// Which file or batch lies where, in one SQLite file that is made when the first one is kept. What was added survives a crash; what nobody uses for
/// <see cref="Lifetime"/> is forgotten. All methods throw <see cref="HandleStoreException"/> where the file cannot be used.
/// </summary>
public sealed class HandleStore(string path, TimeProvider time) : IAsyncDisposable
{
    /// <summary>How long a handle is remembered after its last use.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);

    /// <summary>Longest form of an object that is remembered, in bytes; a longer one is asked for anew.</summary>
    public const int ObjectBytesMax = 32 * 1024;

    /// <summary>A use is written down no more often.</summary>
    private static readonly TimeSpan UseGrain = TimeSpan.FromDays(1);

    private const string Columns = "name, kind, app, provider, deployment, upstream_id, purpose, models, is_final, gone_us, object, expires_us, held_budgets, held_usd, held_tokens, held_us";

    /// <summary>One statement at a time has the connection; waiting for it is asynchronous.</summary>
    private readonly SemaphoreSlim _turn = new(1, 1);
    private SqliteConnection? _connection;
    private bool _disposed;

    public string Path => path;

    /// <summary>The handle of that name, where it is one and that app's; else null.</summary>
    public async Task<Handle?> FindAsync(string name, HandleKind kind, string app)
    {
        // A name that cannot be one costs no look.
        if (!HandleName.IsOne(kind, name) || (_connection is null && !File.Exists(path)))
        {
            return null;
        }

        return await RunAsync(connection => Find(connection, name, kind, app)).ConfigureAwait(false);
    }

    /// <summary>How many handles an app has.</summary>
    public async Task<long> CountAsync(string app) =>
        _connection is null && !File.Exists(path) ? 0 : await RunAsync(connection => Count(connection, app)).ConfigureAwait(false);

    /// <summary>
    /// Writes a handle down; when this returns, it is on the disk. What the app knows already by its provider's id keeps its first name. Null where the app has
    /// <paramref name="max"/> handles.
    /// </summary>
    public Task<Handle?> TryAddAsync(Handle handle, long max) => RunAsync(connection =>
    {
        using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
        using (SqliteCommand sweep = Command(connection, "DELETE FROM handles WHERE expires_us <= $now OR gone_us <= $now", ("$now", Now)))
        {
            sweep.ExecuteNonQuery();
        }

        Handle? added = Count(connection, handle.App) < max ? GetOrInsert(connection, handle) : null;
        transaction.Commit();
        return added;
    });

    /// <summary>The same without a bound: the files that a batch makes are met, not created, and are as many as their batches.</summary>
    public Task<Handle> GetOrAddAsync(Handle handle) => RunAsync(connection =>
    {
        using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
        Handle added = GetOrInsert(connection, handle);
        transaction.Commit();
        return added;
    });

    /// <summary>Remembers how it looks now. True for the one update that makes it final: what is counted once is counted then.</summary>
    public Task<bool> UpdateAsync(Handle handle) => RunAsync(connection =>
    {
        // What is final stays so: an older answer may arrive after a newer one.
        using SqliteCommand command = Command(
            connection, "UPDATE handles SET is_final = $final, gone_us = $gone, object = $object WHERE name = $name AND is_final = 0",
            ("$final", handle.IsFinal ? 1L : 0L), ("$gone", Microseconds(handle.GoneAt)), ("$object", Bounded(handle.Object)), ("$name", handle.Name));
        return command.ExecuteNonQuery() > 0 && handle.IsFinal;
    });

    public Task RemoveAsync(Handle handle) => RunAsync(connection =>
    {
        using SqliteCommand command = Command(connection, "DELETE FROM handles WHERE name = $name", ("$name", handle.Name));
        return command.ExecuteNonQuery();
    });

    /// <summary>Batches, of whatever app, for which budgets hold something.</summary>
    public async Task<IReadOnlyList<Handle>> HeldAsync() => _connection is null && !File.Exists(path) ? [] : await RunAsync<IReadOnlyList<Handle>>(connection =>
    {
        using SqliteCommand command = Command(
            connection, $"SELECT {Columns} FROM handles WHERE held_budgets IS NOT NULL AND is_final = 0 AND expires_us > $now AND (gone_us IS NULL OR gone_us > $now) ORDER BY sequence", ("$now", Now));
        using SqliteDataReader reader = command.ExecuteReader();
        List<Handle> found = [];
        while (reader.Read())
        {
            found.Add(ReadRow(reader));
        }

        return found;
    }).ConfigureAwait(false);

    /// <summary>Handles of an app in the order in which they were made.</summary>
    public async Task<HandlePage> ListAsync(string app, HandleQuery query)
    {
        if (_connection is null && !File.Exists(path))
        {
            return new HandlePage([], false);
        }

        return await RunAsync(connection => List(connection, app, query)).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            _disposed = true;
            _connection?.Dispose();
            _connection = null;
        }
        finally
        {
            _turn.Release();
        }
    }

    private long Now => Microseconds(time.GetUtcNow())!.Value;

    /// <summary>SQLite has no asynchronous calls, and nothing on a request's path may block: the work is done on the pool.</summary>
    private async Task<T> RunAsync<T>(Func<SqliteConnection, T> work)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return await Task.Run(() => work(_connection ??= HandleSchema.Open(path))).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw new HandleStoreException($"The handles in {path} cannot be used: {failure.Message}", failure);
        }
        finally
        {
            _turn.Release();
        }
    }

    private Handle? Find(SqliteConnection connection, string name, HandleKind kind, string app)
    {
        using SqliteCommand command = Command(
            connection,
            $"SELECT {Columns} FROM handles WHERE name = $name AND kind = $kind AND app = $app AND expires_us > $now AND (gone_us IS NULL OR gone_us > $now)",
            ("$name", name), ("$kind", KindText(kind)), ("$app", app), ("$now", Now));
        Handle? found = null;
        long expires = 0;
        using (SqliteDataReader reader = command.ExecuteReader())
        {
            if (reader.Read())
            {
                found = ReadRow(reader);
                expires = reader.GetInt64(11);
            }
        }

        if (found is not null && expires < ExpiresFromNow - Microseconds(UseGrain))
        {
            using SqliteCommand use = Command(connection, "UPDATE handles SET expires_us = $expires WHERE name = $name", ("$expires", ExpiresFromNow), ("$name", name));
            use.ExecuteNonQuery();
        }

        return found;
    }

    private long Count(SqliteConnection connection, string app)
    {
        using SqliteCommand command = Command(
            connection, "SELECT COUNT(*) FROM handles WHERE app = $app AND expires_us > $now AND (gone_us IS NULL OR gone_us > $now)", ("$app", app), ("$now", Now));
        return (long)command.ExecuteScalar()!;
    }

    private HandlePage List(SqliteConnection connection, string app, HandleQuery query)
    {
        string compare = query.IsAscending ? ">" : "<";
        string after = query.After is null ? "" : $" AND sequence {compare} (SELECT sequence FROM handles WHERE name = $after AND app = $app AND kind = $kind)";
        string purpose = query.Purpose is null ? "" : " AND purpose = $purpose";
        using SqliteCommand command = Command(
            connection,
            $"""
            SELECT {Columns} FROM handles
            WHERE app = $app AND kind = $kind AND expires_us > $now AND (gone_us IS NULL OR gone_us > $now){after}{purpose}
            ORDER BY sequence {(query.IsAscending ? "ASC" : "DESC")} LIMIT $limit
            """,
            ("$app", app), ("$kind", KindText(query.Kind)), ("$now", Now), ("$after", query.After), ("$purpose", query.Purpose), ("$limit", query.Limit + 1L));
        List<Handle> found = [];
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read())
        {
            found.Add(ReadRow(reader));
        }

        bool hasMore = found.Count > query.Limit;
        return new HandlePage(hasMore ? found[..query.Limit] : found, hasMore);
    }

    private Handle GetOrInsert(SqliteConnection connection, Handle handle)
    {
        using SqliteCommand command = Command(
            connection,
            $"UPDATE handles SET expires_us = $expires WHERE app = $app AND kind = $kind AND provider = $provider AND upstream_id = $upstream RETURNING {Columns}",
            ("$expires", ExpiresFromNow), ("$app", handle.App), ("$kind", KindText(handle.Kind)), ("$provider", handle.Provider), ("$upstream", handle.UpstreamId));
        using (SqliteDataReader reader = command.ExecuteReader())
        {
            if (reader.Read())
            {
                return ReadRow(reader);
            }
        }

        Insert(connection, handle);
        return handle;
    }

    private void Insert(SqliteConnection connection, Handle handle)
    {
        using SqliteCommand command = Command(
            connection,
            $"""
            INSERT INTO handles ({Columns})
            VALUES ($name, $kind, $app, $provider, $deployment, $upstream, $purpose, $models, $final, $gone, $object, $expires, $budgets, $usd, $tokens, $since)
            """,
            ("$name", handle.Name), ("$kind", KindText(handle.Kind)), ("$app", handle.App), ("$provider", handle.Provider), ("$deployment", handle.Deployment),
            ("$upstream", handle.UpstreamId), ("$purpose", handle.Purpose), ("$models", string.Join('\n', handle.Models)), ("$final", handle.IsFinal ? 1L : 0L), ("$gone", Microseconds(handle.GoneAt)),
            ("$object", Bounded(handle.Object)), ("$expires", ExpiresFromNow),
            ("$budgets", handle.Held is { } held ? string.Join('\n', held.Budgets) : null), ("$usd", handle.Held?.Usd.ToString(CultureInfo.InvariantCulture)),
            ("$tokens", handle.Held?.Tokens), ("$since", Microseconds(handle.Held?.Since)));
        command.ExecuteNonQuery();
    }

    private long ExpiresFromNow => Now + Microseconds(Lifetime);

    private static byte[] Bounded(ReadOnlyMemory<byte> form) => form.Length > ObjectBytesMax ? [] : form.ToArray();

    private static Handle ReadRow(SqliteDataReader row) => new()
    {
        Name = row.GetString(0),
        Kind = row.GetString(1) switch { "file" => HandleKind.File, "batch" => HandleKind.Batch, _ => HandleKind.MessageBatch },
        App = row.GetString(2),
        Provider = row.GetString(3),
        Deployment = row.GetString(4),
        UpstreamId = row.GetString(5),
        Purpose = row.GetString(6),
        Models = row.GetString(7).Split('\n', StringSplitOptions.RemoveEmptyEntries),
        IsFinal = row.GetInt64(8) != 0,
        Held = row.IsDBNull(12) ? null : new HandleHold(
            row.GetString(12).Split('\n'), decimal.Parse(row.GetString(13), CultureInfo.InvariantCulture), row.GetInt64(14), DateTimeOffset.UnixEpoch.AddMicroseconds(row.GetInt64(15))),
        GoneAt = row.IsDBNull(9) ? null : DateTimeOffset.UnixEpoch.AddMicroseconds(row.GetInt64(9)),
        Object = row.GetFieldValue<byte[]>(10),
    };

    private static string KindText(HandleKind kind) => kind switch
    {
        HandleKind.File => "file",
        HandleKind.Batch => "batch",
        _ => "message_batch",
    };

    private static long? Microseconds(DateTimeOffset? moment) => moment is { } at ? (at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond : null;

    private static long Microseconds(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    private static SqliteCommand Command(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // made of constants; all values are bound
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach ((string name, object? value) in values)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        return command;
    }
}
