namespace Ballast.Ledger;

/// <summary>Tokens of the last minutes, one slot for each <see cref="StepSeconds"/> seconds. Not thread-safe; adding allocates nothing.</summary>
public sealed class TokenRing
{
    public const int StepSeconds = 2;

    /// <summary>Slots kept: ten minutes.</summary>
    public const int SlotsMax = 300;

    private readonly long[] _tokens = new long[SlotsMax];
    private long _newest = -1;

    /// <param name="second">Since the start; never less than the last one by more than the ring is long.</param>
    /// <param name="tokens">Of all classes.</param>
    public void Add(long second, long tokens)
    {
        long slot = second / StepSeconds;
        Forward(slot);
        if (slot > _newest - SlotsMax)
        {
            _tokens[slot % SlotsMax] += tokens;
        }
    }

    /// <summary>The slots up to now, the oldest first: as many as there were since the start, at most all.</summary>
    public long[] Read(long second)
    {
        long last = second / StepSeconds;
        Forward(last);
        int count = (int)Math.Min(last + 1, SlotsMax);
        long[] slots = new long[count];
        for (int index = 0; index < count; index++)
        {
            slots[index] = _tokens[(last - count + 1 + index) % SlotsMax];
        }

        return slots;
    }

    private void Forward(long slot)
    {
        for (long next = Math.Max(_newest + 1, slot - SlotsMax + 1); next <= slot; next++)
        {
            _tokens[next % SlotsMax] = 0;
        }

        _newest = Math.Max(_newest, slot);
    }
}
