using System.Net;
using System.Runtime.CompilerServices;

namespace Ballast.Guards;

/// <summary>
/// Counts wrong keys by address, in a table that never grows: addresses that meet in one place share it for a minute at worst. The window slides in steps of ten seconds and
/// counts the begun one whole, so that no 60 seconds hold more than the limit. IPv6 is counted by its first 64 bits, which one caller has to himself.
/// </summary>
public sealed class FailureThrottle(int seed)
{
    private const int Places = 4096;

    /// <summary>Seconds in a step of the window.</summary>
    private const int StepSeconds = 10;

    /// <summary>Steps that cover a minute wherever in the last one it ends.</summary>
    private const int Steps = 7;

    private readonly Lock _gate = new();
    private readonly Counter[] _places = new Counter[Places];
    private volatile bool _hasCounted;

    /// <summary>No wrong key ever came: most gateways, most of the time. Nothing need be asked then.</summary>
    public bool IsQuiet => !_hasCounted;

    /// <summary>One more; false once there were more than the limit within a minute.</summary>
    public bool Count(IPAddress? address, long second, int max)
    {
        _hasCounted = true;
        long step = second / StepSeconds;
        lock (_gate)
        {
            ref Counter place = ref Place(address, step, out ulong number);
            if (place.Until <= step || place.Address != number)
            {
                place = new Counter { Address = number };
            }

            return place.Add(step) <= max;
        }
    }

    /// <summary>Seconds until its keys are looked at again; 0 where they are.</summary>
    public int WaitFor(IPAddress? address, long second, int max)
    {
        lock (_gate)
        {
            ref Counter place = ref Place(address, second / StepSeconds, out ulong number);
            return place.Address == number ? place.WaitFor(second, max) : 0;
        }
    }

    /// <summary>Its own place of two possible ones, else the one that is free sooner.</summary>
    private ref Counter Place(IPAddress? address, long step, out ulong number)
    {
        number = NumberOf(address);
        ulong hash = (number ^ (uint)seed) * 0x9E3779B97F4A7C15;
        ref Counter first = ref _places[(int)(hash >> 52)];
        ref Counter other = ref _places[(int)((hash >> 40) & (Places - 1))];
        if (other.Address == number && other.Until > step)
        {
            return ref other;
        }

        if (first.Until <= step || (first.Address == number) || first.Until <= other.Until)
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

    /// <summary>The failures of one address, by steps; a step that has left the window is overwritten.</summary>
    private struct Counter
    {
        private Lanes _lanes;

        public ulong Address { get; init; }

        /// <summary>The first step at which none of them counts any more.</summary>
        public long Until { get; private set; }

        /// <summary>How many there are with this one.</summary>
        public int Add(long step)
        {
            ref (long Step, int Count) lane = ref _lanes[(int)(step % Steps)];
            lane = (step, (lane.Step == step ? Math.Min(lane.Count, int.MaxValue / Steps - 1) : 0) + 1);
            Until = step + Steps;
            return Since(step - Steps + 1);
        }

        public readonly int WaitFor(long second, int max)
        {
            long from = (second / StepSeconds) - Steps + 1;
            long first = from;
            while (first < Until && Since(first) >= max)
            {
                first++;
            }

            return first == from ? 0 : (int)(((first - 1 + Steps) * StepSeconds) - second);
        }

        private readonly int Since(long step)
        {
            int sum = 0;
            foreach ((long Step, int Count) lane in _lanes)
            {
                sum += lane.Step >= step ? lane.Count : 0;
            }

            return sum;
        }
    }

    [InlineArray(Steps)]
    private struct Lanes
    {
        private (long Step, int Count) _first;
    }
}
