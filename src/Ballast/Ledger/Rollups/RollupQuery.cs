using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Ballast.Ledger.Rollups;

/// <summary>The SQL that reads a period from sums where they cover it, and from rows at its ends: the same in both stores, and exact.</summary>
internal static class RollupQuery
{
    private const string Words = "key_id, app, team, organisation, requested_model, deployment, vendor, platform, region, outcome";

    /// <summary>What <see cref="Source"/> has beside the words and <c>at_us</c>.</summary>
    private const string Sums =
        "attempts, input_tokens, cache_read_tokens, cache_write_tokens, cache_write_long_tokens, output_tokens, reasoning_tokens, cost_micro, cost_rest, unknown_cost, estimated, timed";

    private static readonly string s_rowSums =
        $"""
        1 AS attempts, input_tokens, cache_read_tokens, cache_write_tokens, cache_write_long_tokens, output_tokens, COALESCE(reasoning_tokens, 0) AS reasoning_tokens,
        COALESCE(cost_pico / 1000000, 0) AS cost_micro, COALESCE(cost_pico % 1000000, 0) AS cost_rest, CASE WHEN {UsageQuery.CostIsUnknown} THEN 1 ELSE 0 END AS unknown_cost,
        is_estimated AS estimated, CASE WHEN {UsageQuery.HasTtft} THEN 1 ELSE 0 END AS timed
        """;

    /// <summary>From when on each level is there.</summary>
    public static Dictionary<RollupLevel, long> KeptFrom(DbConnection connection)
    {
        using DbCommand command = connection.CreateCommand();
        command.CommandText = "SELECT level, from_us FROM rollup_kept";
        using DbDataReader reader = command.ExecuteReader();
        Dictionary<RollupLevel, long> kept = [];
        while (reader.Read())
        {
            kept[(RollupLevel)reader.GetInt64(0)] = reader.GetInt64(1);
        }

        return kept;
    }

    /// <summary>A table of sums of a period: its words, <c>at_us</c>, and what is summed. Its text holds <c>{where}</c> for what else restricts it.</summary>
    public static string Source(IReadOnlyList<RollupPiece> pieces) => Union(pieces.Select(piece => piece.Level is { } level
        ? $"SELECT {Words}, bucket_us AS at_us, {Sums} FROM usage_rollups WHERE {InLevel(level, piece)} AND {{where}}"
        : $"SELECT {Words}, started_us AS at_us, {s_rowSums} FROM attempts WHERE {InRows(piece)} AND {{where}}"));

    /// <summary>Streams by slot of their time to first token, of the pieces that are buckets.</summary>
    public static string Slots(IReadOnlyList<RollupPiece> pieces) => Union(pieces.Where(static piece => piece.Level is not null).Select(piece =>
        $"SELECT {Words}, bucket_us AS at_us, slot, streams FROM usage_times WHERE {InLevel(piece.Level!.Value, piece)} AND {{where}}"));

    /// <summary>Sound, pictures and searches of a period, by kind: a column for each word, <c>at_us</c>, <c>kind</c>, <c>amount</c>.</summary>
    public static string Media(IReadOnlyList<RollupPiece> pieces, DbConnection connection) => Union(pieces.Select(piece => piece.Level is { } level
        ? $"SELECT {Words}, bucket_us AS at_us, kind, amount FROM usage_media WHERE {InLevel(level, piece)} AND {{where}}"
        : connection is SqliteConnection
            ? $"SELECT {Words}, started_us AS at_us, m.key AS kind, m.value AS amount FROM attempts, json_each(media) m WHERE {InRows(piece)} AND media IS NOT NULL AND {{where}}"
            : $"SELECT {Words}, started_us AS at_us, m.key AS kind, m.value::bigint AS amount FROM attempts CROSS JOIN LATERAL json_each_text(media::json) m (key, value) WHERE {InRows(piece)} AND media IS NOT NULL AND {{where}}"));

    /// <summary>The times to first token themselves, of the pieces that are rows.</summary>
    public static string Times(IReadOnlyList<RollupPiece> pieces) => Union(pieces.Where(static piece => piece.Level is null).Select(piece =>
        $"SELECT {Words}, started_us AS at_us, ttft_us FROM attempts WHERE {InRows(piece)} AND {UsageQuery.HasTtft} AND {{where}}"));

    /// <summary>Sums by bucket and group.</summary>
    public static IReadOnlyList<RollupRow> Run(DbConnection connection, RollupLevel level, IReadOnlyList<UsageDimension> by, LedgerFilter filter)
    {
        using DbTransaction snapshot = LedgerQuery.Snapshot(connection);
        List<RollupPiece> pieces = RollupPiece.Of(filter, level, RollupLevel.Minute, KeptFrom(connection));
        if (pieces.Count == 0)
        {
            return [];
        }

        long length = RollupBuckets.LengthOf(level);
        string keys = string.Concat(by.Select(dimension => UsageQuery.Expression(dimension, connection, "at_us") + ", "));
        string places = string.Join(", ", Enumerable.Range(1, by.Count + 1));
        using DbCommand command = LedgerQuery.Create(
            connection,
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                SELECT {keys}at_us - ((at_us % {length}) + {length}) % {length}, CAST(SUM(attempts) AS BIGINT),
                    CAST(SUM(CASE WHEN outcome IN ('completed', 'interrupted') THEN attempts ELSE 0 END) AS BIGINT),
                    CAST(SUM({UsageQuery.TokensOfAllClasses}) AS BIGINT), CAST(SUM(unknown_cost) AS BIGINT), CAST(SUM(cost_micro) AS BIGINT), CAST(SUM(cost_rest) AS BIGINT)
                FROM ({Source(pieces)}) sums GROUP BY {places} ORDER BY {by.Count + 1}, {places}
                """),
            filter with { Since = null, Until = null });
        using DbDataReader reader = command.ExecuteReader();
        List<RollupRow> rows = [];
        while (reader.Read())
        {
            string[] values = new string[by.Count];
            for (int index = 0; index < values.Length; index++)
            {
                values[index] = reader.GetString(index);
            }

            int at = by.Count;
            rows.Add(new RollupRow(
                DateTimeOffset.UnixEpoch + LedgerQuery.Span(reader.GetInt64(at)), values, LedgerQuery.Sum(reader, at + 1), LedgerQuery.Sum(reader, at + 2),
                LedgerQuery.Sum(reader, at + 3), LedgerQuery.Sum(reader, at + 4), LedgerQuery.Dollars(reader, at + 5)));
        }

        return rows;
    }

    private static string Union(IEnumerable<string> selects) => string.Join(" UNION ALL ", selects);

    private static string InLevel(RollupLevel level, RollupPiece piece) =>
        string.Create(CultureInfo.InvariantCulture, $"level = {(int)level} AND bucket_us >= {piece.From} AND bucket_us < {piece.Until}");

    private static string InRows(RollupPiece piece) =>
        string.Create(CultureInfo.InvariantCulture, $"started_us >= {piece.From} AND started_us < {piece.Until}");
}
