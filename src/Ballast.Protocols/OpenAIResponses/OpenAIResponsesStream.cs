using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>
/// Reads a streamed answer (https://platform.openai.com/docs/api-reference/responses-streaming): <c>response.created</c>, items with their pieces, one terminal event that
/// holds the whole answer. Unknown events pass; there is no mark after the terminal event, though some servers send one.
/// </summary>
internal sealed class OpenAIResponsesStreamReader(ReaderOptions options) : OpenAIResponsesReader(options)
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

        if (IsEnded || Error is not null)
        {
            signals = FrameSignals.Withhold;
            return true;
        }

        ReadOnlySpan<byte> data = serverSentEvent.Data.Trim(" \t\r\n"u8);
        try
        {
            signals = data.IsEmpty ? ReadPlain(frame) : data.SequenceEqual("[DONE]"u8) ? FrameSignals.Withhold : ReadEvent(serverSentEvent.Name, data, ref frame);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw Broken("An event of the upstream's stream is not valid JSON.");
        }

        return true;
    }

    /// <summary>A comment, or a server that answers a stream with a plain JSON body: an error, if it makes any sense at all.</summary>
    private FrameSignals ReadPlain(in ReadOnlySequence<byte> frame)
    {
        SequenceReader<byte> reader = new(frame);
        reader.AdvancePastAny((byte)' ', (byte)'\t', (byte)'\r', (byte)'\n');
        return reader.TryPeek(out byte first) && first is (byte)'{' or (byte)'[' ? Fail(frame.ToArray()) : Tell(Ping.Instance, FrameSignals.None);
    }

    private FrameSignals ReadEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, ref ReadOnlySequence<byte> bytes)
    {
        OpenAIResponsesFrame frame = OpenAIResponsesFrame.Read(data, name);
        ReadOnlySpan<byte> response = data.Slice(frame.Response.Start, frame.Response.Length);
        switch (frame.Kind)
        {
            case EventKind.TextDelta or EventKind.RefusalDelta or EventKind.ArgumentsDelta or EventKind.SummaryDelta or EventKind.ReasoningDelta or EventKind.OtherDelta:
                return ReadDelta(frame, data.Slice(frame.Delta.Start, frame.Delta.Length));
            case EventKind.Created or EventKind.InProgress:
                FrameSignals started = Begin(response);
                bytes = Edited(bytes, name, data, frame.Response, isLast: false);
                return started;
            case EventKind.ItemAdded:
                bytes = Marked(bytes, name, data, frame.Item, isDone: false);
                return ReadItem(data.Slice(frame.Item.Start, frame.Item.Length), frame.OutputIndex, isDone: false);
            case EventKind.ItemDone:
                bytes = Marked(bytes, name, data, frame.Item, isDone: true);
                return ReadItem(data.Slice(frame.Item.Start, frame.Item.Length), frame.OutputIndex, isDone: true);
            case EventKind.Annotation:
                if (IsEverything)
                {
                    Items.Annotate(frame.OutputIndex, frame.ContentIndex, data.Slice(frame.Annotation.Start, frame.Annotation.Length));
                }

                return FrameSignals.Content;
            case EventKind.Completed or EventKind.Incomplete:
                FrameSignals ended = End(response, isWhole: false);
                bytes = Edited(bytes, name, data, frame.Response, isLast: true);
                return ended;
            case EventKind.Failed or EventKind.Error:
                return Fail(frame.Response.IsPresent ? response : data);
            default:
                return FrameSignals.None;
        }
    }

    private FrameSignals ReadDelta(in OpenAIResponsesFrame frame, ReadOnlySpan<byte> delta)
    {
        if (delta.Length <= 2 || delta[0] != (byte)'"')
        {
            return FrameSignals.None;
        }

        Utf8JsonReader json = new(delta);
        json.Read();
        Count(json.ValueSpan.Length);
        if (IsEverything)
        {
            TellDelta(frame, JsonText.Read(ref json));
        }

        return FrameSignals.Content;
    }

    private void TellDelta(in OpenAIResponsesFrame frame, string text)
    {
        switch (frame.Kind)
        {
            case EventKind.TextDelta or EventKind.RefusalDelta:
                Items.Say(frame.OutputIndex, frame.ContentIndex, text, frame.Kind == EventKind.RefusalDelta);
                break;
            case EventKind.SummaryDelta:
                Items.Think(frame.OutputIndex, frame.SummaryIndex, text, isSummary: true);
                break;
            case EventKind.ReasoningDelta:
                Items.Think(frame.OutputIndex, frame.ContentIndex, text, isSummary: false);
                break;
            case EventKind.ArgumentsDelta:
                Items.Argue(frame.OutputIndex, text);
                break;
        }
    }

    private void Keep(ReadOnlySpan<byte> item)
    {
        if (Options.State is { IsStored: true } state && state.Items.Count < OpenAIResponsesItems.CountMax)
        {
            state.Items.Add(item.ToArray());
        }
    }

    /// <summary>An item with its encrypted reasoning marked, where that is wanted; a whole one is kept as it is told.</summary>
    private ReadOnlySequence<byte> Marked(in ReadOnlySequence<byte> bytes, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, JsonSpan item, bool isDone)
    {
        ReadOnlySpan<byte> given = data.Slice(item.Start, item.Length);
        if (!MarksReasoning || given.IndexOf("encrypted_content"u8) < 0)
        {
            if (isDone)
            {
                Keep(given);
            }

            return bytes;
        }

        byte[] told = OpenAIResponsesSeals.Mark(given, OpenAIResponsesSeals.InItem, Issuer);
        if (isDone)
        {
            Keep(told);
        }

        return Rebuilt(name, data, item, told);
    }

    /// <summary>Where Ballast keeps the state, an event that holds the answer's head tells the caller of that state, and the last one is kept.</summary>
    private ReadOnlySequence<byte> Edited(in ReadOnlySequence<byte> bytes, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, JsonSpan response, bool isLast)
    {
        if (Options.State is not { } state || IsEverything || !response.IsPresent)
        {
            return bytes;
        }

        byte[] told = Marked(OpenAIResponsesStated.Edit(data.Slice(response.Start, response.Length), state));
        if (state.IsBackground)
        {
            state.Begun ??= told;
        }

        if (isLast)
        {
            state.Answer = OpenAIResponsesStated.Complete(told, state);
        }

        return Rebuilt(name, data, response, told);
    }

    /// <summary>The event with one value of its data replaced.</summary>
    private static ReadOnlySequence<byte> Rebuilt(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, JsonSpan value, ReadOnlySpan<byte> told)
    {
        ArrayBufferWriter<byte> output = new(data.Length + 256);
        if (!name.IsEmpty)
        {
            output.Write("event: "u8);
            output.Write(name);
            output.Write("\n"u8);
        }

        output.Write("data: "u8);
        WriteLine(data[..value.Start], output);
        WriteLine(told, output);
        WriteLine(data[value.End..], output);
        output.Write("\n\n"u8);
        return new ReadOnlySequence<byte>(output.WrittenMemory);
    }

    /// <summary>A line feed between values would begin another line of the event.</summary>
    private static void WriteLine(ReadOnlySpan<byte> json, ArrayBufferWriter<byte> output)
    {
        Span<byte> line = output.GetSpan(json.Length)[..json.Length];
        json.CopyTo(line);
        line.Replace((byte)'\n', (byte)' ');
        line.Replace((byte)'\r', (byte)' ');
        output.Advance(json.Length);
    }
}

/// <summary>Writes an answer as events, numbered in order: each item whole before its end, then the terminal event with the whole answer.</summary>
internal sealed class OpenAIResponsesStreamWriter(WriterOptions options) : OpenAIResponsesWriter(options)
{
    private readonly ArrayBufferWriter<byte> _none = new();
    private IBufferWriter<byte>? _output;
    private Utf8JsonWriter? _json;
    private long _sequence;
    private bool _isStarted;

    protected override void Taking(IBufferWriter<byte> output) => _output = output;

    protected override void Alive(IBufferWriter<byte> output)
    {
        if (_isStarted)
        {
            output.Write(": ping\n\n"u8);
        }
    }

    protected override void Start()
    {
        if (_isStarted)
        {
            return;
        }

        _isStarted = true;
        foreach (string type in (ReadOnlySpan<string>)["response.created", "response.in_progress"])
        {
            Begin(type);
            _json!.WritePropertyName("response"u8);
            WriteResponse(_json, "in_progress", isWhole: false);
            EndFrame();
        }
    }

    protected override void ItemAdded(OpenAIResponsesItem item)
    {
        Start();
        BeginItem("response.output_item.added", item);
        _json!.WritePropertyName("item"u8);
        item.Write(_json, isWhole: false);
        EndFrame();
    }

    protected override void PieceAdded(OpenAIResponsesItem item, OpenAIResponsesPiece piece)
    {
        bool isSummary = item.Kind == ItemKind.Reasoning;
        BeginPiece(isSummary ? "response.reasoning_summary_part.added" : "response.content_part.added", item, piece);
        _json!.WritePropertyName("part"u8);
        piece.Write(_json, isSummary, isWhole: false);
        EndFrame();
    }

    protected override void Delta(OpenAIResponsesItem item, OpenAIResponsesPiece piece, string text)
    {
        if (item.Kind == ItemKind.Call)
        {
            BeginPiece(item.IsFreeText ? "response.custom_tool_call_input.delta" : "response.function_call_arguments.delta", item, null);
        }
        else
        {
            BeginPiece(
                item.Kind == ItemKind.Reasoning ? "response.reasoning_summary_text.delta" : piece.IsRefusal ? "response.refusal.delta" : "response.output_text.delta",
                item,
                piece);
        }

        _json!.WriteString("delta"u8, text);
        if (item.Kind == ItemKind.Message && !piece.IsRefusal)
        {
            _json.WriteStartArray("logprobs"u8);
            _json.WriteEndArray();
        }

        EndFrame();
    }

    protected override void Annotated(OpenAIResponsesItem item, OpenAIResponsesPiece piece, int index)
    {
        BeginPiece("response.output_text.annotation.added", item, piece);
        _json!.WriteNumber("annotation_index"u8, index);
        _json.WritePropertyName("annotation"u8);
        piece.WriteAnnotation(_json, index);
        EndFrame();
    }

    protected override void PieceDone(OpenAIResponsesItem item, OpenAIResponsesPiece piece)
    {
        if (item.Kind == ItemKind.Call)
        {
            CallDone(item);
            return;
        }

        bool isSummary = item.Kind == ItemKind.Reasoning;
        BeginPiece(isSummary ? "response.reasoning_summary_text.done" : piece.IsRefusal ? "response.refusal.done" : "response.output_text.done", item, piece);
        _json!.WriteString(piece.IsRefusal ? "refusal"u8 : "text"u8, piece.Text.ToString());
        if (!isSummary && !piece.IsRefusal)
        {
            _json.WriteStartArray("logprobs"u8);
            _json.WriteEndArray();
        }

        EndFrame();
        BeginPiece(isSummary ? "response.reasoning_summary_part.done" : "response.content_part.done", item, piece);
        _json.WritePropertyName("part"u8);
        piece.Write(_json, isSummary, isWhole: true);
        EndFrame();
    }

    private void CallDone(OpenAIResponsesItem item)
    {
        BeginPiece(item.IsFreeText ? "response.custom_tool_call_input.done" : "response.function_call_arguments.done", item, null);
        if (!item.IsFreeText)
        {
            _json!.WriteString("name"u8, item.Name);
        }

        _json!.WriteString(item.IsFreeText ? "input"u8 : "arguments"u8, item.Arguments);
        EndFrame();
    }

    protected override void ItemDone(OpenAIResponsesItem item)
    {
        BeginItem("response.output_item.done", item);
        _json!.WritePropertyName("item"u8);
        item.Write(_json, isWhole: true);
        EndFrame();
    }

    protected override void Ended(string status)
    {
        Start();
        Begin(status == "completed" ? "response.completed" : "response.incomplete");
        _json!.WritePropertyName("response"u8);
        WriteResponse(_json, status, isWhole: true);
        EndFrame();
        Keep();
    }

    private void BeginPiece(string type, OpenAIResponsesItem item, OpenAIResponsesPiece? piece)
    {
        Begin(type);
        _json!.WriteString("item_id"u8, item.Id);
        _json.WriteNumber("output_index"u8, item.Index);
        if (piece is not null)
        {
            _json.WriteNumber(item.Kind == ItemKind.Reasoning ? "summary_index"u8 : "content_index"u8, piece.Index);
        }
    }

    private void BeginItem(string type, OpenAIResponsesItem item)
    {
        Begin(type);
        _json!.WriteNumber("output_index"u8, item.Index);
    }

    private void Begin(string type)
    {
        IBufferWriter<byte> output = _output!;
        output.Write("event: "u8);
        int length = System.Text.Encoding.ASCII.GetBytes(type, output.GetSpan(type.Length));
        output.Advance(length);
        output.Write("\ndata: "u8);
        _json ??= new Utf8JsonWriter(_none, OpenAIResponsesProtocol.WriterOptions);
        _json.Reset(output);
        _json.WriteStartObject();
        _json.WriteString("type"u8, type);
        _json.WriteNumber("sequence_number"u8, _sequence++);
    }

    private void EndFrame()
    {
        _json!.WriteEndObject();
        _json.Flush();
        _json.Reset(_none);
        _output!.Write("\n\n"u8);
    }
}
