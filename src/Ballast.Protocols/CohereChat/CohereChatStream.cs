using System.Buffers;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.CohereChat;

/// <summary>
/// Reads a streamed answer (https://docs.cohere.com/docs/streaming): <c>message-start</c>, content blocks and tool calls with start, deltas and end, citations between them,
/// <c>message-end</c> with finish reason and usage, <c>[DONE]</c>. Unknown events pass.
/// </summary>
internal sealed class CohereChatStreamReader : ResponseReader
{
    private readonly ServerSentEvents _frames = new();
    private readonly CohereChatEvents _events;
    private bool _isStarted;

    public CohereChatStreamReader(ReaderOptions options)
        : base(options) => _events = new CohereChatEvents(Events, options);

    private bool IsEverything => Options.Depth == ReadDepth.Everything;

    public override bool TryReadFrame(ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        Events.Clear();
        signals = FrameSignals.None;
        if (!_frames.TryTake(ref buffer, isCompleted, out frame, out ServerSentEvent taken))
        {
            return false;
        }

        if (IsEnded || Error is not null)
        {
            signals = FrameSignals.Withhold;
            return true;
        }

        ReadOnlySpan<byte> data = taken.Data.Trim(" \t\r\n"u8);
        try
        {
            signals = data.IsEmpty ? ReadBare(frame) : data.SequenceEqual("[DONE]"u8) ? End() : ReadEvent(data);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "An event of the upstream's stream is not valid JSON."));
        }

        return true;
    }

    /// <summary>No event at all: a comment, or a server that answers a stream with a plain JSON body: an error, if it makes any sense.</summary>
    private FrameSignals ReadBare(in ReadOnlySequence<byte> frame)
    {
        SequenceReader<byte> reader = new(frame);
        reader.AdvancePastAny((byte)' ', (byte)'\t', (byte)'\r', (byte)'\n');
        if (reader.TryPeek(out byte first) && first == (byte)'{')
        {
            return Fail(CohereChatError.Read(0, frame.ToArray()));
        }

        Add(Ping.Instance);
        return FrameSignals.None;
    }

    private FrameSignals ReadEvent(ReadOnlySpan<byte> data)
    {
        Utf8JsonReader whole = new(data, CohereChatJson.ReaderOptions);
        whole.Read();
        bool isObject = whole.TokenType == JsonTokenType.StartObject;
        whole.Skip();
        whole.Read();
        if (!isObject)
        {
            throw new JsonException();
        }

        ReadOnlySpan<byte> type = CohereChatJson.Find(data, "type"u8);
        ReadOnlySpan<byte> delta = CohereChatJson.Find(data, "delta"u8);
        int index = CohereChatJson.NumberOf(CohereChatJson.Find(data, "index"u8)) ?? 0;
        if (CohereChatJson.Is(type, "content-delta"u8) || CohereChatJson.Is(type, "content-start"u8))
        {
            return Count(_events.Content(index, CohereChatJson.Find(CohereChatJson.Find(delta, "message"u8), "content"u8)));
        }

        if (CohereChatJson.Is(type, "message-end"u8))
        {
            return Stop(data, delta);
        }

        if (CohereChatJson.Is(type, "message-start"u8))
        {
            return Start(data, delta);
        }

        if (type.IsEmpty && CohereChatJson.TextOf(CohereChatJson.Find(data, "message"u8)) is not null)
        {
            return Fail(CohereChatError.Read(0, data.ToArray()));
        }

        return ReadRest(type, index, CohereChatJson.Find(delta, "message"u8));
    }

    private FrameSignals ReadRest(ReadOnlySpan<byte> type, int index, ReadOnlySpan<byte> message)
    {
        if (CohereChatJson.Is(type, "tool-call-delta"u8))
        {
            ReadOnlySpan<byte> function = CohereChatJson.Find(CohereChatJson.Find(message, "tool_calls"u8), "function"u8);
            return Count(_events.Arguments(index, CohereChatJson.Find(function, "arguments"u8)));
        }

        if (CohereChatJson.Is(type, "tool-plan-delta"u8))
        {
            return Count(_events.Plan(CohereChatJson.Find(message, "tool_plan"u8)));
        }

        if (CohereChatJson.Is(type, "tool-call-start"u8))
        {
            return Count(_events.BeginCall(index, CohereChatJson.Find(message, "tool_calls"u8)));
        }

        if (CohereChatJson.Is(type, "tool-call-end"u8))
        {
            _events.EndCall(index);
        }
        else if (CohereChatJson.Is(type, "content-end"u8))
        {
            _events.EndContent(index);
        }
        else if (CohereChatJson.Is(type, "citation-start"u8))
        {
            _events.Cite(CohereChatJson.Find(message, "citations"u8));
        }

        return FrameSignals.None;
    }

    private FrameSignals Count(long length)
    {
        ContentLength += length;
        return length > 0 ? FrameSignals.Content : FrameSignals.None;
    }

    private FrameSignals Start(ReadOnlySpan<byte> data, ReadOnlySpan<byte> delta)
    {
        if (_isStarted)
        {
            return FrameSignals.None;
        }

        _isStarted = true;
        ResponseId = CohereChatJson.TextOf(CohereChatJson.Find(data, "id"u8));
        if (IsEverything)
        {
            Events.Add(new ResponseStarted(ResponseId, null, null));
            CohereChatJson.Note(CohereChatJson.Find(delta, "message"u8), "/message", ["role", "content", "tool_plan", "tool_calls", "citations"], Options.Losses);
        }

        return FrameSignals.Started;
    }

    private FrameSignals Stop(ReadOnlySpan<byte> data, ReadOnlySpan<byte> delta)
    {
        string? word = WordOf(CohereChatJson.Find(delta, "finish_reason"u8));
        string? error = CohereChatJson.TextOf(CohereChatJson.Find(delta, "error"u8));
        if (word is CohereChatFinish.ErrorWord or CohereChatFinish.TimeoutWord || !string.IsNullOrEmpty(error))
        {
            bool isLate = word == CohereChatFinish.TimeoutWord;
            return Fail(new ChatError(
                isLate ? ChatErrorKind.Timeout : ChatErrorKind.ServerError,
                !string.IsNullOrWhiteSpace(error) && !error.TrimStart().StartsWith('<') ? error[..Math.Min(error.Length, CohereChatError.MessageLengthMax)]
                    : isLate ? "The upstream took too long for its answer." : "The upstream ended its answer with an error."));
        }

        _events.Release();
        Finish = CohereChatFinish.Read(word ?? "COMPLETE", _events.HasCalls);
        Add(new Finished(Finish.Value, null) { Pointer = "/finish_reason" });
        FrameSignals signals = FrameSignals.Finished;
        if (IsEverything)
        {
            CohereChatJson.Note(delta, "", ["finish_reason", "usage", "error"], Options.Losses);
            CohereChatJson.Note(data, "", ["type", "delta", "id", "index"], Options.Losses);
        }

        ReadOnlySpan<byte> usage = CohereChatJson.Find(delta, "usage"u8);
        if (!usage.IsEmpty && usage[0] == (byte)'{' && CohereChatUsage.Read(usage, IsEverything ? Options.Losses : null) is { } counted)
        {
            Usage = counted;
            Add(new UsageReported(counted));
            signals |= FrameSignals.Usage;
        }

        return signals;
    }

    private static string? WordOf(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty)
        {
            return null;
        }

        Utf8JsonReader reader = new(json);
        reader.Read();
        return CohereChatFinish.Word(ref reader);
    }

    private FrameSignals End()
    {
        IsEnded = true;
        Add(ResponseEnded.Instance);
        return FrameSignals.Ended;
    }

    private FrameSignals Fail(ChatError error)
    {
        Error = error;
        Add(new Failed(error));
        return FrameSignals.Failed;
    }

    private void Add(ChatEvent chatEvent)
    {
        if (IsEverything)
        {
            Events.Add(chatEvent);
        }
    }
}

/// <summary>
/// Writes an answer as events: <c>message-start</c>, each block with start, deltas and end, its citations before its end, and, when the answer has ended and not before,
/// <c>message-end</c> and <c>[DONE]</c>.
/// </summary>
internal sealed class CohereChatStreamWriter(WriterOptions options) : ResponseWriter(options)
{
    private readonly CohereChatBlocks _blocks = new(options.Vendor);
    private readonly ArrayBufferWriter<byte> _none = new();
    private Utf8JsonWriter? _json;
    private CohereChatBlock? _open;
    private string _id = options.FallbackId;
    private Finished? _finished;
    private Usage? _usage;
    private int _citations;
    private bool _isStarted;
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
                _id = started.Id ?? _id;
                Start(output);
                break;
            case Ping:
                output.Write(": ping\n\n"u8);
                break;
            case UsageReported reported:
                _usage = reported.Usage;
                break;
            case AnswerTold told:
                Lose(told);
                break;
            case Finished finished:
                _finished = finished;
                break;
            case PartEnded ended:
                EndPart(ended.Part, output);
                break;
            case ResponseEnded:
                End(output);
                break;
            default:
                WriteContent(chatEvent, output);
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
        Utf8JsonWriter json = Begin(output, "message-start");
        json.WriteString("id"u8, _id);
        json.WriteStartObject("delta"u8);
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        foreach (string name in (ReadOnlySpan<string>)["content", "tool_calls", "citations"])
        {
            json.WriteStartArray(name);
            json.WriteEndArray();
        }

        json.WriteString("tool_plan"u8, ""u8);
        json.WriteEndObject();
        json.WriteEndObject();
        EndFrame(output);
    }

    private void WriteContent(ChatEvent chatEvent, IBufferWriter<byte> output)
    {
        int blocks = _blocks.Content.Count + _blocks.Calls.Count;
        if (_blocks.Take(chatEvent) is not { } block)
        {
            return;
        }

        Start(output);
        bool isNew = _blocks.Content.Count + _blocks.Calls.Count > blocks;
        if (block.CallId is not null)
        {
            WriteCall(block, isNew, (chatEvent as ToolCallDelta)?.Arguments, output);
            return;
        }

        if (isNew)
        {
            CloseContent(output);
            _open = block;
            WriteContentPiece("content-start", block, withType: true, "", output);
        }

        string text = chatEvent switch
        {
            TextDelta delta => delta.Text,
            RefusalDelta delta => delta.Text,
            ThinkingDelta delta => delta.Text,
            _ => "",
        };
        if (text.Length > 0)
        {
            WriteContentPiece("content-delta", block, withType: false, text, output);
        }
    }

    private void WriteContentPiece(string type, CohereChatBlock block, bool withType, string text, IBufferWriter<byte> output)
    {
        Utf8JsonWriter json = Begin(output, type);
        BeginMessage(json, block.Index, "content"u8);
        if (withType)
        {
            json.WriteString("type"u8, block.IsThinking ? "thinking"u8 : "text"u8);
        }

        json.WriteString(block.IsThinking ? "thinking"u8 : "text"u8, text);
        if (withType && block.Data is not null)
        {
            json.WriteString("data"u8, block.Data);
        }

        EndMessage(json, output);
    }

    private void CloseContent(IBufferWriter<byte> output)
    {
        if (_open is not { } block)
        {
            return;
        }

        _open = null;
        block.IsEnded = true;
        if (_blocks.MarkOf(block) is { } mark)
        {
            Utf8JsonWriter json = Begin(output, "content-delta");
            BeginMessage(json, block.Index, "content"u8);
            json.WriteString("signature"u8, mark);
            EndMessage(json, output);
        }

        foreach (Cited cited in block.Citations)
        {
            WriteCitation(cited, block, output);
        }

        WriteEnd("content-end", block.Index, output);
    }

    private void WriteCitation(Cited cited, CohereChatBlock block, IBufferWriter<byte> output)
    {
        Utf8JsonWriter json = Begin(output, "citation-start");
        json.WriteNumber("index"u8, _citations);
        json.WriteStartObject("delta"u8);
        json.WriteStartObject("message"u8);
        json.WritePropertyName("citations"u8);
        CohereChatBlocks.WriteCitation(json, cited, block);
        json.WriteEndObject();
        json.WriteEndObject();
        EndFrame(output);
        WriteEnd("citation-end", _citations++, output);
    }

    private void WriteCall(CohereChatBlock call, bool isNew, string? arguments, IBufferWriter<byte> output)
    {
        if (isNew)
        {
            CloseContent(output);
            Utf8JsonWriter json = Begin(output, "tool-call-start");
            BeginMessage(json, call.Index, "tool_calls"u8);
            json.WriteString("id"u8, call.CallId);
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, call.CallName);
            json.WriteString("arguments"u8, ""u8);
            json.WriteEndObject();
            EndMessage(json, output);
        }
        else if (!string.IsNullOrEmpty(arguments))
        {
            WriteArguments(call, arguments, output);
        }
    }

    private void WriteArguments(CohereChatBlock call, string arguments, IBufferWriter<byte> output)
    {
        Utf8JsonWriter json = Begin(output, "tool-call-delta");
        BeginMessage(json, call.Index, "tool_calls"u8);
        json.WriteStartObject("function"u8);
        json.WriteString("arguments"u8, arguments);
        json.WriteEndObject();
        EndMessage(json, output);
    }

    private void EndPart(int part, IBufferWriter<byte> output)
    {
        if (_open?.Part == part)
        {
            CloseContent(output);
        }
        else if (_blocks.FindCall(part) is { IsEnded: false } call)
        {
            EndCall(call, output);
        }
    }

    private void EndCall(CohereChatBlock call, IBufferWriter<byte> output)
    {
        call.IsEnded = true;
        if (call.Text.Length == 0)
        {
            // A call without arguments is a call with none: clients parse the joined fragments as JSON.
            WriteArguments(call, "{}", output);
        }

        WriteEnd("tool-call-end", call.Index, output);
    }

    private void End(IBufferWriter<byte> output)
    {
        Start(output);
        CloseContent(output);
        foreach (CohereChatBlock call in _blocks.Calls.Where(call => !call.IsEnded))
        {
            EndCall(call, output);
        }

        _isEnded = true;
        Utf8JsonWriter json = Begin(output, "message-end");
        json.WriteString("id"u8, _id);
        json.WriteStartObject("delta"u8);
        json.WriteString("finish_reason"u8, CohereChatFinish.Write(_finished ?? new Finished(FinishReason.Stop, null), _blocks.HasCalls, Options.Losses));
        if (_usage is not null)
        {
            json.WritePropertyName("usage"u8);
            CohereChatUsage.Write(_usage, json);
        }

        json.WriteEndObject();
        EndFrame(output);
        output.Write("data: [DONE]\n\n"u8);
    }

    private void WriteEnd(string type, int index, IBufferWriter<byte> output)
    {
        Begin(output, type).WriteNumber("index"u8, index);
        EndFrame(output);
    }

    private static void BeginMessage(Utf8JsonWriter json, int index, ReadOnlySpan<byte> field)
    {
        json.WriteNumber("index"u8, index);
        json.WriteStartObject("delta"u8);
        json.WriteStartObject("message"u8);
        json.WriteStartObject(field);
    }

    private void EndMessage(Utf8JsonWriter json, IBufferWriter<byte> output)
    {
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        EndFrame(output);
    }

    private Utf8JsonWriter Begin(IBufferWriter<byte> output, string type)
    {
        output.Write("event: "u8);
        _json ??= new Utf8JsonWriter(_none, CohereChatProtocol.WriterOptions);
        Encoding.UTF8.GetBytes(type.AsSpan(), output);
        output.Write("\ndata: "u8);
        _json.Reset(output);
        _json.WriteStartObject();
        _json.WriteString("type"u8, type);
        return _json;
    }

    private void EndFrame(IBufferWriter<byte> output)
    {
        _json!.WriteEndObject();
        _json.Flush();
        _json.Reset(_none);
        output.Write("\n\n"u8);
    }
}
