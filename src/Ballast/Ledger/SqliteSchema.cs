using Microsoft.Data.Sqlite;

namespace Ballast.Ledger;

/// <summary>The schema's versions (<c>Schema/*.sql</c>) and the step from one to the next, kept in SQLite's <c>user_version</c>.</summary>
internal static class SqliteSchema
{
    private const string ResourcePrefix = "Ballast.Ledger.Schema.";

    /// <summary>The script at index n leads from version n to n + 1. Written scripts never change: a new version is a new file.</summary>
    private static readonly string[] s_steps = ["sqlite.sql", "sqlite-2.sql", "sqlite-3.sql", "sqlite-4.sql", "sqlite-5.sql", "sqlite-6.sql", "sqlite-7.sql"];

    public static int Version => s_steps.Length;

    /// <summary>Brings the file to the newest version, in one transaction. Two processes that start at once are serialised by SQLite's lock.</summary>
    public static void Migrate(SqliteConnection connection)
    {
        using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
        int version = ReadVersion(connection, transaction);
        Require(version <= Version, version);
        for (int step = version; step < Version; step++)
        {
            Execute(connection, transaction, ReadScript(s_steps[step]));
        }

        Execute(connection, transaction, $"PRAGMA user_version = {Version}");
        transaction.Commit();
    }

    /// <summary>A report reads only what it knows: neither an older nor a newer file.</summary>
    public static void Check(SqliteConnection connection)
    {
        int version = ReadVersion(connection, transaction: null);
        if (version == 0)
        {
            throw new LedgerException("The file is a database but not a Ballast ledger.");
        }

        Require(version <= Version, version);
        if (version < Version)
        {
            throw new LedgerException(
                $"The ledger has version {version}, this Ballast reads version {Version}. Start `ballast serve` on it once to bring it up to date.");
        }
    }

    private static void Require(bool known, int version)
    {
        if (!known)
        {
            throw new LedgerException($"The ledger has version {version} and was written by a newer Ballast; this one knows version {Version}.");
        }
    }

    private static int ReadVersion(SqliteConnection connection, SqliteTransaction? transaction)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "PRAGMA user_version";
        return Convert.ToInt32(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static void Execute(SqliteConnection connection, SqliteTransaction transaction, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // the text is an embedded script or a constant, never input
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static string ReadScript(string name)
    {
        using Stream stream = typeof(SqliteSchema).Assembly.GetManifestResourceStream(ResourcePrefix + name)
            ?? throw new InvalidOperationException($"The embedded script {name} is missing.");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
