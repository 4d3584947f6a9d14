using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Ballast.Ledger;

/// <summary>
/// One prepared INSERT whose values are bound by their place. The provider's own parameters are looked up by name, each among all, at every row: for a wide table
/// that costs more than the insert. Not thread-safe. Throws <see cref="SqliteException"/>.
/// </summary>
internal sealed class SqliteInsert : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private byte[] _utf8 = new byte[4096];
    private int _bound;

    public SqliteInsert(SqliteConnection connection, string table, IReadOnlyList<string> columns)
    {
        _database = connection.Handle!;
        string sql = $"INSERT OR IGNORE INTO {table} ({string.Join(", ", columns)}) VALUES ({string.Join(", ", columns.Select(_ => "?"))})";
        Check(raw.sqlite3_prepare_v2(_database, sql, out _statement));
    }

    /// <summary>Begins a row: the next value is its first column's.</summary>
    public void Begin() => _bound = 0;

    public void Bind(long? number) =>
        Check(number is { } value ? raw.sqlite3_bind_int64(_statement, ++_bound, value) : raw.sqlite3_bind_null(_statement, ++_bound));

    public void Bind(string? text)
    {
        if (text is null)
        {
            Check(raw.sqlite3_bind_null(_statement, ++_bound));
            return;
        }

        int bytesMax = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (_utf8.Length < bytesMax)
        {
            _utf8 = new byte[bytesMax];
        }

        int length = Encoding.UTF8.GetBytes(text, _utf8);
        Check(raw.sqlite3_bind_text(_statement, ++_bound, _utf8.AsSpan(0, length)));
    }

    /// <summary>Inserts the row of the values bound since <see cref="Begin"/>.</summary>
    public void Run()
    {
        int stepped = raw.sqlite3_step(_statement);
        int reset = raw.sqlite3_reset(_statement);
        Check(stepped == raw.SQLITE_DONE ? reset : stepped);
    }

    public void Dispose() => _statement.Dispose();

    private void Check(int code) => SqliteException.ThrowExceptionForRC(code, _database);
}
