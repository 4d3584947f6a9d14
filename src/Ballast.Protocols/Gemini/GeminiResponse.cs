using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>Reads an answer that comes as one body: the whole of it is one frame.</summary>
internal sealed class GeminiResponseReader(ReaderOptions options) : GeminiReader(options)
{
    public override bool TryReadFrame(ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        Events.Clear();
        frame = default;
        signals = FrameSignals.None;
        if (!isCompleted || IsEnded || Error is not null)
        {
            return false;
        }

        frame = buffer;
        buffer = buffer.Slice(buffer.End);
        signals = ReadChunk(frame.IsSingleSegment ? frame.FirstSpan : frame.ToArray(), isWhole: true);
        if (Error is null)
        {
            signals |= HasStarted ? End() : throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "The upstream's answer holds neither candidates nor feedback."));
        }

        return true;
    }
}

/// <summary>Gathers an answer and writes it as one body at its end.</summary>
internal sealed class GeminiResponseWriter(WriterOptions options) : GeminiWriter(options)
{
    private readonly List<WrittenPart> _parts = [];

    protected override bool GathersText => true;

    protected override void Advance(WrittenPart part, IBufferWriter<byte> output) => _parts.Add(part);

    protected override void End(IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, GeminiProtocol.WriterOptions);
        json.WriteStartObject();
        json.WriteStartArray("candidates"u8);
        json.WriteStartObject();
        json.WriteStartObject("content"u8);
        GeminiPartWriter.WriteParts(json, _parts.Count > 0 ? _parts : [new WrittenPart(new TextPart("", ""))]);
        json.WriteString("role"u8, "model"u8);
        json.WriteEndObject();
        WriteFinish(json);
        json.WriteEndObject();
        json.WriteEndArray();
        WriteHead(json);
        json.WriteEndObject();
    }
}
