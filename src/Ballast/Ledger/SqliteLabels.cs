using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Ballast.Ledger;

/// <summary>What many attempts share: who asked for what, and where it went.</summary>
internal readonly record struct SqliteLabel(
    string KeyId, string App, string Protocol, string Operation, string RequestedModel, string SentModel, string? ServedModel,
    string Deployment, string Vendor, string Platform, string Region, string? Team, string? Organisation)
{
    /// <summary>What differs from row to row comes first; the rest is mostly the very same text.</summary>
    public bool Equals(SqliteLabel other) =>
        Deployment == other.Deployment && RequestedModel == other.RequestedModel && ServedModel == other.ServedModel && KeyId == other.KeyId && App == other.App
        && Protocol == other.Protocol && Operation == other.Operation && SentModel == other.SentModel && Vendor == other.Vendor && Platform == other.Platform
        && Region == other.Region && Team == other.Team && Organisation == other.Organisation;

    public override int GetHashCode() => HashCode.Combine(Deployment, RequestedModel, ServedModel, KeyId, Protocol, Operation);
}

/// <summary>
/// Gives each label its number, and writes one not seen before. What other processes and earlier ones wrote is not looked for: a label that stands twice takes room and
/// changes no figure. Not thread-safe.
/// </summary>
internal sealed class SqliteLabels : IDisposable
{
    /// <summary>Labels whose numbers are kept in memory: callers can invent models without end where a provider takes any.</summary>
    public const int LabelsMax = 4096;

    private static readonly string[] s_columns =
        ["key_id", "app", "protocol", "operation", "requested_model", "sent_model", "served_model", "deployment", "vendor", "platform", "region", "team", "organisation"];

    private readonly sqlite3 _database;
    private readonly SqliteInsert _insert;
    private readonly Dictionary<SqliteLabel, long> _numbers = [];
    private SqliteLabel _last;
    private long _lastNumber;

    public SqliteLabels(SqliteConnection connection)
    {
        _database = connection.Handle!;
        _insert = new SqliteInsert(connection, "labels", s_columns);
    }

    /// <summary>The label's number; where it is new, it is written in the transaction at hand.</summary>
    public long NumberOf(in SqliteLabel label)
    {
        // Most rows are like the one before.
        if (_lastNumber != 0 && label == _last)
        {
            return _lastNumber;
        }

        if (!_numbers.TryGetValue(label, out long number))
        {
            number = Write(label);
            if (_numbers.Count == LabelsMax)
            {
                _numbers.Clear();
            }

            _numbers.Add(label, number);
        }

        _last = label;
        _lastNumber = number;
        return number;
    }

    /// <summary>A transaction was undone: labels written in it are gone.</summary>
    public void Forget()
    {
        _numbers.Clear();
        _lastNumber = 0;
    }

    public void Dispose() => _insert.Dispose();

    private long Write(in SqliteLabel label)
    {
        _insert.Begin();
        _insert.Bind(label.KeyId);
        _insert.Bind(label.App);
        _insert.Bind(label.Protocol);
        _insert.Bind(label.Operation);
        _insert.Bind(label.RequestedModel);
        _insert.Bind(label.SentModel);
        _insert.Bind(label.ServedModel);
        _insert.Bind(label.Deployment);
        _insert.Bind(label.Vendor);
        _insert.Bind(label.Platform);
        _insert.Bind(label.Region);
        _insert.Bind(label.Team);
        _insert.Bind(label.Organisation);
        _insert.Run();
        return raw.sqlite3_last_insert_rowid(_database);
    }
}
