using System.Data.Common;

namespace Ballast.Ledger.Rollups;

/// <summary>Times to first token of many streams, told from slots: never shorter than they were, and at most 3.2 % longer.</summary>
internal static class SlotPercentiles
{
    public static Dictionary<string, (TimeSpan? P50, TimeSpan? P95)> Of(
        DbConnection connection, IReadOnlyList<UsageDimension> by, LedgerFilter filter, IReadOnlyDictionary<RollupLevel, long> keptFrom)
    {
        Dictionary<string, SortedDictionary<int, long>> slots = new(StringComparer.Ordinal);
        List<RollupPiece> pieces = RollupPiece.Of(filter, RollupLevel.Day, RollupLevel.Hour, keptFrom);
        string keys = string.Concat(by.Select(dimension => UsageQuery.Expression(dimension, connection, "at_us") + ", "));
        string places = string.Join(", ", Enumerable.Range(1, by.Count + 1));
        Read(RollupQuery.Slots(pieces), source => $"SELECT {keys}slot, CAST(SUM(streams) AS BIGINT) FROM ({source}) slots GROUP BY {places}", static slot => (int)slot);
        Read(RollupQuery.Times(pieces), source => $"SELECT {keys}ttft_us, CAST(1 AS BIGINT) FROM ({source}) times", TimeSlot.Of);
        return slots.ToDictionary(static pair => pair.Key, static pair => (Rank(pair.Value, 50), Rank(pair.Value, 95)), StringComparer.Ordinal);

        void Read(string source, Func<string, string> select, Func<long, int> slotOf)
        {
            if (source.Length == 0)
            {
                return;
            }

            using DbCommand command = LedgerQuery.Create(connection, select(source), filter with { Since = null, Until = null });
            using DbDataReader reader = command.ExecuteReader();
            while (reader.Read())
            {
                string group = string.Join('\0', UsageQuery.Keys(reader, by.Count));
                if (!slots.TryGetValue(group, out SortedDictionary<int, long>? counts))
                {
                    slots.Add(group, counts = []);
                }

                int slot = slotOf(reader.GetInt64(by.Count));
                counts[slot] = counts.GetValueOrDefault(slot) + LedgerQuery.Sum(reader, by.Count + 1);
            }
        }
    }

    /// <summary>Nearest rank, as <see cref="UsageQuery.PercentileSql"/>.</summary>
    private static TimeSpan? Rank(SortedDictionary<int, long> counts, long percent)
    {
        long rank = ((counts.Values.Sum() * percent) + 99) / 100;
        foreach ((int slot, long count) in counts)
        {
            rank -= count;
            if (rank <= 0)
            {
                return LedgerQuery.Span(TimeSlot.EndOf(slot));
            }
        }

        return null;
    }
}
