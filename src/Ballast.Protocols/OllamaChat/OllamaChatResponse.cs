using System.Buffers;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OllamaChat;

/// <summary>Reads an answer that comes as one body: the whole of it is one frame.</summary>
internal sealed class OllamaChatResponseReader(ReaderOptions options) : OllamaChatReader(options)
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

        if (buffer.IsEmpty)
        {
            throw Broken("The upstream's answer is empty.");
        }

        frame = buffer;
        buffer = buffer.Slice(buffer.End);
        signals = ReadObject(frame.IsSingleSegment ? frame.FirstSpan : frame.ToArray());
        if (!IsEnded && Error is null)
        {
            throw Broken("The upstream's answer is not complete.");
        }

        return true;
    }
}

/// <summary>Gathers an answer and writes it as one body at its end.</summary>
internal sealed class OllamaChatResponseWriter(WriterOptions options) : ResponseWriter(options)
{
    private readonly StringBuilder _text = new();
    private readonly List<OllamaChatCall> _calls = [];
    private readonly OllamaChatThinking _thinking = new(options.Vendor);
    private ResponseStarted? _started;
    private Finished? _finished;
    private Usage? _usage;
    private bool _isEnded;

    public override void Write(ChatEvent chatEvent, IBufferWriter<byte> output)
    {
        if (_isEnded)
        {
            return;
        }

        switch (chatEvent)
        {
            case ResponseStarted started:
                _started ??= started;
                break;
            case TextDelta text:
                _text.Append(text.Text);
                break;
            case RefusalDelta refusal:
                _text.Append(refusal.Text);
                break;
            case ToolCallStarted call:
                _calls.Add(new OllamaChatCall(call.Part, call.Id, call.Name, call.Pointer));
                break;
            case ToolCallDelta delta:
                OllamaChatWriting.Find(_calls, delta.Part)?.Arguments.Append(delta.Arguments);
                break;
            case Cited cited:
                OllamaChatWriting.LoseCitation(cited, Options.Losses);
                break;
            case Finished finished:
                _finished = finished;
                break;
            case UsageReported reported:
                _usage = reported.Usage;
                break;
            case AnswerTold told:
                Lose(told);
                break;
            case ResponseEnded:
                _isEnded = true;
                WriteBody(output);
                break;
            default:
                _thinking.Take(chatEvent);
                break;
        }
    }

    private void WriteBody(IBufferWriter<byte> output)
    {
        _thinking.Close();
        using Utf8JsonWriter json = new(output, OllamaChatProtocol.WriterOptions);
        json.WriteStartObject();
        OllamaChatWriting.WriteHead(json, _started?.Model ?? Options.Model, _started?.CreatedUnixSeconds ?? Options.CreatedUnixSeconds);
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("content"u8, _text.ToString());
        if (_thinking.Whole is { Length: > 0 } thinking)
        {
            json.WriteString("thinking"u8, thinking);
        }

        _thinking.WriteNewDetails(json);
        if (_calls.Count > 0)
        {
            json.WriteStartArray("tool_calls"u8);
            for (int i = 0; i < _calls.Count; i++)
            {
                OllamaChatWriting.WriteCall(json, _calls[i], i, Options.Losses, onOneLine: false);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
        OllamaChatWriting.WriteEnd(json, _finished, _usage, Options.Losses);
        json.WriteEndObject();
    }
}
