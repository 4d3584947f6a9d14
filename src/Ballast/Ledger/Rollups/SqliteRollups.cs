using Ballast.Protocols.Conversation;
using Microsoft.Data.Sqlite;

namespace Ballast.Ledger.Rollups;

/// <summary>
/// Keeps the sums of a SQLite ledger: rows that were really added are collected, and written in the transaction that adds them. Not thread-safe. Throws
/// <see cref="SqliteException"/>.
/// </summary>
internal sealed class SqliteRollups : IDisposable
{
    private static readonly string[] s_sums =
    [
        "attempts", "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_long_tokens", "output_tokens", "reasoning_tokens",
        "cost_micro", "cost_rest", "unknown_cost", "estimated", "timed", "duration_us",
    ];

    private readonly Dictionary<(RollupLevel Level, long Bucket, long Label, bool Stream, AttemptOutcome Outcome), RollupSums> _sums = [];
    private readonly Dictionary<(RollupLevel Level, long Bucket, long Label, AttemptOutcome Outcome, int Slot), long> _times = [];
    private readonly Dictionary<(RollupLevel Level, long Bucket, long Label, AttemptOutcome Outcome, string Kind), long> _media = [];
    private readonly SqliteConnection _connection;
    private readonly RollupRetention _retention;
    private readonly TimeProvider _time;
    private readonly SqliteCommand _sum;
    private readonly SqliteCommand _timeSlot;
    private readonly SqliteCommand _mediaSum;
    private readonly SqliteCommand _retried;
    private SqliteTransaction? _transaction;
    private DateTimeOffset _sweptAt = DateTimeOffset.MinValue;

    public SqliteRollups(SqliteConnection connection, RollupRetention retention, TimeProvider time)
    {
        (_connection, _retention, _time) = (connection, retention, time);
        string[] keys = ["level", "bucket_us", "label_id", "stream", "outcome"];
        _sum = Prepare(
            $"""
            INSERT INTO rollups ({string.Join(", ", keys.Concat(s_sums))}) VALUES ({string.Join(", ", keys.Concat(s_sums).Select(static name => "$" + name))})
            ON CONFLICT DO UPDATE SET {string.Join(", ", s_sums.Select(static name => $"{name} = {name} + excluded.{name}"))}
            """,
            [.. keys, .. s_sums]);
        _timeSlot = Prepare(
            """
            INSERT INTO rollup_times (level, bucket_us, label_id, outcome, slot, streams) VALUES ($level, $bucket_us, $label_id, $outcome, $slot, $streams)
            ON CONFLICT DO UPDATE SET streams = streams + excluded.streams
            """,
            ["level", "bucket_us", "label_id", "outcome", "slot", "streams"]);
        _mediaSum = Prepare(
            """
            INSERT INTO rollup_media (level, bucket_us, label_id, outcome, kind, amount) VALUES ($level, $bucket_us, $label_id, $outcome, $kind, $amount)
            ON CONFLICT DO UPDATE SET amount = amount + excluded.amount
            """,
            ["level", "bucket_us", "label_id", "outcome", "kind", "amount"]);
        _retried = Prepare(
            "INSERT OR IGNORE INTO retried_rows (started_us, attempt_id, exchange_id, label_id, outcome) VALUES ($started_us, $attempt_id, $exchange_id, $label_id, $outcome)",
            ["started_us", "attempt_id", "exchange_id", "label_id", "outcome"]);
    }

    /// <summary>Rows are about to be added in this transaction; what an earlier one did not write is forgotten.</summary>
    public void Begin(SqliteTransaction transaction)
    {
        _transaction = transaction;
        _sums.Clear();
        _times.Clear();
        _media.Clear();
    }

    /// <summary>A row was added, under this label.</summary>
    public void Add(LedgerEntry entry, long label)
    {
        long started = LedgerQuery.Microseconds(entry.StartedAt);
        foreach (RollupLevel level in RollupBuckets.Levels)
        {
            long bucket = RollupBuckets.Floor(level, started);
            Sums((level, bucket, label, entry.Stream, entry.Outcome)).Add(entry);
            if (level != RollupLevel.Minute && RollupSums.IsTimed(entry))
            {
                var key = (level, bucket, label, entry.Outcome, TimeSlot.Of(SqliteLedgerStore.Microseconds(entry.TimeToFirstToken!.Value)));
                _times[key] = _times.GetValueOrDefault(key) + 1;
            }
        }

        if (entry.Media is { } media)
        {
            AddMedia(media, started, label, entry.Outcome);
        }

        if (RollupSums.MayHaveOthers(entry))
        {
            Run(_retried, started, SqliteLedgerStore.Text(entry.AttemptId), SqliteLedgerStore.Text(entry.ExchangeId), label, LedgerText.OutcomeName(entry.Outcome));
        }
    }

    private void AddMedia(MediaUsage media, long started, long label, AttemptOutcome outcome)
    {
        foreach ((string kind, Func<MediaUsage, long> read, _) in MediaText.Counts)
        {
            long amount = SqliteLedgerStore.Tokens(read(media));
            foreach (RollupLevel level in amount > 0 ? RollupBuckets.Levels : [])
            {
                var key = (level, RollupBuckets.Floor(level, started), label, outcome, kind);
                _media[key] = _media.GetValueOrDefault(key) + amount;
            }
        }
    }

    /// <summary>Writes what was collected.</summary>
    public void Write()
    {
        foreach (((RollupLevel level, long bucket, long label, bool stream, AttemptOutcome outcome), RollupSums sums) in _sums)
        {
            Run(
                _sum, (long)level, bucket, label, stream ? 1L : 0L, LedgerText.OutcomeName(outcome),
                sums.Attempts, sums.InputTokens, sums.CacheReadTokens, sums.CacheWriteTokens, sums.CacheWriteLongTokens, sums.OutputTokens, sums.ReasoningTokens,
                sums.CostMicro, sums.CostRest, sums.UnknownCost, sums.Estimated, sums.Timed, sums.DurationMicroseconds);
        }

        foreach (((RollupLevel level, long bucket, long label, AttemptOutcome outcome, int slot), long streams) in _times)
        {
            Run(_timeSlot, (long)level, bucket, label, LedgerText.OutcomeName(outcome), (long)slot, streams);
        }

        foreach (((RollupLevel level, long bucket, long label, AttemptOutcome outcome, string kind), long amount) in _media)
        {
            Run(_mediaSum, (long)level, bucket, label, LedgerText.OutcomeName(outcome), kind, amount);
        }

        Sweep();
    }

    public void Dispose()
    {
        _sum.Dispose();
        _timeSlot.Dispose();
        _mediaSum.Dispose();
        _retried.Dispose();
    }

    private RollupSums Sums((RollupLevel, long, long, bool, AttemptOutcome) key)
    {
        if (!_sums.TryGetValue(key, out RollupSums? sums))
        {
            _sums.Add(key, sums = new RollupSums());
        }

        return sums;
    }

    /// <summary>A reader looks at a level only from where it is whole: the border moves with what is deleted, and a late row before it counts in the levels above.</summary>
    private void Sweep()
    {
        DateTimeOffset now = _time.GetUtcNow();
        if (now - _sweptAt < RollupRetention.SweepEvery)
        {
            return;
        }

        _sweptAt = now;
        foreach (RollupLevel level in (ReadOnlySpan<RollupLevel>)[RollupLevel.Minute, RollupLevel.Hour])
        {
            using SqliteCommand sweep = _connection.CreateCommand();
            sweep.CommandText =
                """
                DELETE FROM rollups WHERE level = $level AND bucket_us < $from;
                DELETE FROM rollup_times WHERE level = $level AND bucket_us < $from;
                DELETE FROM rollup_media WHERE level = $level AND bucket_us < $from;
                INSERT INTO rollup_kept (level, from_us) VALUES ($level, $from) ON CONFLICT DO UPDATE SET from_us = MAX(from_us, excluded.from_us);
                """;
            sweep.Parameters.AddWithValue("$level", (long)level);
            sweep.Parameters.AddWithValue("$from", _retention.From(level, now));
            sweep.ExecuteNonQuery();
        }
    }

    private SqliteCommand Prepare(string sql, string[] names)
    {
        SqliteCommand command = _connection.CreateCommand();
#pragma warning disable CA2100 // made of constants
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (string name in names)
        {
            command.Parameters.Add(new SqliteParameter("$" + name, null));
        }

        return command;
    }

    private void Run(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        // Like every command that CreateCommand makes, but made before the transaction was.
        command.Transaction = _transaction;
        for (int i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i];
        }

        command.ExecuteNonQuery();
    }
}
