using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Ballast.Ledger;

/// <summary>The SQL of <see cref="UsageReport"/>: one grouped pass for the sums, one with window functions for the percentiles.</summary>
internal static class UsageQuery
{
    /// <summary>Dimensions of one report: beyond this a table cannot be read.</summary>
    public const int DimensionsMax = 4;

    public const string TokensOfAllClasses = "(input_tokens + cache_read_tokens + cache_write_tokens + cache_write_long_tokens + output_tokens)";

    /// <summary>A cost that ought to be known: an answer was given or tokens were counted.</summary>
    public const string CostIsUnknown = $"(cost_pico IS NULL AND (outcome <> 'failed' OR {TokensOfAllClasses} > 0))";

    /// <summary>Time to first token is told of streams only: a whole answer's first content is its last.</summary>
    public const string HasTtft = "(stream = 1 AND ttft_us IS NOT NULL)";

    private static readonly string s_sums =
        $"""
        COUNT(DISTINCT exchange_id), COUNT(*),
        {LedgerQuery.CountOf("outcome = 'completed'")}, {LedgerQuery.CountOf("outcome = 'failed'")}, {LedgerQuery.CountOf("outcome = 'interrupted'")}, {LedgerQuery.CountOf("outcome = 'cancelled'")},
        CAST(SUM(input_tokens) AS BIGINT), CAST(SUM(cache_read_tokens) AS BIGINT), CAST(SUM(cache_write_tokens) AS BIGINT), CAST(SUM(cache_write_long_tokens) AS BIGINT), CAST(SUM(output_tokens) AS BIGINT), CAST(SUM(reasoning_tokens) AS BIGINT),
        {LedgerQuery.DollarColumns("cost_pico")}, {LedgerQuery.CountOf(CostIsUnknown)}, CAST(SUM(is_estimated) AS BIGINT)
        """;

    public static UsageReport Run(DbConnection connection, IReadOnlyList<UsageDimension> by, LedgerFilter filter)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(by.Count, DimensionsMax);
        using DbTransaction snapshot = LedgerQuery.Snapshot(connection);
        List<UsageRow> total = Group(connection, [], filter);
        List<UsageRow> rows = by.Count == 0 ? total : Group(connection, by, filter);
        return new UsageReport { By = by, Rows = total[0].Attempts == 0 ? [] : Sort(rows, by), Total = total[0] };
    }

    private static IReadOnlyList<UsageRow> Sort(List<UsageRow> rows, IReadOnlyList<UsageDimension> by)
    {
        int day = by.Index().FirstOrDefault(pair => pair.Item == UsageDimension.Day, (Index: -1, Item: default)).Index;
        return
        [
            .. rows
                .OrderBy(row => day < 0 ? "" : row.Keys[day], StringComparer.Ordinal)
                .ThenByDescending(row => row.Attempts)
                .ThenBy(row => string.Join('\0', row.Keys), StringComparer.Ordinal),
        ];
    }

    private static List<UsageRow> Group(DbConnection connection, IReadOnlyList<UsageDimension> by, LedgerFilter filter)
    {
        string keys = string.Concat(by.Select(dimension => Expression(dimension, connection) + ", "));
        string groupBy = by.Count == 0 ? "" : "GROUP BY " + string.Join(", ", Enumerable.Range(1, by.Count));
        Dictionary<string, (TimeSpan? P50, TimeSpan? P95)> percentiles = Percentiles(connection, by, filter);
        using DbCommand command = LedgerQuery.Create(connection, $"SELECT {keys}{s_sums} FROM attempts WHERE {{where}} {groupBy}", filter);
        using DbDataReader reader = command.ExecuteReader();
        List<UsageRow> rows = [];
        while (reader.Read())
        {
            rows.Add(ReadRow(reader, by.Count, percentiles));
        }

        return rows;
    }

    private static UsageRow ReadRow(DbDataReader reader, int first, Dictionary<string, (TimeSpan? P50, TimeSpan? P95)> percentiles)
    {
        string[] keys = Keys(reader, first);
        (TimeSpan? p50, TimeSpan? p95) = percentiles.GetValueOrDefault(string.Join('\0', keys));
        return new UsageRow
        {
            Keys = keys,
            Requests = LedgerQuery.Sum(reader, first),
            Attempts = LedgerQuery.Sum(reader, first + 1),
            Completed = LedgerQuery.Sum(reader, first + 2),
            Failed = LedgerQuery.Sum(reader, first + 3),
            Interrupted = LedgerQuery.Sum(reader, first + 4),
            Cancelled = LedgerQuery.Sum(reader, first + 5),
            InputTokens = LedgerQuery.Sum(reader, first + 6),
            CacheReadTokens = LedgerQuery.Sum(reader, first + 7),
            CacheWriteTokens = LedgerQuery.Sum(reader, first + 8),
            CacheWriteLongTokens = LedgerQuery.Sum(reader, first + 9),
            OutputTokens = LedgerQuery.Sum(reader, first + 10),
            ReasoningTokens = LedgerQuery.Sum(reader, first + 11),
            CostUsd = LedgerQuery.Dollars(reader, first + 12),
            UnknownCost = LedgerQuery.Sum(reader, first + 14),
            Estimated = LedgerQuery.Sum(reader, first + 15),
            TtftP50 = p50,
            TtftP95 = p95,
        };
    }

    private static Dictionary<string, (TimeSpan? P50, TimeSpan? P95)> Percentiles(
        DbConnection connection, IReadOnlyList<UsageDimension> by, LedgerFilter filter)
    {
        using DbCommand command = LedgerQuery.Create(connection, PercentileSql([.. by.Select(dimension => Expression(dimension, connection))], "{where}"), filter);
        using DbDataReader reader = command.ExecuteReader();
        Dictionary<string, (TimeSpan? P50, TimeSpan? P95)> percentiles = [];
        while (reader.Read())
        {
            percentiles[string.Join('\0', Keys(reader, by.Count))] =
                (LedgerQuery.OptionalSpan(reader, by.Count), LedgerQuery.OptionalSpan(reader, by.Count + 1));
        }

        return percentiles;
    }

    /// <summary>Nearest rank: the smallest time that at least p of the streams did not exceed. Rank = ceiling of p × n / 100.</summary>
    public static string PercentileSql(IReadOnlyList<string> keys, string where)
    {
        string names = string.Concat(keys.Select((_, index) => $"k{index}, "));
        string aliased = string.Concat(keys.Select((key, index) => $"{key} AS k{index}, "));
        string partition = keys.Count == 0 ? "" : "PARTITION BY " + names[..^2];
        string groupBy = keys.Count == 0 ? "" : "GROUP BY " + names[..^2];
        return $"""
            WITH scoped AS (SELECT {aliased}ttft_us FROM attempts WHERE {where} AND {HasTtft}),
            ranked AS (SELECT {names}ttft_us,
                ROW_NUMBER() OVER ({partition} ORDER BY ttft_us) AS place,
                COUNT(*) OVER ({partition}) AS n FROM scoped)
            SELECT {names}
                MAX(CASE WHEN place = (n * 50 + 99) / 100 THEN ttft_us END),
                MAX(CASE WHEN place = (n * 95 + 99) / 100 THEN ttft_us END)
            FROM ranked {groupBy}
            """;
    }

    private static string[] Keys(DbDataReader reader, int count)
    {
        string[] keys = new string[count];
        for (int index = 0; index < count; index++)
        {
            keys[index] = reader.GetString(index);
        }

        return keys;
    }

    private static string Expression(UsageDimension dimension, DbConnection connection) => dimension switch
    {
        UsageDimension.Model => "requested_model",
        UsageDimension.Vendor => "vendor",
        UsageDimension.Platform => "platform",
        UsageDimension.Region => "region",
        UsageDimension.App => "app",
        UsageDimension.Day when connection is SqliteConnection => "date(started_us / 1000000, 'unixepoch')",
        UsageDimension.Day => "to_char(to_timestamp(started_us / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
        UsageDimension.Deployment => "deployment",
        UsageDimension.Outcome => "outcome",
        _ => throw new ArgumentOutOfRangeException(nameof(dimension)),
    };
}
