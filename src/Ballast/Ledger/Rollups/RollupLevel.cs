namespace Ballast.Ledger.Rollups;

/// <summary>How long the buckets of a rollup are. The number is what the stores keep.</summary>
public enum RollupLevel
{
    Minute = 0,
    Hour = 1,

    /// <summary>Of UTC.</summary>
    Day = 2,
}

/// <summary>Lengths and borders of buckets, in microseconds.</summary>
internal static class RollupBuckets
{
    public const long Minute = 60_000_000;
    public const long Hour = 60 * Minute;
    public const long Day = 24 * Hour;

    public static readonly RollupLevel[] Levels = [RollupLevel.Minute, RollupLevel.Hour, RollupLevel.Day];

    public static long LengthOf(RollupLevel level) => level switch
    {
        RollupLevel.Minute => Minute,
        RollupLevel.Hour => Hour,
        _ => Day,
    };

    /// <summary>Where the bucket begins that a moment lies in; moments before 1970 too.</summary>
    public static long Floor(RollupLevel level, long microseconds)
    {
        long length = LengthOf(level);
        long over = microseconds % length;
        return microseconds - (over < 0 ? over + length : over);
    }

    /// <summary>Where the next bucket begins; the moment itself where one begins there.</summary>
    public static long Ceiling(RollupLevel level, long microseconds)
    {
        long floor = Floor(level, microseconds);
        return floor == microseconds ? floor : floor + LengthOf(level);
    }
}
