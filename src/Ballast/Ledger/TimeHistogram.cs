namespace Ballast.Ledger;

/// <summary>
/// A fixed histogram of times from 0.1 ms to about 1,000 s: each bucket is 10 % wider than the one before, so a percentile is at most 10 % above
/// the true one (nearest rank). Not thread-safe; no allocation after construction.
/// </summary>
internal sealed class TimeHistogram
{
    private const double Growth = 1.1;
    private const double FirstBoundMilliseconds = 0.1;
    private const int Buckets = 170;
    private static readonly double s_logGrowth = Math.Log(Growth);

    private readonly long[] _counts = new long[Buckets];
    private long _total;

    public void Add(TimeSpan time)
    {
        double ratio = time.TotalMilliseconds / FirstBoundMilliseconds;
        int bucket = ratio <= 1 ? 0 : (int)Math.Ceiling(Math.Log(ratio) / s_logGrowth);
        _counts[Math.Min(bucket, Buckets - 1)]++;
        _total++;
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
