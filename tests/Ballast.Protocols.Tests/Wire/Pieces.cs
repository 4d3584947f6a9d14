using System.Buffers;

namespace Ballast.Protocols.Tests.Wire;

/// <summary>Byte sequences of several segments, as a pipe gives them.</summary>
public static class Pieces
{
    public static ReadOnlySequence<byte> Join(IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        if (pieces.Count == 0)
        {
            return ReadOnlySequence<byte>.Empty;
        }

        Segment first = new(pieces[0], 0);
        Segment last = first;
        for (int i = 1; i < pieces.Count; i++)
        {
            Segment next = new(pieces[i], last.RunningIndex + last.Memory.Length);
            last.Append(next);
            last = next;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    public static List<ReadOnlyMemory<byte>> Split(ReadOnlySequence<byte> sequence)
    {
        List<ReadOnlyMemory<byte>> pieces = [];
        foreach (ReadOnlyMemory<byte> memory in sequence)
        {
            if (!memory.IsEmpty)
            {
                pieces.Add(memory);
            }
        }

        return pieces;
    }

    /// <summary>Cuts a body in two.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Cut(ReadOnlyMemory<byte> body, int at) => [body[..at], body[at..]];

    /// <summary>Cuts a body into pieces of the given size.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Drip(ReadOnlyMemory<byte> body, int size) =>
        [.. Enumerable.Range(0, (body.Length + size - 1) / size).Select(i => body.Slice(i * size, Math.Min(size, body.Length - (i * size))))];

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public void Append(Segment next) => Next = next;
    }
}
