namespace Ballast.Ledger.Rollups;

/// <summary>A part of a period that is read from one place: a level's buckets, or the rows themselves.</summary>
/// <param name="Level">Null for the rows.</param>
/// <param name="From">First microsecond.</param>
/// <param name="Until">First microsecond no more.</param>
internal readonly record struct RollupPiece(RollupLevel? Level, long From, long Until)
{
    /// <summary>Whole days of all times: what no filter restricts.</summary>
    private const long FirstDay = -719_162 * RollupBuckets.Day;
    private const long LastDay = 2_932_897 * RollupBuckets.Day;

    /// <summary>Covers a period by the coarsest buckets that lie wholly in it, and what is left at its ends by finer ones, down to the rows.</summary>
    /// <param name="filter">Its times.</param>
    /// <param name="coarsest">The coarsest level that may be read.</param>
    /// <param name="finest">And the finest.</param>
    /// <param name="keptFrom">From when on a level is there, in microseconds; levels that are there from ever are left out.</param>
    public static List<RollupPiece> Of(LedgerFilter filter, RollupLevel coarsest, RollupLevel finest, IReadOnlyDictionary<RollupLevel, long> keptFrom)
    {
        List<RollupPiece> pieces = [];
        Cover(coarsest, filter.Since is { } since ? LedgerQuery.Microseconds(since) : FirstDay, filter.Until is { } until ? LedgerQuery.Microseconds(until) : LastDay);
        return pieces;

        void Cover(RollupLevel level, long from, long until)
        {
            if (from >= until)
            {
                return;
            }

            if (level < finest)
            {
                pieces.Add(new RollupPiece(null, from, until));
                return;
            }

            long first = RollupBuckets.Ceiling(level, Math.Max(from, keptFrom.GetValueOrDefault(level, long.MinValue / 2)));
            long last = RollupBuckets.Floor(level, until);
            if (first >= last)
            {
                Cover(level - 1, from, until);
                return;
            }

            Cover(level - 1, from, first);
            pieces.Add(new RollupPiece(level, first, last));
            Cover(level - 1, last, until);
        }
    }
}
