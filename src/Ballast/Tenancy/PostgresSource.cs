using Npgsql;

namespace Ballast.Tenancy;

/// <summary>Connections to a PostgreSQL database, as all parts of Ballast make them.</summary>
public static class PostgresSource
{
    /// <param name="connection">As Npgsql writes it, for example <c>Host=db;Database=ballast;Username=ballast;Password=…</c>.</param>
    /// <param name="commandSeconds">Longest wait for the answer to one command.</param>
    /// <exception cref="FormatException">It is no connection string. The message has none of its words: one of them is a password.</exception>
    public static NpgsqlDataSource Of(string connection, int commandSeconds)
    {
        try
        {
            NpgsqlSlimDataSourceBuilder builder = new(connection);
            builder.EnableTransportSecurity();
            builder.EnableArrays();
            builder.ConnectionStringBuilder.ApplicationName ??= "ballast";
            builder.ConnectionStringBuilder.Timeout = Math.Min(builder.ConnectionStringBuilder.Timeout, 5);
            builder.ConnectionStringBuilder.CommandTimeout = Math.Min(builder.ConnectionStringBuilder.CommandTimeout, commandSeconds);
            builder.ConnectionStringBuilder.CancellationTimeout = 500;
            return builder.Build();
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException)
        {
            throw new FormatException("The connection is no connection string of PostgreSQL: write it as Host=…;Database=…;Username=…;Password=….");
        }
    }
}
