using System.Buffers;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Operations;

/// <summary>Passes sound, pictures and text on as they come: a frame is whatever has arrived, and the end of the body is the end.</summary>
internal sealed class OpaqueByteReader(ReaderOptions options) : ResponseReader(options)
{
    public override bool TryReadFrame(
        ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        frame = buffer;
        signals = FrameSignals.None;
        if (IsEnded || (buffer.IsEmpty && !isCompleted))
        {
            return false;
        }

        ContentLength += frame.Length;
        signals = frame.IsEmpty ? FrameSignals.None : FrameSignals.Content;
        buffer = buffer.Slice(buffer.End);
        if (isCompleted)
        {
            Finish = FinishReason.Stop;
            IsEnded = true;
            signals |= FrameSignals.Finished | FrameSignals.Ended;
        }

        return true;
    }
}
