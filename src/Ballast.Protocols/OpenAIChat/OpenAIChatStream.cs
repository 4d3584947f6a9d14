using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>Reads an answer that comes as server-sent events: one chunk of the completion in each, <c>[DONE]</c> in the last.</summary>
internal sealed class OpenAIChatStreamReader(ReaderOptions options) : OpenAIChatReader(options)
{
    private readonly ServerSentEvents _events = new();

    public override bool TryReadFrame(ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        Events.Clear();
        signals = FrameSignals.None;
        if (!_events.TryTake(ref buffer, isCompleted, out frame, out ServerSentEvent serverSentEvent))
        {
            return false;
        }

        signals = IsEnded || Error is not null ? FrameSignals.Withhold : Read(serverSentEvent, frame);
        return true;
    }

    private FrameSignals Read(in ServerSentEvent serverSentEvent, in ReadOnlySequence<byte> frame)
    {
        ReadOnlySpan<byte> data = serverSentEvent.Data.Trim(" \t\r\n"u8);
        if (data.SequenceEqual("[DONE]"u8))
        {
            return End();
        }

        bool isErrorEvent = serverSentEvent.Name.SequenceEqual("error"u8);
        if (!data.IsEmpty)
        {
            return ReadCompletion(data, isWhole: false, isErrorEvent);
        }

        // A server that answers a stream with a plain JSON body: an error, if it makes any sense at all.
        if (IsJson(frame))
        {
            return Fail(OpenAIChatError.ReadInAnswer(frame.ToArray()));
        }

        if (IsEverything)
        {
            Events.Add(Ping.Instance);
        }

        return FrameSignals.None;
    }

    private static bool IsJson(in ReadOnlySequence<byte> frame)
    {
        SequenceReader<byte> reader = new(frame);
        reader.AdvancePastAny((byte)' ', (byte)'\t', (byte)'\r', (byte)'\n');
        return reader.TryPeek(out byte first) && first is (byte)'{' or (byte)'[';
    }
}

/// <summary>
/// Writes an answer as chunks: the role first, one delta for each event, then, when the answer has ended and not before, the finish reason, usage where it was asked
/// for, and <c>[DONE]</c>.
/// </summary>
internal sealed class OpenAIChatStreamWriter(WriterOptions options) : ResponseWriter(options)
{
    private readonly OpenAIChatThinking _thinking = new(options.Vendor);
    private readonly OpenAIChatCitations _citations = new();
    private readonly List<Call> _calls = [];
    private readonly ArrayBufferWriter<byte> _none = new();
    private Utf8JsonWriter? _json;
    private string _id = options.FallbackId;
    private string _model = options.Model;
    private long _created = options.CreatedUnixSeconds;
    private Finished? _finished;
    private Usage? _usage;
    private string? _tier;
    private bool _isStarted;
    private bool _isEnded;
    private bool _hasRefusal;

    public override void Write(ChatEvent chatEvent, IBufferWriter<byte> output)
    {
        if (_isEnded)
        {
            return;
        }

        switch (chatEvent)
        {
            case ResponseStarted started when !_isStarted:
                _id = started.Id ?? _id;
                _model = started.Model ?? _model;
                _created = started.CreatedUnixSeconds ?? _created;
                Start(output);
                break;
            case Ping:
                output.Write(": ping\n\n"u8);
                break;
            case UsageReported reported:
                _usage = reported.Usage;
                break;
            case AnswerTold told:
                _tier = OpenAIChatResponseWriter.TierOf(told) ?? _tier;
                if (OpenAIChatResponseWriter.TierOf(told) is null)
                {
                    Lose(told);
                }

                break;
            case Finished finished:
                _finished = finished;
                break;
            case ResponseEnded:
                End(output);
                break;
            default:
                WriteContent(chatEvent, output);
                break;
        }
    }

    private void WriteContent(ChatEvent chatEvent, IBufferWriter<byte> output)
    {
        if (chatEvent is ThinkingDelta or ThinkingSigned or ThinkingRedacted)
        {
            WriteThinking(chatEvent, output);
            return;
        }

        CloseThinking(output);
        switch (chatEvent)
        {
            case TextDelta { Text.Length: > 0 } text:
                _citations.Advance(text.Part, text.Text.Length);
                WriteText("content"u8, text.Text, output);
                break;
            case RefusalDelta { Text.Length: > 0 } refusal:
                _hasRefusal = true;
                WriteText("refusal"u8, refusal.Text, output);
                break;
            case ToolCallStarted started:
                _calls.Add(new Call(started.Part, started.IsFreeText));
                WriteCall(_calls.Count - 1, started, "", output);
                break;
            case ToolCallDelta { Arguments.Length: > 0 } delta:
                int index = IndexOfCall(delta.Part);
                if (index >= 0)
                {
                    _calls[index].HasArguments = true;
                    WriteCall(index, null, delta.Arguments, output);
                }

                break;
            case Cited cited:
                _citations.Add(cited, Options.Losses);
                WriteCitations(output);
                break;
        }
    }

    private void Start(IBufferWriter<byte> output)
    {
        if (_isStarted)
        {
            return;
        }

        _isStarted = true;
        Utf8JsonWriter json = BeginDelta(output);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("content"u8, ""u8);
        EndDelta(output);
    }

    private void WriteText(ReadOnlySpan<byte> field, string text, IBufferWriter<byte> output)
    {
        Start(output);
        Utf8JsonWriter json = BeginDelta(output);
        json.WriteString(field, text);
        EndDelta(output);
    }

    private void WriteThinking(ChatEvent chatEvent, IBufferWriter<byte> output)
    {
        _thinking.Take(chatEvent);
        bool hasText = chatEvent is ThinkingDelta { Text.Length: > 0 };
        if (!hasText && !_thinking.HasNewDetails)
        {
            return;
        }

        Start(output);
        Utf8JsonWriter json = BeginDelta(output);
        if (chatEvent is ThinkingDelta { Text: { Length: > 0 } text })
        {
            json.WriteString("reasoning_content"u8, text);
        }

        _thinking.WriteNewDetails(json);
        EndDelta(output);
    }

    private void CloseThinking(IBufferWriter<byte> output)
    {
        _thinking.Close();
        if (_thinking.HasNewDetails)
        {
            Start(output);
            _thinking.WriteNewDetails(BeginDelta(output));
            EndDelta(output);
        }
    }

    private void WriteCitations(IBufferWriter<byte> output)
    {
        if (_citations.HasNew)
        {
            Start(output);
            _citations.Write(BeginDelta(output));
            EndDelta(output);
        }
    }

    // From the end: a piece of arguments nearly always belongs to the call that came last.
    private int IndexOfCall(int part)
    {
        int index = _calls.Count - 1;
        while (index >= 0 && _calls[index].Part != part)
        {
            index--;
        }

        return index;
    }

    private void WriteCall(int index, ToolCallStarted? started, string arguments, IBufferWriter<byte> output)
    {
        Start(output);
        bool isFreeText = _calls[index].IsFreeText;
        Utf8JsonWriter json = BeginDelta(output);
        json.WriteStartArray("tool_calls"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, index);
        if (started is not null)
        {
            json.WriteString("id"u8, started.Id);
            json.WriteString("type"u8, isFreeText ? "custom"u8 : "function"u8);
        }

        json.WriteStartObject(isFreeText ? "custom"u8 : "function"u8);
        if (started is not null)
        {
            json.WriteString("name"u8, started.Name);
        }

        json.WriteString(isFreeText ? "input"u8 : "arguments"u8, arguments);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        EndDelta(output);
    }

    private void Finish(Finished finished, IBufferWriter<byte> output)
    {
        CloseThinking(output);
        Start(output);
        for (int i = 0; i < _calls.Count; i++)
        {
            if (!_calls[i].HasArguments && !_calls[i].IsFreeText)
            {
                // A call without arguments is a call with none: clients parse the joined fragments as JSON.
                WriteCall(i, null, "{}", output);
            }
        }

        OpenAIChatResponseWriter.LoseStopSequence(finished, Options.Losses);
        BeginDelta(output);
        EndDelta(output, OpenAIChatFinish.Write(finished, _hasRefusal, _calls.Count > 0, Options.Losses));
    }

    private void End(IBufferWriter<byte> output)
    {
        Finish(_finished ?? new Finished(FinishReason.Stop, null), output);
        _isEnded = true;
        if (Options.StreamUsage && _usage is not null)
        {
            Utf8JsonWriter json = Begin(output);
            json.WriteStartArray("choices"u8);
            json.WriteEndArray();
            json.WritePropertyName("usage"u8);
            OpenAIChatUsage.Write(_usage, json);
            EndFrame(output);
        }

        output.Write("data: [DONE]\n\n"u8);
    }

    private Utf8JsonWriter BeginDelta(IBufferWriter<byte> output)
    {
        Utf8JsonWriter json = Begin(output);
        json.WriteStartArray("choices"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, 0);
        json.WriteStartObject("delta"u8);
        return json;
    }

    private void EndDelta(IBufferWriter<byte> output, string? finishReason = null)
    {
        Utf8JsonWriter json = _json!;
        json.WriteEndObject();
        json.WriteString("finish_reason"u8, finishReason);
        json.WriteEndObject();
        json.WriteEndArray();
        EndFrame(output);
    }

    private Utf8JsonWriter Begin(IBufferWriter<byte> output)
    {
        output.Write("data: "u8);
        _json ??= new Utf8JsonWriter(_none, OpenAIChatProtocol.WriterOptions);
        _json.Reset(output);
        _json.WriteStartObject();
        _json.WriteString("id"u8, _id);
        _json.WriteString("object"u8, "chat.completion.chunk"u8);
        _json.WriteNumber("created"u8, _created);
        _json.WriteString("model"u8, _model);
        if (_tier is not null)
        {
            _json.WriteString("service_tier"u8, _tier);
        }

        return _json;
    }

    private void EndFrame(IBufferWriter<byte> output)
    {
        _json!.WriteEndObject();
        _json.Flush();
        _json.Reset(_none);
        output.Write("\n\n"u8);
    }

    /// <summary>A tool call in the order in which it began: its place in the list is its index.</summary>
    private sealed class Call(int part, bool isFreeText)
    {
        public int Part { get; } = part;
        public bool IsFreeText { get; } = isFreeText;
        public bool HasArguments { get; set; }
    }
}
