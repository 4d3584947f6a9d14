using System.Numerics;

namespace Ballast.Ledger.Rollups;

/// <summary>Counts times in slots whose ends differ by a thirty-second part at most: what is told from them is never too short, and at most 3.2 % too long.</summary>
internal static class TimeSlot
{
    private const int Bits = 5;
    private const int First = 1 << Bits;

    public static int Of(long microseconds)
    {
        if (microseconds < First)
        {
            return (int)Math.Max(microseconds, 0);
        }

        int power = BitOperations.Log2((ulong)microseconds) - Bits;
        return (First * power) + (int)(microseconds >> power);
    }

    /// <summary>The longest time that belongs to it, in microseconds.</summary>
    public static long EndOf(int slot)
    {
        if (slot < First)
        {
            return slot;
        }

        int power = (slot - First) / First;
        long mantissa = ((slot - First) % First) + First;
        return ((mantissa + 1) << power) - 1;
    }
}
