using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.CohereChat;

/// <summary>Reads an answer that comes as one body: the whole of it is one frame.</summary>
internal sealed class CohereChatResponseReader : ResponseReader
{
    private readonly CohereChatEvents _events;

    public CohereChatResponseReader(ReaderOptions options)
        : base(options) => _events = new CohereChatEvents(Events, options);

    private bool IsEverything => Options.Depth == ReadDepth.Everything;

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
        try
        {
            signals = Read(frame.IsSingleSegment ? frame.FirstSpan : frame.ToArray());
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "The upstream's answer is not valid JSON."));
        }

        return true;
    }

    private FrameSignals Read(ReadOnlySpan<byte> json)
    {
        json = json.Trim(" \t\r\n"u8);
        Utf8JsonReader whole = new(json, CohereChatJson.ReaderOptions);
        whole.Read();
        bool isObject = whole.TokenType == JsonTokenType.StartObject;
        whole.Skip();
        whole.Read(); // Refuses anything behind the object.
        ReadOnlySpan<byte> message = CohereChatJson.Find(json, "message"u8);
        string? word = CohereChatJson.TextOf(CohereChatJson.Find(json, "finish_reason"u8));
        if (!isObject)
        {
            throw new JsonException();
        }

        if (message.IsEmpty || message[0] != (byte)'{' || word is CohereChatFinish.ErrorWord or CohereChatFinish.TimeoutWord)
        {
            Error = word == CohereChatFinish.TimeoutWord
                ? new ChatError(ChatErrorKind.Timeout, "The upstream took too long for its answer.")
                : CohereChatError.Read(0, json.ToArray());
            Add(new Failed(Error));
            return FrameSignals.Failed;
        }

        ResponseId = CohereChatJson.TextOf(CohereChatJson.Find(json, "id"u8));
        Add(new ResponseStarted(ResponseId, null, null));
        FrameSignals signals = FrameSignals.Started | FrameSignals.Finished | FrameSignals.Ended;
        ReadMessage(message);
        signals |= ContentLength > 0 ? FrameSignals.Content : FrameSignals.None;
        if (IsEverything)
        {
            CohereChatJson.Note(json, "", ["id", "message", "finish_reason", "usage"], Options.Losses);
            CohereChatJson.Note(message, "/message", ["role", "content", "tool_plan", "tool_calls", "citations"], Options.Losses);
        }

        _events.Release();
        Finish = CohereChatFinish.Read(word ?? "COMPLETE", _events.HasCalls);
        Add(new Finished(Finish.Value, null) { Pointer = "/finish_reason" });
        ReadOnlySpan<byte> usage = CohereChatJson.Find(json, "usage"u8);
        if (!usage.IsEmpty && usage[0] == (byte)'{' && CohereChatUsage.Read(usage, IsEverything ? Options.Losses : null) is { } counted)
        {
            Usage = counted;
            Add(new UsageReported(counted));
            signals |= FrameSignals.Usage;
        }

        IsEnded = true;
        Add(ResponseEnded.Instance);
        return signals;
    }

    private void ReadMessage(ReadOnlySpan<byte> message)
    {
        ContentLength += _events.Plan(CohereChatJson.Find(message, "tool_plan"u8));
        ReadOnlySpan<byte> content = CohereChatJson.Find(message, "content"u8);
        int index = 0;
        foreach (JsonSpan item in Items(content))
        {
            ContentLength += _events.Content(index, content.Slice(item.Start, item.Length));
            _events.EndContent(index++);
        }

        ReadOnlySpan<byte> calls = CohereChatJson.Find(message, "tool_calls"u8);
        index = 0;
        foreach (JsonSpan item in Items(calls))
        {
            ContentLength += _events.BeginCall(index, calls.Slice(item.Start, item.Length));
            _events.EndCall(index++);
        }

        ReadOnlySpan<byte> citations = CohereChatJson.Find(message, "citations"u8);
        foreach (JsonSpan item in Items(citations))
        {
            _events.Cite(citations.Slice(item.Start, item.Length));
        }
    }

    private static List<JsonSpan> Items(ReadOnlySpan<byte> array)
    {
        List<JsonSpan> items = [];
        if (array.IsEmpty || array[0] != (byte)'[')
        {
            return items;
        }

        Utf8JsonReader reader = new(array, CohereChatJson.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            items.Add(new JsonSpan(start, (int)reader.BytesConsumed - start));
        }

        return items;
    }

    private void Add(ChatEvent chatEvent)
    {
        if (IsEverything)
        {
            Events.Add(chatEvent);
        }
    }
}

/// <summary>Gathers an answer and writes it as one body at its end.</summary>
internal sealed class CohereChatResponseWriter(WriterOptions options) : ResponseWriter(options)
{
    private readonly CohereChatBlocks _blocks = new(options.Vendor);
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
                _blocks.Take(chatEvent);
                break;
        }
    }

    private void WriteBody(IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, CohereChatProtocol.WriterOptions);
        json.WriteStartObject();
        json.WriteString("id"u8, _started?.Id ?? Options.FallbackId);
        json.WriteString("finish_reason"u8, CohereChatFinish.Write(_finished ?? new Finished(FinishReason.Stop, null), _blocks.HasCalls, Options.Losses));
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        WriteContent(json);
        WriteCalls(json);
        WriteCitations(json);
        json.WriteEndObject();
        if (_usage is not null)
        {
            json.WritePropertyName("usage"u8);
            CohereChatUsage.Write(_usage, json);
        }

        json.WriteEndObject();
    }

    private void WriteContent(Utf8JsonWriter json)
    {
        json.WriteStartArray("content"u8);
        foreach (CohereChatBlock block in _blocks.Content)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, block.IsThinking ? "thinking"u8 : "text"u8);
            json.WriteString(block.IsThinking ? "thinking"u8 : "text"u8, block.Text.ToString());
            _blocks.WriteMark(json, block);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteCalls(Utf8JsonWriter json)
    {
        if (!_blocks.HasCalls)
        {
            return;
        }

        json.WriteStartArray("tool_calls"u8);
        foreach (CohereChatBlock call in _blocks.Calls)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, call.CallId);
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, call.CallName);
            json.WriteString("arguments"u8, call.Text.Length > 0 ? call.Text.ToString() : "{}");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteCitations(Utf8JsonWriter json)
    {
        if (!_blocks.Content.Exists(block => block.Citations.Count > 0))
        {
            return;
        }

        json.WriteStartArray("citations"u8);
        foreach (CohereChatBlock block in _blocks.Content)
        {
            foreach (Cited cited in block.Citations)
            {
                CohereChatBlocks.WriteCitation(json, cited, block);
            }
        }

        json.WriteEndArray();
    }
}
