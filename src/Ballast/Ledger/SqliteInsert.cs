using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Ballast.Ledger;

/// <summary>
/// One prepared INSERT whose values are bound by their place. The provider's own parameters are looked up by name, each among all, at every row: for a wide table
/// that costs more than the insert. A value that the row before had too is not bound again. Not thread-safe. Throws <see cref="SqliteException"/>.
/// </summary>
internal sealed class SqliteInsert : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private readonly Value[] _values;
    private byte[] _utf8 = new byte[4096];
    private int _bound;

    public SqliteInsert(SqliteConnection connection, string table, IReadOnlyList<string> columns)
    {
        _database = connection.Handle!;
        string sql = $"INSERT OR IGNORE INTO {table} ({string.Join(", ", columns)}) VALUES ({string.Join(", ", columns.Select(_ => "?"))})";
        Check(raw.sqlite3_prepare_v2(_database, sql, out _statement));
        _values = new Value[columns.Count];
    }

    /// <summary>Begins a row: the next value is its first column's.</summary>
    public void Begin() => _bound = 0;

    public void Bind(long? number)
    {
        ref Value known = ref _values[_bound++];
        if (number is not { } value)
        {
            BindNull(ref known);
        }
        else if (known.Kind != Kind.Number || known.Number != value)
        {
            Check(raw.sqlite3_bind_int64(_statement, _bound, value));
            known = new Value(Kind.Number, value, null);
        }
    }

    public void Bind(string? text)
    {
        ref Value known = ref _values[_bound++];
        if (text is null)
        {
            BindNull(ref known);
        }
        else if (known.Kind != Kind.Text || known.Text != text)
        {
            BindText(text);
            known = new Value(Kind.Text, 0, text);
        }
    }

    /// <summary>Inserts the row of the values bound since <see cref="Begin"/>; false where it was there already.</summary>
    public bool Run()
    {
        int stepped = raw.sqlite3_step(_statement);
        int reset = raw.sqlite3_reset(_statement);
        Check(stepped == raw.SQLITE_DONE ? reset : stepped);
        return raw.sqlite3_changes(_database) > 0;
    }

    public void Dispose() => _statement.Dispose();

    private void BindNull(ref Value known)
    {
        if (known.Kind != Kind.Null)
        {
            Check(raw.sqlite3_bind_null(_statement, _bound));
            known = default;
        }
    }

    private void BindText(string text)
    {
        int bytesMax = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (_utf8.Length < bytesMax)
        {
            _utf8 = new byte[bytesMax];
        }

        int length = Encoding.UTF8.GetBytes(text, _utf8);
        Check(raw.sqlite3_bind_text(_statement, _bound, _utf8.AsSpan(0, length)));
    }

    private void Check(int code) => SqliteException.ThrowExceptionForRC(code, _database);

    private enum Kind
    {
        /// <summary>A statement begins with nothing but nulls.</summary>
        Null,
        Number,
        Text,
    }

    /// <summary>What is bound at a place now: a statement keeps it from row to row.</summary>
    private readonly record struct Value(Kind Kind, long Number, string? Text);
}
