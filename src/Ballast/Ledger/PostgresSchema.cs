using System.Globalization;
using Npgsql;

namespace Ballast.Ledger;

/// <summary>The schema's versions on PostgreSQL (<c>Schema/postgres*.sql</c>), kept in the table <c>ballast_ledger</c>, and the months that rows lie in.</summary>
internal static class PostgresSchema
{
    private const string ResourcePrefix = "Ballast.Ledger.Schema.";

    /// <summary>Held while the schema is changed, so that several gateways may start at once. Any number that is always the same.</summary>
    private const long LockNumber = 0x62616c6c617374;

    /// <summary>The script at index n leads from version n to n + 1. Written scripts never change: a new version is a new file.</summary>
    private static readonly string[] s_steps = ["postgres.sql", "postgres-2.sql", "postgres-3.sql", "postgres-4.sql", "postgres-5.sql"];

    public static int Version => s_steps.Length;

    /// <summary>Brings the database to the newest version, in one transaction.</summary>
    public static async Task MigrateAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await RunAsync(connection, $"SELECT pg_advisory_xact_lock({LockNumber})", cancellation).ConfigureAwait(false);
            await RunAsync(connection, "CREATE TABLE IF NOT EXISTS ballast_ledger (version integer NOT NULL)", cancellation).ConfigureAwait(false);
            int version = await ReadVersionAsync(connection, cancellation).ConfigureAwait(false);
            Require(version);
            for (int step = version; step < Version; step++)
            {
                await RunAsync(connection, ReadScript(s_steps[step]), cancellation).ConfigureAwait(false);
            }

            if (version < Version)
            {
                await RunAsync(connection, $"DELETE FROM ballast_ledger; INSERT INTO ballast_ledger VALUES ({Version})", cancellation).ConfigureAwait(false);
            }

            await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>A report reads only what it knows.</summary>
    public static void Check(NpgsqlConnection connection)
    {
        using NpgsqlCommand exists = new("SELECT to_regclass('ballast_ledger') IS NOT NULL", connection);
        if (exists.ExecuteScalar() is not true)
        {
            throw new LedgerException("The database holds no Ballast ledger. It is made when `ballast serve` first runs.") { IsMissing = true };
        }

        using NpgsqlCommand command = new("SELECT COALESCE(MAX(version), 0) FROM ballast_ledger", connection);
        int version = Convert.ToInt32(command.ExecuteScalar(), CultureInfo.InvariantCulture);
        Require(version);
        if (version < Version)
        {
            throw new LedgerException(
                $"The ledger has version {version}, this Ballast reads version {Version}. Start `ballast serve` on it once to bring it up to date.");
        }
    }

    /// <summary>Makes the part of the table that a month's rows lie in; several gateways may do so at once, behind each other.</summary>
    public static Task EnsureMonthAsync(NpgsqlConnection connection, DateTime month, CancellationToken cancellation)
    {
        long from = SqliteLedgerStore.Microseconds(month - DateTime.UnixEpoch);
        long to = SqliteLedgerStore.Microseconds(month.AddMonths(1) - DateTime.UnixEpoch);
        return RunAsync(
            connection,
            string.Create(CultureInfo.InvariantCulture, $"SELECT pg_advisory_xact_lock({LockNumber}); CREATE TABLE IF NOT EXISTS attempts_{month:yyyy_MM} PARTITION OF attempts FOR VALUES FROM ({from}) TO ({to})"),
            cancellation);
    }

    public static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
#pragma warning disable CA2100 // embedded scripts, constants and numbers, never input
        NpgsqlCommand command = new(sql, connection);
#pragma warning restore CA2100
        await using (command.ConfigureAwait(false))
        {
            await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }
    }

    private static async Task<int> ReadVersionAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        NpgsqlCommand command = new("SELECT COALESCE(MAX(version), 0) FROM ballast_ledger", connection);
        await using (command.ConfigureAwait(false))
        {
            return Convert.ToInt32(await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false), CultureInfo.InvariantCulture);
        }
    }

    private static void Require(int version)
    {
        if (version > Version)
        {
            throw new LedgerException($"The ledger has version {version} and was written by a newer Ballast; this one knows version {Version}.");
        }
    }

    private static string ReadScript(string name)
    {
        using Stream stream = typeof(PostgresSchema).Assembly.GetManifestResourceStream(ResourcePrefix + name)
            ?? throw new InvalidOperationException($"The embedded script {name} is missing.");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
