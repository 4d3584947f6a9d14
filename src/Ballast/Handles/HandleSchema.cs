using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Ballast.Handles;

/// <summary>Opens the file, makes or checks its tables. The version is kept in SQLite's <c>user_version</c>.</summary>
internal static class HandleSchema
{
    /// <summary>The script at index n leads from version n to n + 1. Written scripts never change: a new version is a new file.</summary>
    private static readonly string[] s_steps = ["handles.sql", "handles-2.sql"];

    /// <summary>How long a statement waits for a lock that another process holds.</summary>
    private const int BusyTimeoutMilliseconds = 1_000;

    /// <summary>What was committed survives a crash and a loss of power (<c>synchronous = FULL</c>): a client that was told a handle can come back with it.</summary>
    public static SqliteConnection Open(string path)
    {
        CreateFile(path);
        SqliteConnection connection = new(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = BusyTimeoutMilliseconds / 1000,
        }.ToString());
        try
        {
            connection.Open();
            Execute(connection, null, $"PRAGMA busy_timeout = {BusyTimeoutMilliseconds}");
            Execute(connection, null, "PRAGMA journal_mode = WAL");
            Execute(connection, null, "PRAGMA synchronous = FULL");
            Migrate(connection);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Brings the file to the newest version, in one transaction.</summary>
    private static void Migrate(SqliteConnection connection)
    {
        using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "PRAGMA user_version";
        int version = Convert.ToInt32(command.ExecuteScalar(), CultureInfo.InvariantCulture);
        if (version > s_steps.Length)
        {
            throw new HandleStoreException($"The handles have version {version} and were written by a newer Ballast; this one knows version {s_steps.Length}.");
        }

        for (int step = version; step < s_steps.Length; step++)
        {
            Execute(connection, transaction, ReadScript(s_steps[step]));
        }

        Execute(connection, transaction, $"PRAGMA user_version = {s_steps.Length}");
        transaction.Commit();
    }

    /// <summary>Readable by its owner only: SQLite would make the file with the process's own mask, and its log files take the mode of this one.</summary>
    private static void CreateFile(string path)
    {
        FileStreamOptions options = new() { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using FileStream file = new(path, options);
    }

    private static void Execute(SqliteConnection connection, SqliteTransaction? transaction, string sql)
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
        using Stream stream = typeof(HandleSchema).Assembly.GetManifestResourceStream("Ballast.Handles.Schema." + name)
            ?? throw new InvalidOperationException($"The embedded script {name} is missing.");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
