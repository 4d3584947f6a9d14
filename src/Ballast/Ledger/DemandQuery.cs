using System.Data.Common;
using System.Globalization;
using Ballast.Ledger.Rollups;
using Ballast.Protocols.Conversation;
using Microsoft.Data.Sqlite;

namespace Ballast.Ledger;

/// <summary>
/// The SQL behind <see cref="DemandReport"/>: sums of stretches come from rollups where they cover them. Minutes come from the rows, since rollups neither keep them for long nor know
/// why an attempt failed; no row is held in memory.
/// </summary>
internal static class DemandQuery
{
    private const int AnsweredBit = 1;
    private const int AskedBit = 2;
    private const int FailingBit = 4;

    private const string Words = "key_id, app, requested_model, deployment, vendor, platform, region";

    private const string Answered = "outcome IN ('completed', 'interrupted')";

    private const string Asked = "(outcome <> 'cancelled' AND COALESCE(upstream_status, 0) NOT IN (400, 413, 415, 422, 429))";

    private const string Failing = $"({Asked} AND outcome IN ('failed', 'interrupted'))";

    public static DemandReport Run(DbConnection connection, LedgerFilter filter, int minutesMax)
    {
        using DbTransaction snapshot = LedgerQuery.Snapshot(connection);
        Labels labels = new();
        List<DemandMinute> minutes = [];
        (long First, long Last)? span = connection is SqliteConnection
            ? ReadMinutes(connection, filter, labels, minutes, minutesMax)
            : GroupMinutes(connection, filter, labels, minutes, minutesMax);
        TimeSpan stretch = span is { } answered ? DemandReport.StretchOf(LedgerQuery.Span(answered.Last - answered.First)) : TimeSpan.FromHours(1);
        return new DemandReport(stretch, Cells(connection, stretch, filter, labels), minutes);
    }

    /// <summary>Cells of a length of their own.</summary>
    public static IReadOnlyList<DemandCell> Cells(DbConnection connection, TimeSpan length, LedgerFilter filter)
    {
        using DbTransaction snapshot = LedgerQuery.Snapshot(connection);
        return Cells(connection, length, filter, new Labels());
    }

    private static List<DemandCell> Cells(DbConnection connection, TimeSpan length, LedgerFilter filter, Labels labels)
    {
        RollupLevel? coarsest = length >= TimeSpan.FromDays(1) ? RollupLevel.Day : length >= TimeSpan.FromHours(1) ? RollupLevel.Hour : length >= TimeSpan.FromMinutes(1) ? RollupLevel.Minute : null;
        List<RollupPiece> pieces = coarsest is { } level
            ? RollupPiece.Of(filter, level, RollupLevel.Minute, RollupQuery.KeptFrom(connection))
            : [new RollupPiece(null, filter.Since is { } since ? LedgerQuery.Microseconds(since) : long.MinValue / 2, filter.Until is { } until ? LedgerQuery.Microseconds(until) : long.MaxValue / 2)];
        if (pieces.Count == 0)
        {
            return [];
        }

        string microseconds = (length.Ticks / TimeSpan.TicksPerMicrosecond).ToString(CultureInfo.InvariantCulture);
        using DbCommand command = LedgerQuery.Create(
            connection,
            $"""
            SELECT at_us / {microseconds}, {Words}, CAST(SUM(attempts) AS BIGINT), CAST(SUM(input_tokens) AS BIGINT), CAST(SUM(cache_read_tokens) AS BIGINT),
                CAST(SUM(cache_write_tokens) AS BIGINT), CAST(SUM(cache_write_long_tokens) AS BIGINT), CAST(SUM(output_tokens) AS BIGINT),
                CAST(SUM(cost_micro) AS BIGINT), CAST(SUM(cost_rest) AS BIGINT)
            FROM ({RollupQuery.Source(pieces)}) sums WHERE {Answered} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
            """,
            filter with { Since = null, Until = null });
        using DbDataReader reader = command.ExecuteReader();
        List<DemandCell> cells = [];
        while (reader.Read())
        {
            cells.Add(new DemandCell(
                labels.Read(reader, 1), DateTimeOffset.UnixEpoch + (reader.GetInt64(0) * length), LedgerQuery.Sum(reader, 8),
                new Usage
                {
                    InputTokens = LedgerQuery.Sum(reader, 9),
                    CacheReadTokens = LedgerQuery.Sum(reader, 10),
                    CacheWriteTokens = LedgerQuery.Sum(reader, 11),
                    CacheWriteLongTokens = LedgerQuery.Sum(reader, 12),
                    OutputTokens = LedgerQuery.Sum(reader, 13),
                },
                LedgerQuery.Dollars(reader, 14)));
        }

        return cells;
    }

    /// <summary>SQLite: rows lie in the order of their time and name their label by a number, so that reading them once, without sorting, is the quickest.</summary>
    private static (long First, long Last)? ReadMinutes(DbConnection connection, LedgerFilter filter, Labels labels, List<DemandMinute> minutes, int minutesMax)
    {
        Dictionary<long, DemandLabel> known = ReadLabels(connection, filter, labels);
        using DbCommand command = LedgerQuery.Create(
            connection,
            $"""
            SELECT started_us, label_id, {UsageQuery.TokensOfAllClasses},
                CASE WHEN {Answered} THEN {AnsweredBit} ELSE 0 END + CASE WHEN {Asked} THEN {AskedBit} ELSE 0 END + CASE WHEN {Failing} THEN {FailingBit} ELSE 0 END
            FROM attempt_rows WHERE {"{where}"} ORDER BY started_us
            """,
            new LedgerFilter(filter.Since, filter.Until));
        using DbDataReader row = command.ExecuteReader();
        Dictionary<DemandLabel, MinuteSums> sums = new(ReferenceEqualityComparer.Instance);
        long minute = long.MinValue, first = long.MaxValue, last = long.MinValue;
        while (row.Read())
        {
            if (!known.TryGetValue(row.GetInt64(1), out DemandLabel? label))
            {
                continue;
            }

            long at = row.GetInt64(0);
            if (at / RollupBuckets.Minute != minute)
            {
                if (!Flush())
                {
                    break;
                }

                minute = at / RollupBuckets.Minute;
            }

            long kind = row.GetInt64(3);
            if (!sums.TryGetValue(label, out MinuteSums? own))
            {
                sums.Add(label, own = new MinuteSums());
            }

            own.Asked += (kind & AskedBit) != 0 ? 1 : 0;
            own.Failing += (kind & FailingBit) != 0 ? 1 : 0;
            if ((kind & AnsweredBit) != 0)
            {
                own.Answered++;
                own.Tokens += row.GetInt64(2);
                (first, last) = (Math.Min(first, at), Math.Max(last, at));
            }
        }

        Flush();
        return first <= last ? (first, last) : null;

        bool Flush()
        {
            foreach ((DemandLabel label, MinuteSums own) in sums)
            {
                minutes.Add(new DemandMinute(label, minute, own.Answered, own.Tokens, own.Asked, own.Failing));
            }

            sums.Clear();
            return minutes.Count < minutesMax;
        }
    }

    /// <summary>Labels of the filter's application and key, by their numbers.</summary>
    private static Dictionary<long, DemandLabel> ReadLabels(DbConnection connection, LedgerFilter filter, Labels labels)
    {
        using DbCommand command = LedgerQuery.Create(connection, $"SELECT {Words}, label_id FROM labels WHERE {{where}}", filter with { Since = null, Until = null, ExchangeId = null });
        using DbDataReader reader = command.ExecuteReader();
        Dictionary<long, DemandLabel> known = [];
        while (reader.Read())
        {
            known.Add(reader.GetInt64(7), labels.Read(reader, 0));
        }

        return known;
    }

    /// <summary>PostgreSQL: the database adds up, so that only sums cross the line.</summary>
    private static (long First, long Last)? GroupMinutes(DbConnection connection, LedgerFilter filter, Labels labels, List<DemandMinute> minutes, int minutesMax)
    {
        using DbCommand command = LedgerQuery.Create(
            connection,
            $"""
            SELECT started_us / {RollupBuckets.Minute}, {Words}, {LedgerQuery.CountOf(Answered)}, CAST(SUM(CASE WHEN {Answered} THEN {UsageQuery.TokensOfAllClasses} END) AS BIGINT),
                {LedgerQuery.CountOf(Asked)}, {LedgerQuery.CountOf(Failing)}, MIN(CASE WHEN {Answered} THEN started_us END), MAX(CASE WHEN {Answered} THEN started_us END)
            FROM attempts WHERE {"{where}"} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1 LIMIT @count
            """,
            filter);
        LedgerQuery.Bind(command, "@count", minutesMax);
        using DbDataReader reader = command.ExecuteReader();
        long first = long.MaxValue, last = long.MinValue;
        while (reader.Read())
        {
            minutes.Add(new DemandMinute(
                labels.Read(reader, 1), reader.GetInt64(0), (int)LedgerQuery.Sum(reader, 8), LedgerQuery.Sum(reader, 9), (int)LedgerQuery.Sum(reader, 10), (int)LedgerQuery.Sum(reader, 11)));
            first = Math.Min(first, LedgerQuery.OptionalNumber(reader, 12) ?? long.MaxValue);
            last = Math.Max(last, LedgerQuery.OptionalNumber(reader, 13) ?? long.MinValue);
        }

        return first <= last ? (first, last) : null;
    }

    private sealed class MinuteSums
    {
        public int Answered { get; set; }
        public long Tokens { get; set; }
        public int Asked { get; set; }
        public int Failing { get; set; }
    }

    /// <summary>One object for each combination, however many rows name it.</summary>
    private sealed class Labels
    {
        private readonly Dictionary<DemandLabel, DemandLabel> _known = [];

        public DemandLabel Read(DbDataReader reader, int from)
        {
            DemandLabel label = new(
                reader.GetString(from), reader.GetString(from + 1), reader.GetString(from + 2), reader.GetString(from + 3), reader.GetString(from + 4), reader.GetString(from + 5), reader.GetString(from + 6));
            if (!_known.TryGetValue(label, out DemandLabel? known))
            {
                _known.Add(label, known = label);
            }

            return known;
        }
    }
}
