using System.Data.Common;
using Ballast.Ledger.Rollups;
using Ballast.Protocols.Conversation;
using Microsoft.Data.Sqlite;

namespace Ballast.Ledger;

/// <summary>
/// The SQL of <see cref="UsageReport"/>. Sums come from rollups, and at the ends of a period from rows: exact, whatever the period. Times to first token are ranked exactly
/// where the attempts are few enough to be looked at one by one, else told from slots.
/// </summary>
internal static class UsageQuery
{
    /// <summary>Dimensions of one report: beyond this a table cannot be read.</summary>
    public const int DimensionsMax = 4;

    public const string TokensOfAllClasses = "(input_tokens + cache_read_tokens + cache_write_tokens + cache_write_long_tokens + output_tokens)";

    /// <summary>A cost that ought to be known: an answer was given or tokens were counted.</summary>
    public const string CostIsUnknown = $"(cost_pico IS NULL AND (outcome <> 'failed' OR {TokensOfAllClasses} > 0))";

    /// <summary>Time to first token is told of streams only: a whole answer's first content is its last.</summary>
    public const string HasTtft = "(stream = 1 AND ttft_us IS NOT NULL)";

    /// <summary>Attempts up to which each one's time to first token is looked at.</summary>
    public const long RankedMax = 100_000;

    private static readonly string s_sums =
        $"""
        CAST(SUM(attempts) AS BIGINT), {OfOutcome("completed")}, {OfOutcome("failed")}, {OfOutcome("interrupted")}, {OfOutcome("cancelled")},
        CAST(SUM(input_tokens) AS BIGINT), CAST(SUM(cache_read_tokens) AS BIGINT), CAST(SUM(cache_write_tokens) AS BIGINT), CAST(SUM(cache_write_long_tokens) AS BIGINT), CAST(SUM(output_tokens) AS BIGINT), CAST(SUM(reasoning_tokens) AS BIGINT),
        CAST(SUM(cost_micro) AS BIGINT), CAST(SUM(cost_rest) AS BIGINT), CAST(SUM(unknown_cost) AS BIGINT), CAST(SUM(estimated) AS BIGINT)
        """;

    /// <param name="connection">Of the ledger.</param>
    /// <param name="by">The groups.</param>
    /// <param name="filter">Which attempts.</param>
    /// <param name="rankedMax">As <see cref="RankedMax"/>.</param>
    public static UsageReport Run(DbConnection connection, IReadOnlyList<UsageDimension> by, LedgerFilter filter, long rankedMax = RankedMax)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(by.Count, DimensionsMax);
        using DbTransaction snapshot = LedgerQuery.Snapshot(connection);
        Dictionary<RollupLevel, long> keptFrom = RollupQuery.KeptFrom(connection);
        UsageRow total = Group(connection, [], filter, keptFrom).FirstOrDefault() ?? Nothing();
        if (total.Attempts == 0)
        {
            return new UsageReport { By = by, Rows = [], Total = total };
        }

        bool isRanked = total.Attempts <= rankedMax;
        total = Timed([total], [])[0];
        return new UsageReport { By = by, Rows = by.Count == 0 ? [total] : Sort(Timed(Group(connection, by, filter, keptFrom), by), by), Total = total };

        List<UsageRow> Timed(List<UsageRow> rows, IReadOnlyList<UsageDimension> groups)
        {
            Dictionary<string, (TimeSpan? P50, TimeSpan? P95)> times =
                isRanked ? Percentiles(connection, groups, filter) : SlotPercentiles.Of(connection, groups, filter, keptFrom);
            return [.. rows.Select(row => times.TryGetValue(string.Join('\0', row.Keys), out (TimeSpan? P50, TimeSpan? P95) told) ? row with { TtftP50 = told.P50, TtftP95 = told.P95 } : row)];
        }
    }

    /// <summary>As <see cref="LedgerReader.UnpricedAsync"/>: from rows, of which only a few are so. No budget takes the upload of a file for anything.</summary>
    public static (decimal ReservedUsd, long Others) Unpriced(DbConnection connection, LedgerFilter filter)
    {
        using DbCommand command = LedgerQuery.Create(
            connection, $"SELECT {LedgerQuery.CountOf("reserved_pico IS NULL AND operation <> 'file_upload'")}, {LedgerQuery.DollarColumns("reserved_pico")} FROM attempts WHERE {CostIsUnknown} AND {{where}}", filter);
        using DbDataReader reader = command.ExecuteReader();
        return reader.Read() ? (LedgerQuery.Dollars(reader, 1), LedgerQuery.Sum(reader, 0)) : default;
    }

    private static string OfOutcome(string outcome) => $"CAST(SUM(CASE WHEN outcome = '{outcome}' THEN attempts ELSE 0 END) AS BIGINT)";

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

    private static List<UsageRow> Group(
        DbConnection connection, IReadOnlyList<UsageDimension> by, LedgerFilter filter, IReadOnlyDictionary<RollupLevel, long> keptFrom)
    {
        List<RollupPiece> pieces = RollupPiece.Of(filter, RollupLevel.Day, RollupLevel.Minute, keptFrom);
        if (pieces.Count == 0)
        {
            return [];
        }

        string keys = string.Concat(by.Select(dimension => Expression(dimension, connection, "at_us") + ", "));
        string groupBy = by.Count == 0 ? "" : "GROUP BY " + string.Join(", ", Enumerable.Range(1, by.Count));
        Dictionary<string, long> repeated = Repeated(connection, by, filter);
        Dictionary<string, MediaUsage> media = Media(connection, by, filter, pieces);
        using DbCommand command = LedgerQuery.Create(
            connection, $"SELECT {keys}{s_sums} FROM ({RollupQuery.Source(pieces)}) sums {groupBy}", filter with { Since = null, Until = null });
        using DbDataReader reader = command.ExecuteReader();
        List<UsageRow> rows = [];
        while (reader.Read())
        {
            UsageRow row = ReadRow(reader, by.Count, repeated);
            rows.Add(row with { Media = media.GetValueOrDefault(string.Join('\0', row.Keys)) });
        }

        return rows;
    }

    /// <summary>Sound, pictures and searches of each group that has any.</summary>
    private static Dictionary<string, MediaUsage> Media(DbConnection connection, IReadOnlyList<UsageDimension> by, LedgerFilter filter, List<RollupPiece> pieces)
    {
        string keys = string.Concat(by.Select(dimension => Expression(dimension, connection, "at_us") + ", "));
        string groupBy = string.Join(", ", Enumerable.Range(1, by.Count + 1));
        using DbCommand command = LedgerQuery.Create(
            connection, $"SELECT {keys}kind, CAST(SUM(amount) AS BIGINT) FROM ({RollupQuery.Media(pieces, connection)}) sums GROUP BY {groupBy}", filter with { Since = null, Until = null });
        using DbDataReader reader = command.ExecuteReader();
        Dictionary<string, MediaUsage> media = new(StringComparer.Ordinal);
        while (reader.Read())
        {
            string group = string.Join('\0', Keys(reader, by.Count));
            media[group] = MediaText.With(media.GetValueOrDefault(group), reader.GetString(by.Count), LedgerQuery.Sum(reader, by.Count + 1));
        }

        return media;
    }

    /// <summary>Attempts of each group whose exchange has an earlier one in it: it counts once.</summary>
    private static Dictionary<string, long> Repeated(DbConnection connection, IReadOnlyList<UsageDimension> by, LedgerFilter filter)
    {
        string aliased = string.Concat(by.Select((dimension, index) => $"{Expression(dimension, connection, "started_us")} AS k{index}, "));
        string names = string.Concat(by.Select((_, index) => $"k{index}, "));
        string outer = by.Count == 0 ? "" : "GROUP BY " + names[..^2];
        using DbCommand command = LedgerQuery.Create(
            connection,
            $"""
            SELECT {names}CAST(SUM(n - 1) AS BIGINT) FROM (
                SELECT {names}exchange_id, COUNT(*) AS n FROM (SELECT {aliased}exchange_id FROM retried WHERE {"{where}"}) named GROUP BY {names}exchange_id) counted
            {outer}
            """,
            filter);
        using DbDataReader reader = command.ExecuteReader();
        Dictionary<string, long> repeated = new(StringComparer.Ordinal);
        while (reader.Read())
        {
            repeated[string.Join('\0', Keys(reader, by.Count))] = LedgerQuery.Sum(reader, by.Count);
        }

        return repeated;
    }

    private static UsageRow Nothing() => new()
    {
        Keys = [], Requests = 0, Attempts = 0, Completed = 0, Failed = 0, Interrupted = 0, Cancelled = 0, InputTokens = 0, CacheReadTokens = 0, CacheWriteTokens = 0,
        CacheWriteLongTokens = 0, OutputTokens = 0, ReasoningTokens = 0, CostUsd = 0, UnknownCost = 0, Estimated = 0,
    };

    private static UsageRow ReadRow(DbDataReader reader, int first, Dictionary<string, long> repeated)
    {
        string[] keys = Keys(reader, first);
        long attempts = LedgerQuery.Sum(reader, first);
        return new UsageRow
        {
            Keys = keys,
            Requests = attempts - repeated.GetValueOrDefault(string.Join('\0', keys)),
            Attempts = attempts,
            Completed = LedgerQuery.Sum(reader, first + 1),
            Failed = LedgerQuery.Sum(reader, first + 2),
            Interrupted = LedgerQuery.Sum(reader, first + 3),
            Cancelled = LedgerQuery.Sum(reader, first + 4),
            InputTokens = LedgerQuery.Sum(reader, first + 5),
            CacheReadTokens = LedgerQuery.Sum(reader, first + 6),
            CacheWriteTokens = LedgerQuery.Sum(reader, first + 7),
            CacheWriteLongTokens = LedgerQuery.Sum(reader, first + 8),
            OutputTokens = LedgerQuery.Sum(reader, first + 9),
            ReasoningTokens = LedgerQuery.Sum(reader, first + 10),
            CostUsd = LedgerQuery.Dollars(reader, first + 11),
            UnknownCost = LedgerQuery.Sum(reader, first + 13),
            Estimated = LedgerQuery.Sum(reader, first + 14),
        };
    }

    private static Dictionary<string, (TimeSpan? P50, TimeSpan? P95)> Percentiles(
        DbConnection connection, IReadOnlyList<UsageDimension> by, LedgerFilter filter)
    {
        using DbCommand command = LedgerQuery.Create(connection, PercentileSql([.. by.Select(dimension => Expression(dimension, connection, "started_us"))], "{where}"), filter);
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

    public static string[] Keys(DbDataReader reader, int count)
    {
        string[] keys = new string[count];
        for (int index = 0; index < count; index++)
        {
            keys[index] = reader.GetString(index);
        }

        return keys;
    }

    /// <param name="dimension">What is grouped by.</param>
    /// <param name="connection">Its dialect of SQL.</param>
    /// <param name="time">The column that holds the time.</param>
    public static string Expression(UsageDimension dimension, DbConnection connection, string time) => dimension switch
    {
        UsageDimension.Model => "requested_model",
        UsageDimension.Vendor => "vendor",
        UsageDimension.Platform => "platform",
        UsageDimension.Region => "region",
        UsageDimension.App => "app",
        UsageDimension.Day when connection is SqliteConnection => $"date({time} / 1000000, 'unixepoch')",
        UsageDimension.Day => $"to_char(to_timestamp({time} / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
        UsageDimension.Deployment => "deployment",
        UsageDimension.Outcome => "outcome",
        _ => throw new ArgumentOutOfRangeException(nameof(dimension)),
    };
}
