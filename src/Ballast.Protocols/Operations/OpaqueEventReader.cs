using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Operations;

/// <summary>Passes a stream of events on and reads usage and errors out of it; it ends with its mark (<c>[DONE]</c>) or with the body.</summary>
internal sealed class OpaqueEventReader(ReaderOptions options) : ResponseReader(options)
{
    private readonly ServerSentEvents _events = new();

    public override bool TryReadFrame(
        ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        signals = FrameSignals.None;
        frame = default;
        if (IsEnded)
        {
            return false;
        }

        if (_events.TryTake(ref buffer, isCompleted, out frame, out ServerSentEvent one))
        {
            signals = Read(one.Data);
            ContentLength += one.Data.Length;
        }
        else if (isCompleted)
        {
            End();
            signals = FrameSignals.Finished | FrameSignals.Ended;
        }
        else
        {
            return false;
        }

        return true;
    }

    private FrameSignals Read(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
        {
            return FrameSignals.None;
        }

        if (data.SequenceEqual("[DONE]"u8))
        {
            End();
            return FrameSignals.Finished | FrameSignals.Ended;
        }

        // Most events tell neither: the search is cheaper than reading.
        if (data.IndexOf("\"usage\""u8) >= 0 || data.IndexOf("\"error\""u8) >= 0)
        {
            return ReadFields(data) | FrameSignals.Content;
        }

        return FrameSignals.Content;
    }

    private FrameSignals ReadFields(ReadOnlySpan<byte> data)
    {
        try
        {
            Utf8JsonReader reader = new(data);
            while (reader.Read())
            {
                if (reader.CurrentDepth != 1 || reader.TokenType != JsonTokenType.PropertyName)
                {
                    continue;
                }

                bool isUsage = reader.ValueTextEquals("usage"u8);
                bool isError = reader.ValueTextEquals("error"u8);
                reader.Read();
                if (isError && reader.TokenType == JsonTokenType.StartObject)
                {
                    Error = new ChatError(ChatErrorKind.ServerError, "The upstream reported an error inside its answer.");
                    return FrameSignals.Failed;
                }

                if (isUsage && reader.TokenType == JsonTokenType.StartObject)
                {
                    Usage = OperationUsage.Read(ref reader) ?? Usage;
                    return FrameSignals.Usage;
                }

                reader.Skip();
            }
        }
        catch (JsonException)
        {
            // Text that is no JSON is the caller's to read.
        }

        return FrameSignals.None;
    }

    private void End()
    {
        Finish = FinishReason.Stop;
        IsEnded = true;
    }
}
