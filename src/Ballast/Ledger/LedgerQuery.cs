using System.Data;
using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Ballast.Ledger;

/// <summary>What the ledger's questions share: the filter as SQL with parameters, and reading by column.</summary>
internal static class LedgerQuery
{
    /// <summary>A command whose text may hold <c>{where}</c>; the filter's values are bound, never written into the text.</summary>
    public static DbCommand Create(DbConnection connection, string sql, LedgerFilter filter, string time = "started_us")
    {
        DbCommand command = connection.CreateCommand();
        List<string> conditions = [];
        Restrict(filter.Since is DateTimeOffset since ? Microseconds(since) : null, $"{time} >= @since", "@since");
        Restrict(filter.Until is DateTimeOffset until ? Microseconds(until) : null, $"{time} < @until", "@until");
        Restrict(filter.App, "app = @app", "@app");
        Restrict(filter.KeyId, "key_id = @key", "@key");
        Restrict(filter.ExchangeId, "exchange_id = @exchange", "@exchange");
        string where = conditions.Count == 0 ? "1 = 1" : string.Join(" AND ", conditions);
#pragma warning disable CA2100 // built from constants; all values are parameters
        command.CommandText = sql.Replace("{where}", where, StringComparison.Ordinal);
#pragma warning restore CA2100
        return command;

        void Restrict(object? value, string condition, string parameter)
        {
            if (value is not null)
            {
                conditions.Add(condition);
                Bind(command, parameter, value);
            }
        }
    }

    /// <summary>Several questions are asked of one state of the ledger.</summary>
    public static DbTransaction Snapshot(DbConnection connection) =>
        connection is SqliteConnection sqlite ? sqlite.BeginTransaction(deferred: true) : connection.BeginTransaction(IsolationLevel.RepeatableRead);

    public static void Bind(DbCommand command, string name, object value)
    {
        DbParameter parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.Value = value;
        command.Parameters.Add(parameter);
    }

    /// <summary>How many rows are so; no row is so where a part of the condition is not known.</summary>
    public static string CountOf(string condition) => $"SUM(CASE WHEN {condition} THEN 1 ELSE 0 END)";

    public static TimeSpan Span(long microseconds) => TimeSpan.FromTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    public static TimeSpan? OptionalSpan(DbDataReader row, int column) => row.IsDBNull(column) ? null : Span(row.GetInt64(column));

    public static string? OptionalText(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static long? OptionalNumber(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    /// <summary>A sum over no rows is null in SQL and zero here.</summary>
    public static long Sum(DbDataReader row, int column) => OptionalNumber(row, column) ?? 0;

    /// <summary>Money summed in two columns, whole microdollars and the rest: see <see cref="Picodollars.PerMicrodollar"/>.</summary>
    public static decimal Dollars(DbDataReader row, int column) => Picodollars.ToDollars(Sum(row, column), Sum(row, column + 1));

    /// <summary>The two columns that <see cref="Dollars"/> reads, for an expression in picodollars.</summary>
    public static string DollarColumns(string expression) => string.Create(
        CultureInfo.InvariantCulture,
        $"CAST(SUM(({expression}) / {Picodollars.PerMicrodollar}) AS BIGINT), CAST(SUM(({expression}) % {Picodollars.PerMicrodollar}) AS BIGINT)");

    public static long Microseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
