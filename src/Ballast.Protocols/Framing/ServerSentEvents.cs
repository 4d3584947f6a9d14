using System.Buffers;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Framing;

/// <summary>One server-sent event. Spans of <see cref="Data"/> and <see cref="Name"/> are valid until the next take.</summary>
public readonly ref struct ServerSentEvent
{
    /// <summary>The event's name, empty where it has none.</summary>
    public ReadOnlySpan<byte> Name { get; init; }

    /// <summary>The payload; several <c>data:</c> lines are joined by line feeds. Empty for comments.</summary>
    public ReadOnlySpan<byte> Data { get; init; }
}

/// <summary>
/// Cuts a byte stream into server-sent events (WHATWG HTML, 9.2): LF, CRLF or CR line ends, comments, a leading byte order mark. Bounded, and never scans a byte twice
/// however finely the input is dripped. One instance for each stream.
/// </summary>
/// <remarks>The framework's parser buffers a line without end; this one refuses a frame larger than its limit.</remarks>
public sealed class ServerSentEvents(int frameBytesMax = ServerSentEvents.FrameBytesMaxDefault)
{
    /// <summary>Largest event taken, in bytes.</summary>
    public const int FrameBytesMaxDefault = 8 * 1024 * 1024;

    private long _scanned;
    private bool _lineHasBytes;
    private bool _afterCarriageReturn;
    private bool _started;

    // The line feed of a carriage return with which the event before ended, which only came now.
    private bool _beginsWithLineFeed;
    private byte[] _contiguous = [];
    private byte[] _joined = [];

    /// <summary>Takes one whole event, blank line included, from the front of <paramref name="buffer"/>; false where more bytes are needed.</summary>
    /// <exception cref="ProtocolException">The event is larger than the limit.</exception>
    public bool TryTake(
        ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out ServerSentEvent serverSentEvent)
    {
        if (!TryFindEnd(buffer, isCompleted, out long length))
        {
            frame = default;
            serverSentEvent = default;
            return false;
        }

        frame = buffer.Slice(0, length);
        buffer = buffer.Slice(length);
        serverSentEvent = Read(frame);
        _started = true;
        return true;
    }

    private bool TryFindEnd(in ReadOnlySequence<byte> buffer, bool isCompleted, out long length)
    {
        long position = _scanned;
        foreach (ReadOnlyMemory<byte> memory in buffer.Slice(_scanned))
        {
            ReadOnlySpan<byte> span = memory.Span;
            int offset = 0;
            while (offset < span.Length)
            {
                if (_afterCarriageReturn)
                {
                    _afterCarriageReturn = false;
                    if (span[offset] == (byte)'\n')
                    {
                        _beginsWithLineFeed |= position + offset == 0;
                        offset++;
                        continue;
                    }
                }

                int end = span[offset..].IndexOfAny((byte)'\n', (byte)'\r');
                if (end < 0)
                {
                    _lineHasBytes = true;
                    offset = span.Length;
                    break;
                }

                bool isBlank = end == 0 && !_lineHasBytes;
                offset += end + 1;
                _lineHasBytes = false;
                bool carriageReturn = span[offset - 1] == (byte)'\r';
                if (isBlank)
                {
                    length = position + offset;
                    // A line feed that belongs to this carriage return is taken along when it is already here; else it is skipped at the next event's front.
                    if (carriageReturn && Peek(buffer, length) is byte next)
                    {
                        length += next == (byte)'\n' ? 1 : 0;
                    }
                    else
                    {
                        _afterCarriageReturn = carriageReturn;
                    }

                    Restart();
                    Guard(length);
                    return true;
                }

                _afterCarriageReturn = carriageReturn;
            }

            position += span.Length;
        }

        _scanned = position;
        Guard(position);
        length = position;
        if (!isCompleted || position <= (_beginsWithLineFeed ? 1 : 0))
        {
            return false;
        }

        // The last event of a stream that ends without its blank line: servers do that after their terminal mark.
        Restart();
        _afterCarriageReturn = false;
        return true;
    }

    private void Restart()
    {
        _scanned = 0;
        _lineHasBytes = false;
        _beginsWithLineFeed = false;
    }

    private static byte? Peek(in ReadOnlySequence<byte> buffer, long position) =>
        position < buffer.Length ? buffer.Slice(position).FirstSpan[0] : null;

    private void Guard(long length)
    {
        if (length > frameBytesMax)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, $"An event of the stream exceeds {frameBytesMax} bytes."));
        }
    }

    private ServerSentEvent Read(ReadOnlySequence<byte> frame)
    {
        ReadOnlySpan<byte> rest = Contiguous(frame);
        if (!_started && rest.StartsWith("\uFEFF"u8))
        {
            rest = rest[3..];
        }

        ReadOnlySpan<byte> name = default;
        ReadOnlySpan<byte> data = default;
        int dataLines = 0;
        while (!rest.IsEmpty)
        {
            ReadOnlySpan<byte> line = TakeLine(ref rest);
            if (TryField(line, "data"u8, out ReadOnlySpan<byte> value))
            {
                data = ++dataLines == 1 ? value : Join(data, value, dataLines);
            }
            else if (TryField(line, "event"u8, out value))
            {
                name = value;
            }
        }

        return new ServerSentEvent { Name = name, Data = data };
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

    private ReadOnlySpan<byte> Join(ReadOnlySpan<byte> data, ReadOnlySpan<byte> line, int dataLines)
    {
        int length = data.Length + 1 + line.Length;
        byte[] joined = _joined;
        if (joined.Length < length)
        {
            joined = new byte[Math.Max(length * 2, 1024)];
        }

        if (dataLines == 2 || joined != _joined)
        {
            data.CopyTo(joined);
        }

        joined[data.Length] = (byte)'\n';
        line.CopyTo(joined.AsSpan(data.Length + 1));
        _joined = joined;
        return joined.AsSpan(0, length);
    }

    private static ReadOnlySpan<byte> TakeLine(scoped ref ReadOnlySpan<byte> rest)
    {
        int end = rest.IndexOfAny((byte)'\n', (byte)'\r');
        if (end < 0)
        {
            ReadOnlySpan<byte> last = rest;
            rest = default;
            return last;
        }

        ReadOnlySpan<byte> line = rest[..end];
        bool pair = rest[end] == (byte)'\r' && end + 1 < rest.Length && rest[end + 1] == (byte)'\n';
        rest = rest[(end + (pair ? 2 : 1))..];
        return line;
    }

    private static bool TryField(ReadOnlySpan<byte> line, scoped ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!line.StartsWith(name))
        {
            return false;
        }

        if (line.Length == name.Length)
        {
            return true;
        }

        if (line[name.Length] != (byte)':')
        {
            return false;
        }

        value = line[(name.Length + 1)..];
        if (!value.IsEmpty && value[0] == (byte)' ')
        {
            value = value[1..];
        }

        return true;
    }
}
