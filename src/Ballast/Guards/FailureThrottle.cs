using System.Net;

namespace Ballast.Guards;

/// <summary>
/// Counts wrong keys by address and minute, in a table that never grows: addresses that meet in one place share it for that minute at worst. IPv6 is counted by its first
/// 64 bits, which one caller has to himself.
/// </summary>
public sealed class FailureThrottle(int seed)
{
    private const int Places = 4096;
    private const int Period = 60;

    private readonly Lock _gate = new();
    private readonly (ulong Address, long Until, int Count)[] _places = new (ulong, long, int)[Places];
    private volatile bool _hasCounted;

    /// <summary>No wrong key ever came: most gateways, most of the time. Nothing need be asked then.</summary>
    public bool IsQuiet => !_hasCounted;

    /// <summary>One more; false once there were more than the limit within a minute.</summary>
    public bool Count(IPAddress? address, long second, int max)
    {
        _hasCounted = true;
        lock (_gate)
        {
            ref (ulong Address, long Until, int Count) place = ref Place(address, second, out ulong number);
            if (place.Until <= second || place.Address != number)
            {
                place = (number, second + Period, 0);
            }

            place.Count = Math.Min(place.Count, int.MaxValue - 1) + 1;
            return place.Count <= max;
        }
    }

    /// <summary>Seconds until its keys are looked at again; 0 where they are.</summary>
    public int WaitFor(IPAddress? address, long second, int max)
    {
        lock (_gate)
        {
            ref (ulong Address, long Until, int Count) place = ref Place(address, second, out ulong number);
            return place.Address == number && place.Until > second && place.Count >= max ? (int)(place.Until - second) : 0;
        }
    }

    /// <summary>Its own place of two possible ones, else the one that is free sooner.</summary>
    private ref (ulong Address, long Until, int Count) Place(IPAddress? address, long second, out ulong number)
    {
        number = NumberOf(address);
        ulong hash = (number ^ (uint)seed) * 0x9E3779B97F4A7C15;
        ref (ulong Address, long Until, int Count) first = ref _places[(int)(hash >> 52)];
        ref (ulong Address, long Until, int Count) other = ref _places[(int)((hash >> 40) & (Places - 1))];
        if (other.Address == number && other.Until > second)
        {
            return ref other;
        }

        if (first.Until <= second || (first.Address == number) || first.Until <= other.Until)
        {
            return ref first;
        }

        return ref other;
    }

    private static ulong NumberOf(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (address is null || !address.TryWriteBytes(bytes, out int length))
        {
            return 0;
        }

        bool isFour = length == 4 || address.IsIPv4MappedToIPv6;
        ReadOnlySpan<byte> four = bytes.Slice(length == 4 ? 0 : 12, 4);
        return isFour ? (1UL << 32) | System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(four) : System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }
}
