using System.Buffers;
using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Tests.Wire;

/// <summary>Drives a reader or writer over a whole answer, the way the relay does: bytes arrive in pieces, what is unread stays in the buffer.</summary>
public static class AnswerRun
{
    public sealed record Result(List<ChatEvent> Events, FrameSignals Signals, List<(FrameSignals Signals, string Bytes)> Frames, ResponseReader Reader);

    public static Result Read(Protocol protocol, ReaderOptions options, IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        ResponseReader reader = protocol.OpenReader(options);
        List<ChatEvent> events = [];
        List<(FrameSignals, string)> frames = [];
        FrameSignals all = FrameSignals.None;
        List<ReadOnlyMemory<byte>> unread = [];
        for (int i = 0; i <= pieces.Count; i++)
        {
            bool isCompleted = i == pieces.Count;
            if (!isCompleted)
            {
                unread.Add(pieces[i]);
            }

            ReadOnlySequence<byte> buffer = Pieces.Join(unread);
            while (reader.TryReadFrame(ref buffer, isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals))
            {
                events.AddRange(reader.Events);
                frames.Add((signals, Encoding.UTF8.GetString(frame)));
                all |= signals;
            }

            unread = Pieces.Split(buffer);
        }

        return new Result(events, all, frames, reader);
    }

    public static Result Read(Protocol protocol, ReaderOptions options, string body) => Read(protocol, options, [Encoding.UTF8.GetBytes(body)]);

    public static string Write(Protocol protocol, WriterOptions options, IEnumerable<ChatEvent> events)
    {
        ResponseWriter writer = protocol.OpenWriter(options);
        ArrayBufferWriter<byte> output = new();
        foreach (ChatEvent chatEvent in events)
        {
            if (chatEvent is not Failed)
            {
                writer.Write(chatEvent, output);
            }
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
