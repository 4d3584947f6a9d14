using System.Buffers;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>Reads an answer that comes as one body: the whole of it is one frame.</summary>
internal sealed class OpenAIChatResponseReader(ReaderOptions options) : OpenAIChatReader(options)
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
        signals = ReadCompletion(frame.IsSingleSegment ? frame.FirstSpan : frame.ToArray(), isWhole: true, isErrorEvent: false);
        if (Error is null)
        {
            signals |= End();
        }

        return true;
    }
}

/// <summary>Gathers an answer and writes it as one body at its end.</summary>
internal sealed class OpenAIChatResponseWriter(WriterOptions options) : ResponseWriter(options)
{
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _refusal = new();
    private readonly List<Call> _calls = [];
    private readonly OpenAIChatThinking _thinking = new(options.Vendor);
    private readonly OpenAIChatCitations _citations = new();
    private ResponseStarted? _started;
    private Finished? _finish;
    private Usage? _usage;
    private string? _tier;
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
                _citations.Advance(text.Part, text.Text.Length);
                _text.Append(text.Text);
                break;
            case RefusalDelta refusal:
                _refusal.Append(refusal.Text);
                break;
            case ToolCallStarted call:
                _calls.Add(new Call(call.Part, call.Id, call.Name, call.IsFreeText, new StringBuilder()));
                break;
            case ToolCallDelta delta:
                _calls.Find(call => call.Part == delta.Part)?.Arguments.Append(delta.Arguments);
                break;
            case Cited cited:
                _citations.Add(cited, Options.Losses);
                break;
            case Finished finished:
                _finish = finished;
                LoseStopSequence(finished, Options.Losses);
                break;
            case UsageReported reported:
                _usage = reported.Usage;
                break;
            case AnswerTold told:
                _tier = TierOf(told) ?? _tier;
                if (TierOf(told) is null)
                {
                    Lose(told);
                }

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

    /// <summary>The word for a tier; null for what has none.</summary>
    internal static string? TierOf(AnswerTold told) => told.Fact == AnswerFact.ServiceTier ? ServiceTierWord.OfOpenAI(told.Word) : null;

    internal static void LoseStopSequence(Finished finished, LossReport losses)
    {
        if (finished.StopSequence is not null)
        {
            losses.AddInResponse("/stop_sequence", "Chat Completions does not tell which stop sequence was met.");
        }
    }

    private void WriteBody(IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, OpenAIChatProtocol.WriterOptions);
        json.WriteStartObject();
        json.WriteString("id"u8, _started?.Id ?? Options.FallbackId);
        json.WriteString("object"u8, "chat.completion"u8);
        json.WriteNumber("created"u8, _started?.CreatedUnixSeconds ?? Options.CreatedUnixSeconds);
        json.WriteString("model"u8, _started?.Model ?? Options.Model);
        json.WriteStartArray("choices"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, 0);
        WriteMessage(json);
        json.WriteNull("logprobs"u8);
        Finished finish = _finish ?? new Finished(FinishReason.Stop, null);
        json.WriteString("finish_reason"u8, OpenAIChatFinish.Write(finish, _refusal.Length > 0, _calls.Count > 0, Options.Losses));
        json.WriteEndObject();
        json.WriteEndArray();
        if (_usage is not null)
        {
            json.WritePropertyName("usage"u8);
            OpenAIChatUsage.Write(_usage, json);
        }

        if (_tier is not null)
        {
            json.WriteString("service_tier"u8, _tier);
        }

        json.WriteEndObject();
    }

    private void WriteMessage(Utf8JsonWriter json)
    {
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        if (_text.Length > 0 || (_calls.Count == 0 && _refusal.Length == 0))
        {
            json.WriteString("content"u8, _text.ToString());
        }
        else
        {
            json.WriteNull("content"u8);
        }

        json.WriteString("refusal"u8, _refusal.Length > 0 ? _refusal.ToString() : null);
        _thinking.WriteWhole(json);
        _citations.Write(json);
        if (_calls.Count > 0)
        {
            json.WriteStartArray("tool_calls"u8);
            foreach (Call call in _calls)
            {
                json.WriteStartObject();
                json.WriteString("id"u8, call.Id);
                json.WriteString("type"u8, call.IsFreeText ? "custom"u8 : "function"u8);
                json.WriteStartObject(call.IsFreeText ? "custom"u8 : "function"u8);
                json.WriteString("name"u8, call.Name);
                // A call without arguments is a call with none: clients parse this text as JSON.
                json.WriteString(call.IsFreeText ? "input"u8 : "arguments"u8, call.Arguments.Length > 0 || call.IsFreeText ? call.Arguments.ToString() : "{}");
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private sealed record Call(int Part, string Id, string Name, bool IsFreeText, StringBuilder Arguments);
}
