using System.Data.Common;
using Ballast.Ledger.Rollups;

namespace Ballast.Ledger;

/// <summary>The SQL behind shares and comparisons.</summary>
internal static class TrafficQuery
{
    private const string Answered = "(outcome IN ('completed', 'interrupted'))";
    private const string AllInput = "(input_tokens + cache_read_tokens + cache_write_tokens + cache_write_long_tokens)";

    /// <summary>The caller's own fault: another platform would have refused it too.</summary>
    private const string CallersFault = "(COALESCE(upstream_status, 0) IN (400, 413, 415, 422))";
    private const string RateLimited = "(COALESCE(upstream_status, 0) = 429)";

    private const string InBothParts = "(cost_pico IS NOT NULL AND input_cost_pico IS NOT NULL)";

    /// <summary>Streams whose speed can be told: finished, and more than one token after the first content.</summary>
    private const string HasSpeed = "(outcome = 'completed' AND stream = 1 AND output_tokens > 1 AND ttft_us IS NOT NULL AND duration_us > ttft_us)";

    private const string HasTtft = "(outcome = 'completed' AND stream = 1 AND ttft_us IS NOT NULL)";

    public static IReadOnlyList<ShareRow> Shares(DbConnection connection, LedgerFilter filter)
    {
        using DbTransaction snapshot = LedgerQuery.Snapshot(connection);
        List<RollupPiece> pieces = RollupPiece.Of(filter, RollupLevel.Day, RollupLevel.Minute, RollupQuery.KeptFrom(connection));
        if (pieces.Count == 0)
        {
            return [];
        }

        using DbCommand command = LedgerQuery.Create(
            connection,
            $"""
            SELECT app, deployment, vendor, platform, region, CAST(SUM(CASE WHEN {Answered} THEN attempts ELSE 0 END) AS BIGINT), CAST(SUM(attempts) AS BIGINT),
                CAST(SUM({UsageQuery.TokensOfAllClasses}) AS BIGINT), CAST(SUM(cost_micro) AS BIGINT), CAST(SUM(cost_rest) AS BIGINT)
            FROM ({RollupQuery.Source(pieces)}) sums GROUP BY 1, 2, 3, 4, 5 ORDER BY 6 DESC, 1, 2
            """,
            filter with { Since = null, Until = null });
        using DbDataReader reader = command.ExecuteReader();
        List<ShareRow> rows = [];
        while (reader.Read())
        {
            rows.Add(new ShareRow(
                reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetString(4),
                LedgerQuery.Sum(reader, 5), LedgerQuery.Sum(reader, 6), LedgerQuery.Sum(reader, 7), LedgerQuery.Dollars(reader, 8)));
        }

        return rows;
    }

    public static TrafficFigures Figures(DbConnection connection, string? vendor, string? platform, LedgerFilter filter)
    {
        using DbTransaction snapshot = LedgerQuery.Snapshot(connection);
        TrafficFigures sums = Sums(connection, vendor, platform, filter);
        using DbCommand command = Create(connection, UsageQuery.PercentileSql([], Scope(vendor, platform)), vendor, platform, filter);
        using DbDataReader reader = command.ExecuteReader();
        return reader.Read()
            ? sums with { TtftP50 = LedgerQuery.OptionalSpan(reader, 0), TtftP95 = LedgerQuery.OptionalSpan(reader, 1) }
            : sums;
    }

    public static IReadOnlyList<TrafficBucket> Buckets(DbConnection connection, TimeSpan length, LedgerFilter filter)
    {
        using DbCommand command = LedgerQuery.Create(
            connection,
            $"""
            SELECT started_us / @length, vendor, platform, COUNT(*), {LedgerQuery.CountOf(Answered)},
                {LedgerQuery.CountOf($"(outcome = 'interrupted' OR outcome = 'failed') AND NOT {CallersFault} AND NOT {RateLimited}")},
                {LedgerQuery.CountOf("COALESCE(finish, '') IN ('refusal', 'content_filter')")},
                CAST(SUM(CASE WHEN {Answered} THEN {AllInput} + output_tokens END) AS BIGINT),
                CAST(SUM(CASE WHEN {InBothParts} THEN {AllInput} END) AS BIGINT), CAST(SUM(CASE WHEN {InBothParts} THEN output_tokens END) AS BIGINT),
                CAST(SUM(CASE WHEN {HasSpeed} THEN output_tokens - 1 END) AS BIGINT), CAST(SUM(CASE WHEN {HasSpeed} THEN duration_us - ttft_us END) AS BIGINT),
                {LedgerQuery.CountOf(HasTtft)}, CAST(SUM(CASE WHEN {HasTtft} THEN ttft_us END) AS BIGINT),
                {LedgerQuery.DollarColumns($"CASE WHEN {InBothParts} THEN input_cost_pico END")},
                {LedgerQuery.DollarColumns($"CASE WHEN {InBothParts} THEN cost_pico - input_cost_pico END")}
            FROM attempts WHERE {"{where}"} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            """,
            filter);
        LedgerQuery.Bind(command, "@length", length.Ticks / TimeSpan.TicksPerMicrosecond);
        using DbDataReader reader = command.ExecuteReader();
        List<TrafficBucket> buckets = [];
        while (reader.Read())
        {
            buckets.Add(new TrafficBucket(reader.GetString(1), reader.GetString(2), DateTimeOffset.UnixEpoch + (reader.GetInt64(0) * length))
            {
                Attempts = LedgerQuery.Sum(reader, 3),
                Answered = LedgerQuery.Sum(reader, 4),
                Errors = LedgerQuery.Sum(reader, 5),
                Refusals = LedgerQuery.Sum(reader, 6),
                Tokens = LedgerQuery.Sum(reader, 7),
                PricedInputTokens = LedgerQuery.Sum(reader, 8),
                PricedOutputTokens = LedgerQuery.Sum(reader, 9),
                StreamedTokens = LedgerQuery.Sum(reader, 10),
                StreamedTime = LedgerQuery.Span(LedgerQuery.Sum(reader, 11)),
                TtftCount = LedgerQuery.Sum(reader, 12),
                TtftTime = LedgerQuery.Span(LedgerQuery.Sum(reader, 13)),
                PricedInputUsd = LedgerQuery.Dollars(reader, 14),
                PricedOutputUsd = LedgerQuery.Dollars(reader, 16),
            });
        }

        return buckets;
    }

    private static TrafficFigures Sums(DbConnection connection, string? vendor, string? platform, LedgerFilter filter)
    {
        using DbCommand command = Create(
            connection,
            $"""
            SELECT COUNT(*), {LedgerQuery.CountOf(Answered)},
                {LedgerQuery.CountOf($"(outcome = 'interrupted' OR outcome = 'failed') AND NOT {CallersFault} AND NOT {RateLimited}")},
                {LedgerQuery.CountOf(RateLimited)}, {LedgerQuery.CountOf("COALESCE(finish, '') IN ('refusal', 'content_filter')")},
                CAST(SUM({AllInput}) AS BIGINT), CAST(SUM(output_tokens) AS BIGINT),
                {LedgerQuery.CountOf(UsageQuery.CostIsUnknown)},
                CAST(SUM(CASE WHEN {InBothParts} THEN {AllInput} END) AS BIGINT), CAST(SUM(CASE WHEN {InBothParts} THEN output_tokens END) AS BIGINT),
                CAST(SUM(CASE WHEN {HasSpeed} THEN output_tokens - 1 END) AS BIGINT), CAST(SUM(CASE WHEN {HasSpeed} THEN duration_us - ttft_us END) AS BIGINT),
                {LedgerQuery.DollarColumns("cost_pico")},
                {LedgerQuery.DollarColumns($"CASE WHEN {InBothParts} THEN input_cost_pico END")},
                {LedgerQuery.DollarColumns($"CASE WHEN {InBothParts} THEN cost_pico - input_cost_pico END")}
            FROM attempts WHERE {Scope(vendor, platform)}
            """,
            vendor,
            platform,
            filter);
        using DbDataReader reader = command.ExecuteReader();
        reader.Read();
        return new TrafficFigures
        {
            Attempts = LedgerQuery.Sum(reader, 0),
            Answered = LedgerQuery.Sum(reader, 1),
            Errors = LedgerQuery.Sum(reader, 2),
            RateLimited = LedgerQuery.Sum(reader, 3),
            Refusals = LedgerQuery.Sum(reader, 4),
            InputTokens = LedgerQuery.Sum(reader, 5),
            OutputTokens = LedgerQuery.Sum(reader, 6),
            UnknownCost = LedgerQuery.Sum(reader, 7),
            PricedInputTokens = LedgerQuery.Sum(reader, 8),
            PricedOutputTokens = LedgerQuery.Sum(reader, 9),
            StreamedTokens = LedgerQuery.Sum(reader, 10),
            StreamedTime = LedgerQuery.Span(LedgerQuery.Sum(reader, 11)),
            CostUsd = LedgerQuery.Dollars(reader, 12),
            PricedInputUsd = LedgerQuery.Dollars(reader, 14),
            PricedOutputUsd = LedgerQuery.Dollars(reader, 16),
        };
    }

    private static string Scope(string? vendor, string? platform) =>
        "{where}" + (vendor is null ? "" : " AND vendor = @vendor") + (platform is null ? "" : " AND platform = @platform");

    private static DbCommand Create(DbConnection connection, string sql, string? vendor, string? platform, LedgerFilter filter)
    {
        DbCommand command = LedgerQuery.Create(connection, sql, filter);
        if (vendor is not null)
        {
            LedgerQuery.Bind(command, "@vendor", vendor);
        }

        if (platform is not null)
        {
            LedgerQuery.Bind(command, "@platform", platform);
        }

        return command;
    }
}
