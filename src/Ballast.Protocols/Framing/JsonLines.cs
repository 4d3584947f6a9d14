using System.Buffers;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Framing;

/// <summary>
/// Cuts a byte stream into lines of JSON (<c>application/x-ndjson</c>): LF, CRLF or CR line ends, blank lines skipped. A line break inside a JSON string is always
/// escaped, so that a raw one ends a line wherever it stands. Bounded, and never scans a byte twice. One instance for each stream.
/// </summary>
public sealed class JsonLines(int frameBytesMax = ServerSentEvents.FrameBytesMaxDefault)
{
    private long _scanned;
    private bool _hasBytes;
    private byte[] _contiguous = [];

    /// <summary>Takes one whole line, its end and the blank lines before it included, from the front of <paramref name="buffer"/>; false where more bytes are needed.</summary>
    /// <param name="buffer">Unread bytes; on true it begins after the line.</param>
    /// <param name="isCompleted">No more bytes will come: what is left is a line without its end.</param>
    /// <param name="frame">The line's own bytes.</param>
    /// <param name="line">The same without white space around it, valid until the next take.</param>
    /// <exception cref="ProtocolException">The line is larger than the limit.</exception>
    public bool TryTake(ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out ReadOnlySpan<byte> line)
    {
        if (!TryFindEnd(buffer, isCompleted, out long length))
        {
            frame = default;
            line = default;
            return false;
        }

        _scanned = 0;
        _hasBytes = false;
        frame = buffer.Slice(0, length);
        buffer = buffer.Slice(length);
        line = Contiguous(frame).Trim(" \t\r\n"u8);
        return true;
    }

    private bool TryFindEnd(in ReadOnlySequence<byte> buffer, bool isCompleted, out long length)
    {
        long position = _scanned;
        foreach (ReadOnlyMemory<byte> memory in buffer.Slice(_scanned))
        {
            ReadOnlySpan<byte> span = memory.Span;
            int start = _hasBytes ? 0 : span.IndexOfAnyExcept(" \t\r\n"u8);
            if (start >= 0)
            {
                _hasBytes = true;
                int end = span[start..].IndexOfAny((byte)'\n', (byte)'\r');
                if (end >= 0)
                {
                    length = position + start + end + 1;
                    // A line feed that is not yet here lies at the front of the next line.
                    bool isPair = span[start + end] == (byte)'\r' && length < buffer.Length && buffer.Slice(length).FirstSpan[0] == (byte)'\n';
                    length += isPair ? 1 : 0;
                    Guard(length);
                    return true;
                }
            }

            position += span.Length;
        }

        _scanned = position;
        Guard(position);
        length = position;
        return isCompleted && _hasBytes;
    }

    private void Guard(long length)
    {
        if (length > frameBytesMax)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, $"A line of the stream exceeds {frameBytesMax} bytes."));
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
