using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ballast.Tenancy;
using Microsoft.Data.Sqlite;

namespace Ballast.Idempotency;

/// <summary>The rows of kept answers, in SQLite: statements only. One flow of work at a time.</summary>
internal sealed class IdempotencyRows : IDisposable
{
    /// <summary>The script at index n leads from version n to n + 1. Written scripts never change: a new version is a new file.</summary>
    private static readonly string[] s_steps = ["idempotency.sql"];

    private const int BusyTimeoutMilliseconds = 1_000;

    private readonly SqliteConnection _connection;

    private readonly ContentSeal? _seal;

    private IdempotencyRows(SqliteConnection connection, ContentSeal? seal) => (_connection, _seal) = (connection, seal);

    /// <summary>What was committed survives a crash and a loss of power (<c>synchronous = FULL</c>), what was deleted is overwritten: answers are content.</summary>
    public static IdempotencyRows Open(string path, ContentSeal? seal)
    {
        FileStreamOptions file = new() { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            file.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        new FileStream(path, file).Dispose();
        SqliteConnection connection = new(new SqliteConnectionStringBuilder
        {
            DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false, DefaultTimeout = BusyTimeoutMilliseconds / 1000,
        }.ToString());
        try
        {
            connection.Open();
            IdempotencyRows rows = new(connection, seal);
            rows.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA busy_timeout = {BusyTimeoutMilliseconds}"));
            rows.Execute("PRAGMA journal_mode = WAL");
            rows.Execute("PRAGMA synchronous = FULL");
            rows.Execute("PRAGMA secure_delete = ON");
            rows.Migrate();
            return rows;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public SqliteTransaction BeginTransaction() => _connection.BeginTransaction(deferred: false);

    public KeptAnswer? Find(IdempotencyName name, long bornAfter)
    {
        using SqliteCommand command = Command(
            "SELECT state, fingerprint, exchange_id, status, is_cut, is_whole, headers, body FROM answers WHERE name = $name AND begun_us > $after",
            ("$name", name.Hash), ("$after", bornAfter));
        using SqliteDataReader row = command.ExecuteReader();
        return row.Read()
            ? new KeptAnswer
            {
                State = (KeptState)row.GetInt64(0),
                Fingerprint = row.GetFieldValue<byte[]>(1),
                ExchangeId = row.GetString(2),
                Status = (int)row.GetInt64(3),
                IsCut = row.GetInt64(4) != 0,
                IsWhole = row.GetInt64(5) != 0,
                Headers = HeadersOf(row.GetString(6)),
                Body = Opened(name, row.GetFieldValue<byte[]>(7)),
            }
            : null;
    }

    /// <summary>Takes the place of an older row of that name, which is over.</summary>
    public void Insert(IdempotencyName name, byte[] fingerprint, string exchangeId, long now)
    {
        using SqliteCommand command = Command(
            """
            INSERT OR REPLACE INTO answers (name, scope, fingerprint, exchange_id, begun_us, state, status, is_cut, is_whole, headers, body)
            VALUES ($name, $scope, $fingerprint, $exchange, $now, 0, 0, 0, 0, '', x'')
            """,
            ("$name", name.Hash), ("$scope", name.Scope), ("$fingerprint", fingerprint), ("$exchange", exchangeId), ("$now", now));
        command.ExecuteNonQuery();
    }

    public void Complete(IdempotencyName name, KeptAnswer answer)
    {
        using SqliteCommand command = Command(
            "UPDATE answers SET state = $state, status = $status, is_cut = $cut, is_whole = $whole, headers = $headers, body = $body WHERE name = $name AND exchange_id = $exchange",
            ("$state", (long)answer.State), ("$status", (long)answer.Status), ("$cut", answer.IsCut ? 1L : 0L), ("$whole", answer.IsWhole ? 1L : 0L),
            ("$headers", TextOf(answer.Headers)), ("$body", _seal?.Close(name.Text, answer.Body.Span) ?? answer.Body.ToArray()), ("$name", name.Hash), ("$exchange", answer.ExchangeId));
        command.ExecuteNonQuery();
    }

    public void Delete(IdempotencyName name)
    {
        using SqliteCommand command = Command("DELETE FROM answers WHERE name = $name", ("$name", name.Hash));
        command.ExecuteNonQuery();
    }

    /// <summary>Forgets what is older; returns how many that were.</summary>
    public int Expire(long bornUntil)
    {
        using SqliteCommand command = Command("DELETE FROM answers WHERE begun_us <= $until", ("$until", bornUntil));
        return command.ExecuteNonQuery();
    }

    /// <summary>How many names each API key has, and the bytes of all answers together.</summary>
    public long Count(Dictionary<string, int> countByScope)
    {
        countByScope.Clear();
        long bytes = 0;
        using SqliteCommand command = Command("SELECT scope, COUNT(*), SUM(LENGTH(body)) FROM answers GROUP BY scope");
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            countByScope[Convert.ToHexStringLower(row.GetFieldValue<byte[]>(0))] = (int)row.GetInt64(1);
            bytes += row.GetInt64(2);
        }

        return bytes;
    }

    public void Dispose() => _connection.Dispose();

    private void Migrate()
    {
        using SqliteTransaction transaction = BeginTransaction();
        using SqliteCommand command = Command("PRAGMA user_version");
        int version = Convert.ToInt32(command.ExecuteScalar(), CultureInfo.InvariantCulture);
        if (version > s_steps.Length)
        {
            throw new IdempotencyStoreException($"The kept answers have version {version} and were written by a newer Ballast; this one knows version {s_steps.Length}.");
        }

        for (int step = version; step < s_steps.Length; step++)
        {
            using Stream stream = typeof(IdempotencyRows).Assembly.GetManifestResourceStream("Ballast.Idempotency.Schema." + s_steps[step])!;
            using StreamReader script = new(stream);
            Execute(script.ReadToEnd());
        }

        Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {s_steps.Length}"));
        transaction.Commit();
    }

    private byte[] Opened(IdempotencyName name, byte[] kept)
    {
        try
        {
            return _seal?.Open(name.Text, kept) ?? kept;
        }
        catch (CryptographicException failure)
        {
            throw new IdempotencyStoreException(ContentSeal.Fault, failure);
        }
    }

    private void Execute(string sql)
    {
        using SqliteCommand command = Command(sql);
        command.ExecuteNonQuery();
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object Value)> values)
    {
        SqliteCommand command = _connection.CreateCommand();
#pragma warning disable CA2100 // an embedded script or a constant; all values are bound
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach ((string name, object value) in values)
        {
            command.Parameters.AddWithValue(name, value);
        }

        return command;
    }

    private static string TextOf(IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        StringBuilder text = new();
        foreach ((string name, string value) in headers)
        {
            text.Append(name).Append(": ").Append(value).Append('\n');
        }

        return text.ToString();
    }

    private static List<KeyValuePair<string, string>> HeadersOf(string text)
    {
        List<KeyValuePair<string, string>> headers = [];
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int colon = line.IndexOf(": ", StringComparison.Ordinal);
            headers.Add(new(line[..colon], line[(colon + 2)..]));
        }

        return headers;
    }
}
