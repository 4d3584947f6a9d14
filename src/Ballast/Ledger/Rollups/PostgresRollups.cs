using System.Globalization;
using Npgsql;

namespace Ballast.Ledger.Rollups;

/// <summary>Keeps the sums of a PostgreSQL ledger, by the statement that adds the rows: what was there before is neither added nor counted.</summary>
internal static class PostgresRollups
{
    private const string Label = "ballast_label(ROW(added.*)::attempts)";

    private const string Bucket = "added.started_us - ((added.started_us % l.length) + l.length) % l.length";

    /// <summary>Rows are locked in the order of their keys, so that gateways that write at once do not wait for each other in a ring.</summary>
    public static string Append { get; } =
        $"""
        WITH added AS (INSERT INTO attempts SELECT * FROM ballast_batch ON CONFLICT DO NOTHING RETURNING *),
        named AS (SELECT {Label} AS label, added.* FROM added),
        words AS (
            INSERT INTO rollup_labels
            SELECT DISTINCT ON (label) label, key_id, app, team, organisation, protocol, operation, requested_model, sent_model, served_model, deployment, vendor, platform, region
            FROM named ORDER BY label
            ON CONFLICT DO NOTHING),
        others AS (
            INSERT INTO retried_rows
            SELECT started_us, attempt_id, exchange_id, label, outcome FROM named
            WHERE attempt_number <> 1 OR outcome = 'failed' OR COALESCE(reason, '') = 'gateway_stopped'
            ON CONFLICT DO NOTHING),
        times AS (
            INSERT INTO rollup_times
            SELECT l.level, {Bucket}, label, outcome, ballast_slot(ttft_us), COUNT(*)
            FROM named added, (VALUES (1, 3600000000::bigint), (2, 86400000000)) l (level, length)
            WHERE {UsageQuery.HasTtft}
            GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
            ON CONFLICT (level, bucket_us, label, outcome, slot) DO UPDATE SET streams = rollup_times.streams + excluded.streams),
        media AS (
            INSERT INTO rollup_media
            SELECT l.level, {Bucket}, label, outcome, m.key, SUM(m.value::bigint)
            FROM named added CROSS JOIN LATERAL json_each_text(added.media::json) m (key, value), (VALUES (0, 60000000::bigint), (1, 3600000000), (2, 86400000000)) l (level, length)
            WHERE added.media IS NOT NULL
            GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
            ON CONFLICT (level, bucket_us, label, outcome, kind) DO UPDATE SET amount = rollup_media.amount + excluded.amount)
        INSERT INTO rollups
        SELECT l.level, {Bucket}, label, stream, outcome,
            COUNT(*), SUM(input_tokens), SUM(cache_read_tokens), SUM(cache_write_tokens), SUM(cache_write_long_tokens), SUM(output_tokens),
            COALESCE(SUM(reasoning_tokens), 0), COALESCE(SUM(cost_pico / 1000000), 0), COALESCE(SUM(cost_pico % 1000000), 0),
            COUNT(*) FILTER (WHERE {UsageQuery.CostIsUnknown}), SUM(is_estimated), COUNT(*) FILTER (WHERE {UsageQuery.HasTtft}), SUM(duration_us)
        FROM named added, (VALUES (0, 60000000::bigint), (1, 3600000000), (2, 86400000000)) l (level, length)
        GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (level, bucket_us, label, stream, outcome) DO UPDATE SET
            attempts = rollups.attempts + excluded.attempts, input_tokens = rollups.input_tokens + excluded.input_tokens,
            cache_read_tokens = rollups.cache_read_tokens + excluded.cache_read_tokens, cache_write_tokens = rollups.cache_write_tokens + excluded.cache_write_tokens,
            cache_write_long_tokens = rollups.cache_write_long_tokens + excluded.cache_write_long_tokens, output_tokens = rollups.output_tokens + excluded.output_tokens,
            reasoning_tokens = rollups.reasoning_tokens + excluded.reasoning_tokens, cost_micro = rollups.cost_micro + excluded.cost_micro,
            cost_rest = rollups.cost_rest + excluded.cost_rest, unknown_cost = rollups.unknown_cost + excluded.unknown_cost,
            estimated = rollups.estimated + excluded.estimated, timed = rollups.timed + excluded.timed, duration_us = rollups.duration_us + excluded.duration_us
        """;

    /// <summary>Deletes what is too old; several gateways may do it.</summary>
    public static async Task SweepAsync(NpgsqlConnection connection, RollupRetention retention, DateTimeOffset now, CancellationToken cancellation)
    {
        foreach (RollupLevel level in (RollupLevel[])[RollupLevel.Minute, RollupLevel.Hour])
        {
            string from = retention.From(level, now).ToString(CultureInfo.InvariantCulture);
            await PostgresSchema.RunAsync(
                connection,
                $"""
                INSERT INTO rollup_kept VALUES ({(int)level}, {from}) ON CONFLICT (level) DO UPDATE SET from_us = GREATEST(rollup_kept.from_us, excluded.from_us);
                DELETE FROM rollups WHERE level = {(int)level} AND bucket_us < {from};
                DELETE FROM rollup_times WHERE level = {(int)level} AND bucket_us < {from};
                DELETE FROM rollup_media WHERE level = {(int)level} AND bucket_us < {from}
                """,
                cancellation).ConfigureAwait(false);
        }
    }
}
