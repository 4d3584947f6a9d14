namespace Ballast.Ledger;

/// <summary>Counts what happened within the last so many seconds, one slot a second. Not thread-safe.</summary>
internal sealed class SlidingCount(int seconds)
{
    private readonly long[] _counts = new long[seconds];
    private readonly long[] _slotSeconds = new long[seconds];

    public void Add(long second)
    {
        int slot = (int)(second % _counts.Length);
        if (_slotSeconds[slot] != second)
        {
            _slotSeconds[slot] = second;
            _counts[slot] = 0;
        }

        _counts[slot]++;
    }

    public long Count(long second)
    {
        long sum = 0;
        for (int slot = 0; slot < _counts.Length; slot++)
        {
            sum += _slotSeconds[slot] > second - _counts.Length ? _counts[slot] : 0;
        }

        return sum;
    }
}
