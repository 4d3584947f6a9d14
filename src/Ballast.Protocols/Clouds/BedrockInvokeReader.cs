using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Clouds;

/// <summary>Reads a stream whose messages each hold one event of the vendor's own stream, in base64: the vendor's reader gets it as it would have come by itself.</summary>
internal sealed class BedrockInvokeReader(ReaderOptions options, ResponseReader inside, Protocol platform) : ResponseReader(options)
{
    private readonly EventStream _frames = new();
    private byte[] _event = new byte[1024];

    private static ReadOnlySpan<byte> Head => "data: "u8;

    private static ReadOnlySpan<byte> Tail => "\n\n"u8;

    public override bool TryReadFrame(
        ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        Events.Clear();
        signals = FrameSignals.None;
        if (!_frames.TryTake(ref buffer, out frame, out EventStreamMessage message))
        {
            return false;
        }

        if (IsEnded)
        {
            signals = FrameSignals.Withhold;
        }
        else if (!message.IsEvent)
        {
            signals = Fail(message);
        }
        else if (message.EventType.SequenceEqual("chunk"u8))
        {
            signals = ReadChunk(message.Payload);
        }

        return true;
    }

    private FrameSignals ReadChunk(ReadOnlySpan<byte> payload)
    {
        int length;
        try
        {
            length = Unwrap(payload);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw Broken();
        }

        if (length == 0)
        {
            return FrameSignals.None;
        }

        ReadOnlySequence<byte> whole = new(_event, 0, length);
        FrameSignals all = FrameSignals.None;
        while (inside.TryReadFrame(ref whole, isCompleted: false, out _, out FrameSignals signals))
        {
            all |= signals;
            Events.AddRange(inside.Events);
        }

        ResponseId = inside.ResponseId;
        ServedModel = inside.ServedModel;
        Usage = inside.Usage;
        Finish = inside.Finish;
        Error = inside.Error;
        IsEnded = inside.IsEnded;
        ContentLength = inside.ContentLength;
        return all;
    }

    /// <summary>Puts the event into the reader's own bytes; gives their number, 0 where there is none.</summary>
    private int Unwrap(ReadOnlySpan<byte> payload)
    {
        int length = 0;
        Utf8JsonReader json = new(payload);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isBytes = json.ValueTextEquals("bytes"u8);
            json.Read();
            if (isBytes && json.TokenType == JsonTokenType.String)
            {
                length = Decode(json);
            }

            json.Skip();
        }

        return length;
    }

    private int Decode(in Utf8JsonReader json)
    {
        int space = Head.Length + json.ValueSpan.Length + Tail.Length;
        if (_event.Length < space)
        {
            _event = new byte[space * 2];
        }

        Head.CopyTo(_event);
        Span<byte> body = _event.AsSpan(Head.Length);
        int written = json.CopyString(body);
        if (Base64.DecodeFromUtf8InPlace(body[..written], out int length) != OperationStatus.Done)
        {
            throw Broken();
        }

        // Between tokens of JSON a line break says nothing, but it would end the event here.
        body[..length].Replace((byte)'\n', (byte)' ');
        body[..length].Replace((byte)'\r', (byte)' ');
        Tail.CopyTo(body[length..]);
        return length == 0 ? 0 : Head.Length + length + Tail.Length;
    }

    private FrameSignals Fail(in EventStreamMessage message)
    {
        ResponseReader reader = platform.OpenReader(Options);
        ArrayBufferWriter<byte> again = new();
        EventStream.WriteException(again, message.EventType, message.ErrorMessage.IsEmpty ? message.Payload : JsonSerializedMessage(message.ErrorMessage));
        ReadOnlySequence<byte> buffer = new(again.WrittenMemory);
        reader.TryReadFrame(ref buffer, isCompleted: true, out _, out FrameSignals signals);
        Error = reader.Error;
        Events.AddRange(reader.Events);
        return signals;
    }

    private static ReadOnlySpan<byte> JsonSerializedMessage(ReadOnlySpan<byte> text)
    {
        ArrayBufferWriter<byte> written = new();
        using Utf8JsonWriter json = new(written);
        json.WriteStartObject();
        json.WriteString("message"u8, text);
        json.WriteEndObject();
        json.Flush();
        return written.WrittenSpan;
    }

    private static ProtocolException Broken() => new(new ChatError(ChatErrorKind.BadGateway, "A message of the upstream's stream holds no event."));
}
