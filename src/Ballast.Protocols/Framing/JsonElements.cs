using System.Buffers;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Framing;

/// <summary>
/// Cuts a byte stream that is one JSON array, or one object after the other, into its elements. Bounded, and never scans a byte twice however finely the input is dripped.
/// It looks for where elements end and leaves it to their reader whether they are JSON. One instance for each stream.
/// </summary>
public sealed class JsonElements(int elementBytesMax = ServerSentEvents.FrameBytesMaxDefault)
{
    private long _scanned;
    private int _depth;
    private bool _inString;
    private bool _isEscaped;
    private byte[] _contiguous = [];

    /// <summary>The array has been closed.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>
    /// Takes one element with what stands before it from the front of <paramref name="buffer"/>, or the bracket that closes the array (then <paramref name="element"/> is
    /// empty); false where more bytes are needed.
    /// </summary>
    /// <exception cref="ProtocolException">The element is larger than the limit.</exception>
    public bool TryTake(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> frame, out ReadOnlySpan<byte> element)
    {
        frame = default;
        element = default;
        if (IsClosed || !TryFindEnd(buffer, out long length))
        {
            return false;
        }

        frame = buffer.Slice(0, length);
        buffer = buffer.Slice(length);
        _scanned = 0;
        ReadOnlySpan<byte> whole = Contiguous(frame);
        int start = whole.IndexOf((byte)'{');
        element = IsClosed || start < 0 ? default : whole[start..];
        return true;
    }

    private bool TryFindEnd(in ReadOnlySequence<byte> buffer, out long length)
    {
        long position = _scanned;
        foreach (ReadOnlyMemory<byte> memory in buffer.Slice(_scanned))
        {
            ReadOnlySpan<byte> span = memory.Span;
            for (int i = 0; i < span.Length; i++)
            {
                if (Ends(span[i]))
                {
                    length = position + i + 1;
                    Guard(length);
                    return true;
                }
            }

            position += span.Length;
        }

        _scanned = position;
        Guard(position);
        length = 0;
        return false;
    }

    /// <summary>Goes on by one byte; true where it ends an element or the array.</summary>
    private bool Ends(byte letter)
    {
        if (_inString)
        {
            bool wasEscaped = _isEscaped;
            _isEscaped = !wasEscaped && letter == (byte)'\\';
            _inString = wasEscaped || letter != (byte)'"';
            return false;
        }

        switch (letter)
        {
            case (byte)'"' when _depth > 0:
                _inString = true;
                return false;
            case (byte)'{':
            case (byte)'[' when _depth > 0:
                _depth++;
                return false;
            case (byte)'}' or (byte)']' when _depth > 0:
                return --_depth == 0;
            case (byte)']':
                IsClosed = true;
                return true;
            default:
                return false;
        }
    }

    private void Guard(long length)
    {
        if (length > elementBytesMax)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, $"An element of the stream exceeds {elementBytesMax} bytes."));
        }
    }

    private ReadOnlySpan<byte> Contiguous(ReadOnlySequence<byte> frame)
    {
        if (frame.IsSingleSegment)
        {
            return frame.FirstSpan;
        }

        int length = (int)frame.Length;
        if (_contiguous.Length < length)
        {
            _contiguous = new byte[Math.Max(length, 4096)];
        }

        frame.CopyTo(_contiguous);
        return _contiguous.AsSpan(0, length);
    }
}
