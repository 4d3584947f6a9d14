using System.Globalization;
using Npgsql;

namespace Ballast.Tenancy;

/// <summary>The schema of keys and leases on PostgreSQL (<c>Schema/postgres.sql</c>), its version kept in the table <c>ballast_tenancy</c>.</summary>
internal static class TenancySchema
{
    /// <summary>Held while the schema is changed, so that several gateways may start at once. Any number that is always the same.</summary>
    private const long LockNumber = 0x62616c74656e;

    /// <summary>The script at index n leads from version n to n + 1. Written scripts never change: a new version is a new file.</summary>
    private static readonly string[] s_steps = ["postgres.sql"];

    /// <exception cref="TenancyStoreException">The database was written by a newer Ballast.</exception>
    public static async Task MigrateAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await PostgresTenancyStore.AskAsync(connection, $"SELECT pg_advisory_xact_lock({LockNumber})", [], cancellation).ConfigureAwait(false);
            await PostgresTenancyStore.AskAsync(connection, "CREATE TABLE IF NOT EXISTS ballast_tenancy (version integer NOT NULL)", [], cancellation).ConfigureAwait(false);
            int version = Convert.ToInt32(
                await PostgresTenancyStore.AskAsync(connection, "SELECT coalesce(max(version), 0) FROM ballast_tenancy", [], cancellation).ConfigureAwait(false), CultureInfo.InvariantCulture);
            if (version > s_steps.Length)
            {
                throw new TenancyStoreException($"The database of keys has version {version} and was written by a newer Ballast; this one knows version {s_steps.Length}.");
            }

            for (int step = version; step < s_steps.Length; step++)
            {
                await PostgresTenancyStore.AskAsync(connection, ReadScript(s_steps[step]), [], cancellation).ConfigureAwait(false);
            }

            if (version < s_steps.Length)
            {
                await PostgresTenancyStore.AskAsync(
                    connection, $"DELETE FROM ballast_tenancy; INSERT INTO ballast_tenancy VALUES ({s_steps.Length})", [], cancellation).ConfigureAwait(false);
            }

            await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        }
    }

    private static string ReadScript(string name)
    {
        using Stream stream = typeof(TenancySchema).Assembly.GetManifestResourceStream("Ballast.Tenancy.Schema." + name)
            ?? throw new InvalidOperationException($"The embedded script {name} is missing.");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
