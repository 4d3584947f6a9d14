using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Operations;

/// <summary>Reads a whole JSON answer of an operation other than chat: one frame, and of it no more than id, model and usage.</summary>
internal class PlainReader(ReaderOptions options) : ResponseReader(options)
{
    public override bool TryReadFrame(
        ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        Events.Clear();
        frame = default;
        signals = FrameSignals.None;
        if (!isCompleted || IsEnded)
        {
            return false;
        }

        frame = buffer;
        buffer = buffer.Slice(buffer.End);
        try
        {
            Read(frame);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "The upstream's answer is not valid JSON."));
        }

        ContentLength = frame.Length;
        Finish = FinishReason.Stop;
        IsEnded = true;
        signals = FrameSignals.Started | FrameSignals.Content | FrameSignals.Finished | FrameSignals.Ended | (Usage is null ? 0 : FrameSignals.Usage);
        return true;
    }

    /// <summary>Takes what is needed out of the whole body.</summary>
    protected virtual void Read(in ReadOnlySequence<byte> body)
    {
        Utf8JsonReader reader = new(body);
        while (reader.Read())
        {
            if (reader.CurrentDepth != 1 || reader.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            bool isUsage = reader.ValueTextEquals("usage"u8) || reader.ValueTextEquals("meta"u8) || reader.ValueTextEquals("usageMetadata"u8);
            bool isModel = reader.ValueTextEquals("model"u8);
            bool isId = reader.ValueTextEquals("id"u8);
            reader.Read();
            if (isUsage && reader.TokenType == JsonTokenType.StartObject)
            {
                Usage = OperationUsage.Read(ref reader) ?? Usage;
            }
            else if (isModel && reader.TokenType == JsonTokenType.String)
            {
                ServedModel = JsonText.Read(ref reader);
            }
            else if (isId && reader.TokenType == JsonTokenType.String)
            {
                ResponseId = JsonText.Read(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }
    }
}
