
namespace Ballast.Transport.Http1;

/// <summary>What was received and is not used yet. A request's head lies at its beginning while the request is worked on. Between requests it owns no memory.</summary>
internal sealed class ReceiveBuffer
{
    /// <summary>Most requests' heads and small bodies fit; a larger body is received where it belongs.</summary>
    private const int FirstBytes = 8 * 1024;

    private const int RoomBytesMin = 512;

    public byte[] Bytes { get; private set; } = [];

    public int Start { get; private set; }

    public int End { get; private set; }

    public bool IsEmpty => Start == End;

    public ReadOnlySpan<byte> Unused => Bytes.AsSpan(Start, End - Start);

    /// <summary>Room behind what is there, at least one byte; more than a little while there are fewer than <paramref name="bytesMax"/>.</summary>
    public Memory<byte> Room(int bytesMax)
    {
        if (Bytes.Length == End || (Bytes.Length - End < RoomBytesMin && Bytes.Length < bytesMax))
        {
            Grow(Math.Max(FirstBytes, Bytes.Length * 2));
        }

        return Bytes.AsMemory(End);
    }

    public void Filled(int count) => End += count;

    public void Use(int count) => Start += count;

    /// <summary>Forgets what was used behind the head: what lies there was copied out.</summary>
    public void Rewind(int headLength)
    {
        if (IsEmpty)
        {
            Start = End = headLength;
        }
    }

    /// <summary>The next request begins where the last one ended.</summary>
    public void BeginRequest()
    {
        if (IsEmpty)
        {
            byte[] bytes = Bytes;
            Bytes = [];
            Start = End = 0;
            if (bytes.Length > 0)
            {
                LoopMemory.Return(bytes);
            }

            return;
        }

        Unused.CopyTo(Bytes);
        End -= Start;
        Start = 0;
    }

    private void Grow(int bytes)
    {
        byte[] larger = LoopMemory.Rent(bytes);
        Bytes.AsSpan(0, End).CopyTo(larger);
        byte[] smaller = Bytes;
        Bytes = larger;
        if (smaller.Length > 0)
        {
            LoopMemory.Return(smaller);
        }
    }
}
