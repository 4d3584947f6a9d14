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
                frames.Add((signals, Form.Text(protocol, options.Stream, frame.ToArray())));
                all |= signals;
            }

            unread = Pieces.Split(buffer);
        }

        return new Result(events, all, frames, reader);
    }

    public static Result Read(Protocol protocol, ReaderOptions options, string body) => Read(protocol, options, [Form.Bytes(protocol, options.Stream, body)]);

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

        return Form.Text(protocol, options.Stream, output.WrittenSpan);
    }

    /// <summary>What an answer says, however it was cut: joined texts, calls, finish, the last usage.</summary>
    public static string Summary(IEnumerable<ChatEvent> events)
    {
        StringBuilder thinking = new();
        StringBuilder text = new();
        StringBuilder refusal = new();
        Dictionary<int, (ToolCallStarted Call, StringBuilder Arguments)> calls = [];
        List<string> rest = [];
        Usage? usage = null;
        foreach (ChatEvent chatEvent in events)
        {
            switch (chatEvent)
            {
                case ThinkingDelta e:
                    thinking.Append(e.Text);
                    break;
                case TextDelta e:
                    text.Append(e.Text);
                    break;
                case RefusalDelta e:
                    refusal.Append(e.Text);
                    break;
                case ToolCallStarted e:
                    calls[e.Part] = (e, new StringBuilder());
                    break;
                case ToolCallDelta e:
                    calls[e.Part].Arguments.Append(e.Arguments);
                    break;
                case UsageReported e:
                    usage = e.Usage;
                    break;
                case ThinkingSigned or ThinkingRedacted or Finished or Failed:
                    rest.Add(string.Join(' ', EventText.Of(chatEvent).Split(' ').Where((_, i) => i != 1 || chatEvent is Finished or Failed)));
                    break;
            }
        }

        IEnumerable<string> called = calls.OrderBy(call => call.Key).Select(call =>
            $"{(call.Value.Call.IsFreeText ? "custom-call" : "call")} {call.Value.Call.Id} {call.Value.Call.Name} {(call.Value.Arguments.Length == 0 && !call.Value.Call.IsFreeText ? "{}" : call.Value.Arguments)}");
        return string.Join('\n', [$"thinking {thinking}", $"text {text}", $"refusal {refusal}", .. called, .. rest, usage is null ? "" : EventText.Of(usage)]);
    }
}
