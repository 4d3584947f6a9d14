using System.Security.Cryptography;
using Ballast.Protocols;
using Ballast.Tenancy;
using Microsoft.Data.Sqlite;

namespace Ballast.Conversations;

/// <summary>
/// The rows of the store: owners (answers and conversations) and their items. Every statement names the key, so that nobody finds what is another's. Used by one
/// thread at a time, inside a transaction.
/// </summary>
internal sealed class ConversationRows : IDisposable
{
    /// <summary>Answers that one may go back through.</summary>
    private const int ChainMax = 10_000;

    private const int BusyTimeoutMilliseconds = 1_000;

    private const string Schema = """
        CREATE TABLE IF NOT EXISTS owners (
            key TEXT NOT NULL, id TEXT NOT NULL, is_answer INTEGER NOT NULL, previous TEXT, created INTEGER NOT NULL, expires INTEGER NOT NULL,
            bytes INTEGER NOT NULL, json BLOB NOT NULL, place TEXT, is_at_work INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (key, id));
        CREATE INDEX IF NOT EXISTS owners_expire ON owners (expires);
        CREATE TABLE IF NOT EXISTS items (
            key TEXT NOT NULL, owner TEXT NOT NULL, position INTEGER NOT NULL, id TEXT NOT NULL, is_output INTEGER NOT NULL, issuer TEXT NOT NULL,
            json BLOB NOT NULL, PRIMARY KEY (key, owner, position));
        CREATE INDEX IF NOT EXISTS items_by_id ON items (key, id);
        """;

    private readonly SqliteConnection _connection;

    /// <summary>What each key has, counted once and followed from then on.</summary>
    private readonly Dictionary<string, (long Count, long Bytes)> _totals = new(StringComparer.Ordinal);

    private readonly ContentSeal? _seal;

    private ConversationRows(SqliteConnection connection, ContentSeal? seal) => (_connection, _seal) = (connection, seal);

    /// <param name="path">The file, made where there is none.</param>
    /// <param name="seal">What is kept is encrypted with; null keeps it in clear.</param>
    public static ConversationRows Open(string path, ContentSeal? seal = null)
    {
        SqliteConnection? connection = null;
        try
        {
            CreateFile(path);
            connection = new(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ToString());
            connection.Open();
            ConversationRows rows = new(connection, seal);
            rows.Execute($"PRAGMA busy_timeout = {BusyTimeoutMilliseconds}");
            rows.Execute("PRAGMA journal_mode = WAL");
            rows.Execute("PRAGMA synchronous = NORMAL");

            // What is deleted is overwritten: erased means erased.
            rows.Execute("PRAGMA secure_delete = ON");
            rows.Execute(Schema);
            rows.BringUpToDate();
            return rows;
        }
        catch (Exception failure) when (failure is SqliteException or IOException or UnauthorizedAccessException)
        {
            connection?.Dispose();
            throw new ConversationStoreException($"The store {path} cannot be opened: {failure.Message}", failure);
        }
    }

    public void Dispose() => _connection.Dispose();

    public SqliteTransaction Begin() => _connection.BeginTransaction(deferred: true);

    public void Mark() => Execute("SAVEPOINT work");

    public void Release() => Execute("RELEASE work");

    public void Undo()
    {
        _totals.Clear();
        Execute("ROLLBACK TO work");
        Execute("RELEASE work");
    }

    public void InsertAnswer(StoredAnswer answer, long now, long expires)
    {
        Delete(answer.KeyId, answer.Id);
        InsertOwner(answer.KeyId, answer.Id, isAnswer: true, answer.PreviousId, now, expires, answer.Json, answer.Bytes, answer.Place, answer.IsAtWork);
        int position = 0;
        foreach (StoredItem item in answer.Input)
        {
            InsertItem(answer.KeyId, answer.Id, position++, item, isOutput: false);
        }

        foreach (StoredItem item in answer.Output)
        {
            InsertItem(answer.KeyId, answer.Id, position++, item, isOutput: true);
        }
    }

    public void InsertConversation(string key, StoredConversation conversation, long expires) =>
        InsertOwner(key, conversation.Id, isAnswer: false, null, conversation.CreatedUnixSeconds, expires, conversation.Metadata, conversation.Metadata.Length);

    /// <summary>Adds items to a conversation; false where it is gone.</summary>
    public bool Append(string key, string conversation, IReadOnlyList<StoredItem> items)
    {
        using SqliteCommand last = Command("SELECT (SELECT COALESCE(MAX(position), -1) FROM items WHERE key = $key AND owner = $id) FROM owners WHERE key = $key AND id = $id AND is_answer = 0",
            ("$key", key), ("$id", conversation));
        if (last.ExecuteScalar() is not long position)
        {
            return false;
        }

        long bytes = 0;
        foreach (StoredItem item in items)
        {
            InsertItem(key, conversation, ++position, item, isOutput: false);
            bytes += item.Json.Length;
        }

        Execute("UPDATE owners SET bytes = bytes + $bytes WHERE key = $key AND id = $id", ("$bytes", bytes), ("$key", key), ("$id", conversation));
        Follow(key, 0, bytes);
        return true;
    }

    public KeptAnswer? FindAnswer(string key, string id, long now)
    {
        using SqliteCommand command = Command(
            "SELECT json, place, is_at_work FROM owners WHERE key = $key AND id = $id AND is_answer = 1 AND expires > $now", ("$key", key), ("$id", id), ("$now", now));
        using SqliteDataReader reader = command.ExecuteReader();
        return reader.Read() ? new KeptAnswer(id, Opened(key, (byte[])reader[0]), reader.IsDBNull(1) ? null : reader.GetString(1), reader.GetInt64(2) != 0) : null;
    }

    /// <summary>An answer in the background has ended: it is kept as it is now, and its conversation goes on. Nothing where that has been done, or where it is gone.</summary>
    public void Finish(string key, string id, byte[] answer, IReadOnlyList<StoredItem> output, string? conversation)
    {
        long more = output.Sum(static item => (long)item.Json.Length);
        using SqliteCommand end = Command(
            "UPDATE owners SET is_at_work = 0, bytes = bytes - length(json) + $more, json = $json WHERE key = $key AND id = $id AND is_at_work = 1 RETURNING bytes",
            ("$more", answer.Length + more), ("$json", Closed(key, answer)), ("$key", key), ("$id", id));
        if (end.ExecuteScalar() is not long)
        {
            return;
        }

        _totals.Remove(key);
        using SqliteCommand last = Command("SELECT COALESCE(MAX(position), -1) FROM items WHERE key = $key AND owner = $id", ("$key", key), ("$id", id));
        long position = (long)last.ExecuteScalar()!;
        using SqliteCommand own = Command("SELECT id, json, issuer FROM items WHERE key = $key AND owner = $id AND is_output = 0 ORDER BY position", ("$key", key), ("$id", id));
        StoredItem[] input = [.. ReadItems(key, own)];
        foreach (StoredItem item in output)
        {
            InsertItem(key, id, ++position, item, isOutput: true);
        }

        if (conversation is not null)
        {
            Append(key, conversation, [.. input, .. output]);
        }
    }

    public StoredConversation? FindConversation(string key, string id, long now)
    {
        using SqliteCommand command = Command("SELECT created, json FROM owners WHERE key = $key AND id = $id AND is_answer = 0 AND expires > $now", ("$key", key), ("$id", id), ("$now", now));
        using SqliteDataReader reader = command.ExecuteReader();
        return reader.Read() ? new StoredConversation(id, reader.GetInt64(0), Opened(key, (byte[])reader[1])) : null;
    }

    public StoredConversation? Relabel(string key, string id, byte[] metadata, long now)
    {
        if (FindConversation(key, id, now) is not { } known)
        {
            return null;
        }

        Execute("UPDATE owners SET json = $json WHERE key = $key AND id = $id", ("$json", Closed(key, metadata)), ("$key", key), ("$id", id));
        return known with { Metadata = metadata };
    }

    public StoredItem? FindItem(string key, string conversation, string id)
    {
        using SqliteCommand command = Command("SELECT id, json, issuer FROM items WHERE key = $key AND owner = $owner AND id = $id", ("$key", key), ("$owner", conversation), ("$id", id));
        return ReadItems(key, command).FirstOrDefault();
    }

    public bool DeleteItem(string key, string conversation, string id)
    {
        if (FindItem(key, conversation, id) is not { } item)
        {
            return false;
        }

        Execute("DELETE FROM items WHERE key = $key AND owner = $owner AND id = $id", ("$key", key), ("$owner", conversation), ("$id", id));
        Execute("UPDATE owners SET bytes = bytes - $bytes WHERE key = $key AND id = $id", ("$bytes", item.Json.Length), ("$key", key), ("$id", conversation));
        Follow(key, 0, -item.Json.Length);
        return true;
    }

    public EarlierItems Earlier(string key, string? previous, string? conversation, IReadOnlyList<string> named, int bytesMax, long now)
    {
        List<StoredItem> items = [];
        long bytes = 0;
        if (conversation is not null)
        {
            if (FindConversation(key, conversation, now) is null)
            {
                return new EarlierItems([], new Dictionary<string, StoredItem>()) { Missing = conversation };
            }

            AddItems(key, conversation, items, ref bytes, bytesMax);
        }

        if (Chain(key, previous, now, out string? missing) is var chain && missing is not null)
        {
            return new EarlierItems([], new Dictionary<string, StoredItem>()) { Missing = missing };
        }

        foreach (string id in Enumerable.Reverse(chain))
        {
            AddItems(key, id, items, ref bytes, bytesMax);
        }

        Dictionary<string, StoredItem> found = new(StringComparer.Ordinal);
        foreach (string id in named)
        {
            using SqliteCommand command = Command(
                "SELECT items.id, items.json, items.issuer FROM items JOIN owners ON owners.key = items.key AND owners.id = items.owner WHERE items.key = $key AND items.id = $id AND owners.expires > $now LIMIT 1",
                ("$key", key), ("$id", id), ("$now", now));
            if (ReadItems(key, command).FirstOrDefault() is { } item)
            {
                found[id] = item;
            }
        }

        return new EarlierItems(items, found);
    }

    private List<string> Chain(string key, string? id, long now, out string? missing)
    {
        List<string> chain = [];
        missing = null;
        while (id is not null)
        {
            using SqliteCommand command = Command("SELECT previous FROM owners WHERE key = $key AND id = $id AND is_answer = 1 AND expires > $now", ("$key", key), ("$id", id), ("$now", now));
            object? previous = command.ExecuteScalar();
            if (previous is null)
            {
                missing = id;
                break;
            }

            if (chain.Count == ChainMax)
            {
                throw new ConversationStoreException($"A conversation has more than {ChainMax} answers.");
            }

            chain.Add(id);
            id = previous as string;
        }

        return chain;
    }

    private void AddItems(string key, string owner, List<StoredItem> items, ref long bytes, int bytesMax)
    {
        using SqliteCommand command = Command("SELECT id, json, issuer FROM items WHERE key = $key AND owner = $owner ORDER BY position", ("$key", key), ("$owner", owner));
        foreach (StoredItem item in ReadItems(key, command))
        {
            bytes += item.Json.Length;
            items.Add(bytes <= bytesMax ? item : throw new ConversationStoreException("The conversation is larger than a request may be."));
        }
    }

    public ItemPage? Page(string key, string owner, bool isAnswer, int limit, bool isDescending, string? after, long now)
    {
        if (isAnswer ? FindAnswer(key, owner, now) is null : FindConversation(key, owner, now) is null)
        {
            return null;
        }

        using SqliteCommand command = Command(
            $"""
            SELECT id, json, issuer FROM items WHERE key = $key AND owner = $owner AND is_output = 0
            AND ($after IS NULL OR position {(isDescending ? '<' : '>')} (SELECT position FROM items WHERE key = $key AND owner = $owner AND id = $after))
            ORDER BY position {(isDescending ? "DESC" : "ASC")} LIMIT $limit
            """,
            ("$key", key), ("$owner", owner), ("$after", after), ("$limit", limit + 1));
        List<StoredItem> items = [.. ReadItems(key, command)];
        return new ItemPage(items.Count > limit ? items[..limit] : items, items.Count > limit);
    }

    public bool Delete(string key, string id)
    {
        using SqliteCommand size = Command("SELECT bytes FROM owners WHERE key = $key AND id = $id", ("$key", key), ("$id", id));
        if (size.ExecuteScalar() is not long bytes)
        {
            return false;
        }

        Execute("DELETE FROM items WHERE key = $key AND owner = $id", ("$key", key), ("$id", id));
        Execute("DELETE FROM owners WHERE key = $key AND id = $id", ("$key", key), ("$id", id));
        Follow(key, -1, -bytes);
        return true;
    }

    /// <summary>Erases the oldest that a key has until it keeps within its bounds.</summary>
    public void Trim(string key, long countMax, long bytesMax)
    {
        while (TotalOf(key) is var (count, bytes) && (count > countMax || bytes > bytesMax))
        {
            using SqliteCommand oldest = Command("SELECT id FROM owners WHERE key = $key ORDER BY created, rowid LIMIT 1", ("$key", key));
            if (oldest.ExecuteScalar() is not string id || !Delete(key, id))
            {
                return;
            }
        }
    }

    public void Expire(long now)
    {
        Execute("DELETE FROM items WHERE EXISTS (SELECT 1 FROM owners WHERE owners.key = items.key AND owners.id = items.owner AND owners.expires <= $now)", ("$now", now));
        Execute("DELETE FROM owners WHERE expires <= $now", ("$now", now));
        _totals.Clear();
    }

    private (long Count, long Bytes) TotalOf(string key)
    {
        if (!_totals.TryGetValue(key, out (long Count, long Bytes) total))
        {
            using SqliteCommand command = Command("SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM owners WHERE key = $key", ("$key", key));
            using SqliteDataReader reader = command.ExecuteReader();
            reader.Read();
            total = (reader.GetInt64(0), reader.GetInt64(1));
            _totals[key] = total;
        }

        return total;
    }

    private void Follow(string key, long count, long bytes)
    {
        if (_totals.TryGetValue(key, out (long Count, long Bytes) total))
        {
            _totals[key] = (total.Count + count, total.Bytes + bytes);
        }
    }

    /// <summary>A file of a version that kept no answers in the background gets their columns.</summary>
    private void BringUpToDate()
    {
        using SqliteCommand known = Command("SELECT COUNT(*) FROM pragma_table_info('owners') WHERE name = 'place'");
        if (known.ExecuteScalar() is 0L)
        {
            Execute("ALTER TABLE owners ADD COLUMN place TEXT");
            Execute("ALTER TABLE owners ADD COLUMN is_at_work INTEGER NOT NULL DEFAULT 0");
        }
    }

    private void InsertOwner(
        string key, string id, bool isAnswer, string? previous, long created, long expires, ReadOnlyMemory<byte> json, long bytes, string? place = null, bool isAtWork = false)
    {
        Execute("INSERT INTO owners (key, id, is_answer, previous, created, expires, bytes, json, place, is_at_work) "
            + "VALUES ($key, $id, $answer, $previous, $created, $expires, $bytes, $json, $place, $work)",
            ("$key", key), ("$id", id), ("$answer", isAnswer ? 1 : 0), ("$previous", previous), ("$created", created), ("$expires", expires), ("$bytes", bytes), ("$json", Closed(key, json)),
            ("$place", place), ("$work", isAtWork ? 1 : 0));
        Follow(key, 1, bytes);
    }

    private void InsertItem(string key, string owner, long position, StoredItem item, bool isOutput) =>
        Execute("INSERT INTO items VALUES ($key, $owner, $position, $id, $output, $issuer, $json)",
            ("$key", key), ("$owner", owner), ("$position", position), ("$id", item.Id), ("$output", isOutput ? 1 : 0), ("$issuer", item.Issuer), ("$json", Closed(key, item.Json)));

    private IEnumerable<StoredItem> ReadItems(string key, SqliteCommand command)
    {
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read())
        {
            yield return new StoredItem(reader.GetString(0), Opened(key, (byte[])reader[1]), reader.GetString(2));
        }
    }

    private byte[] Closed(string key, ReadOnlyMemory<byte> text) => _seal?.Close(key, text.Span) ?? text.ToArray();

    private byte[] Opened(string key, byte[] kept)
    {
        try
        {
            return _seal?.Open(key, kept) ?? kept;
        }
        catch (CryptographicException failure)
        {
            throw new ConversationStoreException(ContentSeal.Fault, failure);
        }
    }

    private void Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using SqliteCommand command = Command(sql, values);
        command.ExecuteNonQuery();
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        SqliteCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach ((string name, object? value) in values)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        return command;
    }

    /// <summary>SQLite would make the file with the process's own mask: this one is for its owner's eyes.</summary>
    private static void CreateFile(string path)
    {
        FileStreamOptions options = new() { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using FileStream file = new(path, options);
    }
}
