namespace Ballast.Ledger;

/// <summary>
/// A fixed histogram of times from 0.1 ms to about 1,000 s: each bucket is 10 % wider than the one before, so a percentile is at most 10 % above
/// the true one (nearest rank). Counts for a few round bounds are kept beside it, for metrics. Not thread-safe; no allocation after construction.
/// </summary>
internal sealed class TimeHistogram
{
    private const double Growth = 1.1;
    private const double FirstBoundMilliseconds = 0.1;
    private const int Buckets = 170;

    /// <summary>Upper bounds of the counts for metrics, in seconds.</summary>
    public static readonly IReadOnlyList<double> BoundsSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

    private static readonly double s_logGrowth = Math.Log(Growth);

    private readonly long[] _counts = new long[Buckets];
    private readonly long[] _countsByBound = new long[BoundsSeconds.Count];
    private TimeSpan _sum;
    private long _total;

    public void Add(TimeSpan time)
    {
        double ratio = time.TotalMilliseconds / FirstBoundMilliseconds;
        int bucket = ratio <= 1 ? 0 : (int)Math.Ceiling(Math.Log(ratio) / s_logGrowth);
        _counts[Math.Min(bucket, Buckets - 1)]++;
        int bound = 0;
        while (bound < _countsByBound.Length && time.TotalSeconds > BoundsSeconds[bound])
        {
            bound++;
        }

        if (bound < _countsByBound.Length)
        {
            _countsByBound[bound]++;
        }

        _sum += time;
        _total++;
    }

    /// <summary>Times up to each bound, the shorter ones included; then their number and sum.</summary>
    public LiveTimes Snapshot()
    {
        long[] upTo = new long[_countsByBound.Length];
        long sum = 0;
        for (int bound = 0; bound < upTo.Length; bound++)
        {
            upTo[bound] = sum += _countsByBound[bound];
        }

        return new LiveTimes([.. BoundsSeconds.Zip(upTo, (seconds, count) => new LiveTimeBucket(seconds, count))], _total, _sum);
    }

    /// <summary>Upper bound of the bucket that holds the rank; null when nothing was added.</summary>
    public TimeSpan? Percentile(int percent)
    {
        if (_total == 0)
        {
            return null;
        }

        long rank = (_total * percent + 99) / 100;
        long seen = 0;
        for (int bucket = 0; bucket < Buckets; bucket++)
        {
            seen += _counts[bucket];
            if (seen >= rank)
            {
                return TimeSpan.FromMilliseconds(FirstBoundMilliseconds * Math.Pow(Growth, bucket));
            }
        }

        throw new InvalidOperationException("The counts do not add up to the total.");
    }
}
