using System.Buffers;
using System.Buffers.Binary;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Framing;

/// <summary>One message of a binary event stream. Its spans are valid until the next take.</summary>
public readonly ref struct EventStreamMessage
{
    /// <summary><c>event</c>, <c>exception</c> or <c>error</c>.</summary>
    public ReadOnlySpan<byte> MessageType { get; init; }

    /// <summary>The event's name, the exception's or the error's code.</summary>
    public ReadOnlySpan<byte> EventType { get; init; }

    /// <summary>What an <c>error</c> says of itself; it has no payload.</summary>
    public ReadOnlySpan<byte> ErrorMessage { get; init; }
    public ReadOnlySpan<byte> Payload { get; init; }

    public bool IsEvent => MessageType.SequenceEqual("event"u8);
}

/// <summary>
/// Cuts bytes into messages of <c>application/vnd.amazon.eventstream</c>, and writes them: a prelude of two lengths and its checksum, typed headers, a payload, a
/// checksum over all of it (https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html). Both sums are checked; no byte is looked at twice however finely the
/// input is dripped. One instance for each stream.
/// </summary>
public sealed class EventStream(int frameBytesMax = EventStream.FrameBytesMaxDefault)
{
    /// <summary>Largest message taken, in bytes: what AWS's own SDKs take.</summary>
    public const int FrameBytesMaxDefault = 24 * 1024 * 1024;

    /// <summary>Most bytes of headers in a message.</summary>
    public const int HeaderBytesMax = 128 * 1024;

    private const int PreludeBytes = 12;
    private const int ChecksumBytes = 4;
    private const byte StringType = 7;

    private byte[] _contiguous = [];

    /// <summary>Takes one whole message from the front of <paramref name="buffer"/>; false where more bytes are needed.</summary>
    /// <exception cref="ProtocolException">The bytes are no message, or one beyond the limit.</exception>
    public bool TryTake(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> frame, out EventStreamMessage message)
    {
        frame = default;
        message = default;
        if (buffer.Length < PreludeBytes)
        {
            return false;
        }

        Span<byte> prelude = stackalloc byte[PreludeBytes];
        buffer.Slice(0, PreludeBytes).CopyTo(prelude);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(prelude);
        uint headers = BinaryPrimitives.ReadUInt32BigEndian(prelude[4..]);
        if (BinaryPrimitives.ReadUInt32BigEndian(prelude[8..]) != Crc32.Of(prelude[..8]))
        {
            throw Broken("The checksum of a message's prelude is wrong.");
        }

        if (length > frameBytesMax || headers > HeaderBytesMax)
        {
            throw Broken($"A message of the stream exceeds {frameBytesMax} bytes, or {HeaderBytesMax} of headers.");
        }

        if (length < PreludeBytes + headers + ChecksumBytes)
        {
            throw Broken("The lengths of a message contradict each other.");
        }

        if (buffer.Length < length)
        {
            return false;
        }

        frame = buffer.Slice(0, length);
        buffer = buffer.Slice(length);
        message = Read(Contiguous(frame), (int)headers);
        return true;
    }

    /// <summary>Writes one event with a payload of JSON.</summary>
    public static void WriteEvent(IBufferWriter<byte> output, ReadOnlySpan<byte> eventType, ReadOnlySpan<byte> payload) =>
        Write(output, ":event-type"u8, eventType, "event"u8, payload);

    /// <summary>Writes one exception, with which a stream ends that went wrong.</summary>
    public static void WriteException(IBufferWriter<byte> output, ReadOnlySpan<byte> exceptionType, ReadOnlySpan<byte> payload) =>
        Write(output, ":exception-type"u8, exceptionType, "exception"u8, payload);

    private static void Write(
        IBufferWriter<byte> output, ReadOnlySpan<byte> typeName, ReadOnlySpan<byte> type, ReadOnlySpan<byte> messageType, ReadOnlySpan<byte> payload)
    {
        ReadOnlySpan<byte> json = "application/json"u8;
        int headers = HeaderLength(typeName, type) + HeaderLength(":content-type"u8, json) + HeaderLength(":message-type"u8, messageType);
        int length = PreludeBytes + headers + payload.Length + ChecksumBytes;
        Span<byte> message = output.GetSpan(length)[..length];
        BinaryPrimitives.WriteInt32BigEndian(message, length);
        BinaryPrimitives.WriteInt32BigEndian(message[4..], headers);
        BinaryPrimitives.WriteUInt32BigEndian(message[8..], Crc32.Of(message[..8]));
        Span<byte> rest = message[PreludeBytes..];
        WriteHeader(ref rest, typeName, type);
        WriteHeader(ref rest, ":content-type"u8, json);
        WriteHeader(ref rest, ":message-type"u8, messageType);
        payload.CopyTo(rest);
        BinaryPrimitives.WriteUInt32BigEndian(message[^ChecksumBytes..], Crc32.Of(message[..^ChecksumBytes]));
        output.Advance(length);
    }

    private static int HeaderLength(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => 1 + name.Length + 1 + 2 + value.Length;

    private static void WriteHeader(scoped ref Span<byte> rest, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        rest[0] = (byte)name.Length;
        name.CopyTo(rest[1..]);
        rest = rest[(1 + name.Length)..];
        rest[0] = StringType;
        BinaryPrimitives.WriteUInt16BigEndian(rest[1..], (ushort)value.Length);
        value.CopyTo(rest[3..]);
        rest = rest[(3 + value.Length)..];
    }

    private static EventStreamMessage Read(ReadOnlySpan<byte> message, int headerBytes)
    {
        if (BinaryPrimitives.ReadUInt32BigEndian(message[^ChecksumBytes..]) != Crc32.Of(message[..^ChecksumBytes]))
        {
            throw Broken("The checksum of a message is wrong.");
        }

        ReadOnlySpan<byte> messageType = "event"u8;
        ReadOnlySpan<byte> eventType = default;
        ReadOnlySpan<byte> errorMessage = default;
        ReadOnlySpan<byte> headers = message.Slice(PreludeBytes, headerBytes);
        while (!headers.IsEmpty)
        {
            ReadOnlySpan<byte> name = TakeName(ref headers);
            ReadOnlySpan<byte> value = TakeValue(ref headers, out byte type);
            if (type != StringType)
            {
                continue;
            }

            if (name.SequenceEqual(":message-type"u8))
            {
                messageType = value;
            }
            else if (name.SequenceEqual(":event-type"u8) || name.SequenceEqual(":exception-type"u8) || name.SequenceEqual(":error-code"u8))
            {
                eventType = value;
            }
            else if (name.SequenceEqual(":error-message"u8))
            {
                errorMessage = value;
            }
        }

        return new EventStreamMessage
        {
            MessageType = messageType,
            EventType = eventType,
            ErrorMessage = errorMessage,
            Payload = message[(PreludeBytes + headerBytes)..^ChecksumBytes],
        };
    }

    private static ReadOnlySpan<byte> TakeName(scoped ref ReadOnlySpan<byte> headers)
    {
        int length = headers[0];
        ReadOnlySpan<byte> name = Take(ref headers, 1 + length)[1..];
        return length == 0 ? throw Broken("A message's header has no name.") : name;
    }

    /// <summary>The value of any type; only texts are used, the others are known by their length.</summary>
    private static ReadOnlySpan<byte> TakeValue(scoped ref ReadOnlySpan<byte> headers, out byte type)
    {
        type = Take(ref headers, 1)[0];
        int length = type switch
        {
            0 or 1 => 0,
            2 => 1,
            3 => 2,
            4 => 4,
            5 or 8 => 8,
            6 or StringType => BinaryPrimitives.ReadUInt16BigEndian(Take(ref headers, 2)),
            9 => 16,
            _ => throw Broken("A message's header has a value of an unknown type."),
        };
        return Take(ref headers, length);
    }

    private static ReadOnlySpan<byte> Take(scoped ref ReadOnlySpan<byte> headers, int length)
    {
        if (length > headers.Length)
        {
            throw Broken("A message's headers are cut short.");
        }

        ReadOnlySpan<byte> taken = headers[..length];
        headers = headers[length..];
        return taken;
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

    private static ProtocolException Broken(string message) => new(new ChatError(ChatErrorKind.BadGateway, message));
}
