using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// Reads an answer in chunks: server-sent events (<c>alt=sse</c>) or, from servers that were not asked for them, the elements of one JSON array. No mark ends the answer: it
/// has ended where the stream does, if a finish was named.
/// </summary>
internal sealed class GeminiStreamReader(ReaderOptions options) : GeminiReader(options)
{
    private readonly ServerSentEvents _events = new();
    private JsonElements? _elements;
    private bool _isKnown;

    public override bool TryReadFrame(ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        Events.Clear();
        frame = default;
        signals = FrameSignals.None;
        if (IsEnded || !IsFormKnown(buffer))
        {
            return false;
        }

        if (_elements is not null)
        {
            return TryReadElement(ref buffer, isCompleted, out frame, out signals);
        }

        if (_events.TryTake(ref buffer, isCompleted, out frame, out ServerSentEvent taken))
        {
            signals = Error is not null ? FrameSignals.Withhold : Read(taken, frame);
            return true;
        }

        return isCompleted && TryEnd(ref buffer, out signals);
    }

    private bool TryReadElement(ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        signals = FrameSignals.None;
        if (_elements!.TryTake(ref buffer, out frame, out ReadOnlySpan<byte> element))
        {
            signals = Error is not null ? FrameSignals.Withhold
                : !element.IsEmpty ? ReadChunk(element, isWhole: false)
                : Finish is not null ? End()
                : FrameSignals.None;
            return true;
        }

        frame = default;
        return isCompleted && TryEnd(ref buffer, out signals);
    }

    /// <summary>The stream is over: a frame without bytes ends the answer, unless it was cut.</summary>
    private bool TryEnd(ref ReadOnlySequence<byte> buffer, out FrameSignals signals)
    {
        signals = FrameSignals.None;
        if (Finish is null || Error is not null || (_elements is not null && !buffer.IsEmpty && !_elements.IsClosed))
        {
            return false;
        }

        buffer = buffer.Slice(buffer.End);
        signals = End();
        return true;
    }

    /// <summary>The first letter tells: an array begins with its bracket, a bare object is an error of a server that did not begin its stream.</summary>
    private bool IsFormKnown(in ReadOnlySequence<byte> buffer)
    {
        if (_isKnown)
        {
            return true;
        }

        SequenceReader<byte> reader = new(buffer);
        reader.AdvancePastAny((byte)' ', (byte)'\t', (byte)'\r', (byte)'\n');
        if (!reader.TryPeek(out byte first))
        {
            return false;
        }

        _isKnown = true;
        _elements = first is (byte)'[' or (byte)'{' ? new JsonElements() : null;
        return true;
    }

    private FrameSignals Read(in ServerSentEvent taken, in ReadOnlySequence<byte> frame)
    {
        ReadOnlySpan<byte> data = taken.Data.Trim(" \t\r\n"u8);
        // Some proxies close with the mark of another protocol.
        if (!data.IsEmpty && !data.SequenceEqual("[DONE]"u8))
        {
            return ReadChunk(data, isWhole: false);
        }

        return data.IsEmpty && IsBareError(frame) ? Fail(GeminiError.ReadInAnswer(frame.ToArray())) : FrameSignals.None;
    }

    /// <summary>Google's servers write an error into a stream as bare JSON, outside of any event.</summary>
    private static bool IsBareError(in ReadOnlySequence<byte> frame)
    {
        SequenceReader<byte> reader = new(frame);
        reader.AdvancePastAny((byte)' ', (byte)'\t', (byte)'\r', (byte)'\n');
        return reader.TryPeek(out byte first) && first is (byte)'{' or (byte)'[';
    }
}

/// <summary>Writes an answer as chunks, each an answer of its own; the last names the finish, and nothing marks the end.</summary>
internal sealed class GeminiStreamWriter(WriterOptions options) : GeminiWriter(options)
{
    private readonly ArrayBufferWriter<byte> _none = new();
    private Utf8JsonWriter? _json;

    protected override void Advance(WrittenPart part, IBufferWriter<byte> output)
    {
        Utf8JsonWriter json = Begin(output);
        json.WriteStartArray("candidates"u8);
        json.WriteStartObject();
        json.WriteStartObject("content"u8);
        GeminiPartWriter.WriteParts(json, [part]);
        json.WriteString("role"u8, "model"u8);
        json.WriteEndObject();
        json.WriteNumber("index"u8, 0);
        json.WriteEndObject();
        json.WriteEndArray();
        EndFrame(output);
    }

    protected override void End(IBufferWriter<byte> output)
    {
        Utf8JsonWriter json = Begin(output);
        json.WriteStartArray("candidates"u8);
        json.WriteStartObject();
        json.WriteStartObject("content"u8);
        GeminiPartWriter.WriteParts(json, [new WrittenPart(new TextPart("", ""))]);
        json.WriteString("role"u8, "model"u8);
        json.WriteEndObject();
        WriteFinish(json);
        json.WriteEndObject();
        json.WriteEndArray();
        EndFrame(output);
    }

    private Utf8JsonWriter Begin(IBufferWriter<byte> output)
    {
        output.Write("data: "u8);
        _json ??= new Utf8JsonWriter(_none, GeminiProtocol.WriterOptions);
        _json.Reset(output);
        _json.WriteStartObject();
        return _json;
    }

    private void EndFrame(IBufferWriter<byte> output)
    {
        WriteHead(_json!);
        _json!.WriteEndObject();
        _json.Flush();
        _json.Reset(_none);
        output.Write("\n\n"u8);
    }
}
