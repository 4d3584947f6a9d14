using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>The parts of a message or delta: reasoning, text, refusal, tool calls, citations, taken in this order whatever order they are written in.</summary>
internal abstract partial class OpenAIChatReader
{
    private static readonly string[] s_citationFields = ["type", "url", "title", "content"];

    private bool _isThinkingSigned;
    private int _annotationCount;

    private FrameSignals ReadMessage(ReadOnlySpan<byte> json, bool isWhole)
    {
        Utf8JsonReader reader = new(json, s_readerOptions);
        reader.Read();
        MessageFields fields = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("content"u8))
            {
                reader.Read();
                fields.Content = TakeHere(ref reader, json);
            }
            else if (reader.ValueTextEquals("reasoning_content"u8))
            {
                fields.ReasoningContent = Take(ref reader, json, JsonTokenType.String);
            }
            else if (reader.ValueTextEquals("reasoning"u8))
            {
                fields.Reasoning = Take(ref reader, json, JsonTokenType.String);
            }
            else if (reader.ValueTextEquals("reasoning_details"u8))
            {
                fields.ReasoningDetails = Take(ref reader, json, JsonTokenType.StartArray);
            }
            else if (reader.ValueTextEquals("refusal"u8))
            {
                fields.Refusal = Take(ref reader, json, JsonTokenType.String);
            }
            else if (reader.ValueTextEquals("tool_calls"u8))
            {
                fields.ToolCalls = Take(ref reader, json, JsonTokenType.StartArray);
            }
            else if (reader.ValueTextEquals("function_call"u8))
            {
                fields.FunctionCall = Take(ref reader, json, JsonTokenType.StartObject);
            }
            else if (reader.ValueTextEquals("annotations"u8))
            {
                fields.Annotations = Take(ref reader, json, JsonTokenType.StartArray);
            }
            else
            {
                NoteUnknown(ref reader, MessagePointer);
            }
        }

        FrameSignals signals = ReadReasoning(fields, isWhole);
        signals |= ReadContent(fields.Content);
        signals |= ReadString(fields.Refusal, PartKind.Refusal);
        signals |= ReadToolCalls(fields.ToolCalls, isWhole);
        signals |= ReadFunctionCall(fields.FunctionCall);
        return signals | ReadAnnotations(fields.Annotations);
    }

    /// <summary>
    /// Servers that give reasoning in two fields give the same text in both: only one is read. In a stream, a marked detail (another Ballast's) repeats the
    /// text that came before it.
    /// </summary>
    private FrameSignals ReadReasoning(in MessageFields fields, bool isWhole)
    {
        FrameSignals signals = FrameSignals.None;
        bool hasDetails = !fields.ReasoningDetails.IsEmpty;
        bool hasDetailText = hasDetails && HasText(fields.ReasoningDetails) && (isWhole || !ForeignThinking.IsIn(fields.ReasoningDetails));
        if (!hasDetailText)
        {
            signals |= ReadString(fields.ReasoningContent, PartKind.Thinking);
            signals |= signals == FrameSignals.None ? ReadString(fields.Reasoning, PartKind.Thinking) : FrameSignals.None;
        }

        return hasDetails ? signals | ReadReasoningDetails(fields.ReasoningDetails, hasDetailText) : signals;
    }

    private static bool HasText(ReadOnlySpan<byte> details)
    {
        Utf8JsonReader reader = new(details, s_readerOptions);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && (reader.ValueTextEquals("text"u8) || reader.ValueTextEquals("summary"u8)))
            {
                reader.Read();
                if (reader.TokenType == JsonTokenType.String && !reader.ValueSpan.IsEmpty)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private FrameSignals ReadReasoningDetails(ReadOnlySpan<byte> json, bool takesText)
    {
        FrameSignals signals = FrameSignals.None;
        Utf8JsonReader reader = new(json, s_readerOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            ReadOnlySpan<byte> signature = default;
            ReadOnlySpan<byte> data = default;
            ReadOnlySpan<byte> text = default;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("signature"u8))
                {
                    signature = Take(ref reader, json, JsonTokenType.String);
                }
                else if (reader.ValueTextEquals("data"u8))
                {
                    data = Take(ref reader, json, JsonTokenType.String);
                }
                else if (reader.ValueTextEquals("text"u8) || reader.ValueTextEquals("summary"u8))
                {
                    text = Take(ref reader, json, JsonTokenType.String);
                }
                else
                {
                    reader.Read();
                    reader.Skip();
                }
            }

            signals |= takesText ? ReadString(text, PartKind.Thinking) : FrameSignals.None;
            signals |= Sign(signature);
            signals |= Redact(data);
        }

        return signals;
    }

    private FrameSignals Sign(ReadOnlySpan<byte> value)
    {
        if (value.Length <= 2)
        {
            return FrameSignals.None;
        }

        if (!IsEverything)
        {
            return FrameSignals.Content;
        }

        string signature = StringOf(value);
        string issuer = Options.Vendor;
        if (ForeignThinking.TryUnwrap(signature, out string marked, out string? inner))
        {
            issuer = marked;
            signature = inner ?? "";
        }

        // A mark without a signature tells only whose the reasoning was.
        if (signature.Length > 0)
        {
            BeginPart(PartKind.Thinking);
            Events.Add(new ThinkingSigned(_part, signature, issuer));
        }

        _isThinkingSigned = true;
        return FrameSignals.Content;
    }

    private FrameSignals Redact(ReadOnlySpan<byte> value)
    {
        if (value.Length <= 2)
        {
            return FrameSignals.None;
        }

        _kind = PartKind.None;
        BeginPart(PartKind.Thinking);
        _isThinkingSigned = true;
        if (IsEverything)
        {
            string data = StringOf(value);
            string issuer = Options.Vendor;
            if (ForeignThinking.TryUnwrap(data, out string marked, out string? inner))
            {
                issuer = marked;
                data = inner ?? "";
            }

            Events.Add(new ThinkingRedacted(_part, data, issuer));
        }

        return FrameSignals.Content;
    }

    private FrameSignals ReadContent(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty || json[0] != (byte)'[')
        {
            return json.IsEmpty || json[0] != (byte)'"' ? FrameSignals.None : ReadString(json, PartKind.Text);
        }

        // Mistral: text and thinking as parts of an array.
        FrameSignals signals = FrameSignals.None;
        Utf8JsonReader reader = new(json, s_readerOptions);
        reader.Read();
        for (int index = 0; reader.Read() && reader.TokenType == JsonTokenType.StartObject; index++)
        {
            signals |= ReadContentPart(TakeHere(ref reader, json), index);
        }

        return signals;
    }

    private FrameSignals ReadContentPart(ReadOnlySpan<byte> json, int index)
    {
        FrameSignals signals = FrameSignals.None;
        Utf8JsonReader reader = new(json, s_readerOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("text"u8))
            {
                signals |= ReadString(Take(ref reader, json, JsonTokenType.String), PartKind.Text);
            }
            else if (reader.ValueTextEquals("thinking"u8))
            {
                reader.Read();
                signals |= ReadThinkingPart(TakeHere(ref reader, json));
            }
            else if (reader.ValueTextEquals("closed"u8))
            {
                reader.Read();
                reader.Skip();
            }
            else
            {
                NoteUnknown(ref reader, JsonCursor.Below($"{MessagePointer}/content", index));
            }
        }

        return signals;
    }

    private FrameSignals ReadThinkingPart(ReadOnlySpan<byte> json)
    {
        if (json[0] == (byte)'"')
        {
            return ReadString(json, PartKind.Thinking);
        }

        FrameSignals signals = FrameSignals.None;
        Utf8JsonReader reader = new(json, s_readerOptions);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("text"u8))
            {
                signals |= ReadString(Take(ref reader, json, JsonTokenType.String), PartKind.Thinking);
            }
        }

        return signals;
    }

    /// <summary>A piece of text of the given kind; an empty one is none.</summary>
    private FrameSignals ReadString(ReadOnlySpan<byte> value, PartKind kind)
    {
        if (value.Length <= 2)
        {
            return FrameSignals.None;
        }

        Utf8JsonReader reader = new(value, s_readerOptions);
        reader.Read();
        long length = JsonText.Length(reader);
        ContentLength += reader.ValueSpan.Length;
        BeginPart(kind);
        _textLength += kind == PartKind.Text ? length : 0;
        if (IsEverything)
        {
            string text = JsonText.Read(ref reader);
            switch (kind)
            {
                case PartKind.Thinking:
                    Events.Add(new ThinkingDelta(_part, text));
                    break;
                case PartKind.Refusal:
                    Events.Add(new RefusalDelta(_part, text));
                    break;
                default:
                    AddText(text);
                    break;
            }
        }

        return FrameSignals.Content;
    }

    /// <summary>Stays in the part at hand if it is of that kind; begins the next one if not.</summary>
    private void BeginPart(PartKind kind)
    {
        bool goesOn = _kind == kind && kind != PartKind.ToolCall && !(kind == PartKind.Thinking && _isThinkingSigned);
        if (goesOn)
        {
            return;
        }

        _kind = kind;
        _part = _partCount++;
        _isThinkingSigned = false;
        if (kind == PartKind.Text)
        {
            _textPart = _part;
            _textBase = _textLength;
        }
    }

    private FrameSignals ReadAnnotations(ReadOnlySpan<byte> json)
    {
        if (!IsEverything || json.IsEmpty)
        {
            return FrameSignals.None;
        }

        Utf8JsonReader reader = new(json, s_readerOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            using JsonDocument document = JsonDocument.Parse(Encoding.UTF8.GetString(TakeHere(ref reader, json)));
            string at = JsonCursor.Below($"{MessagePointer}/annotations", _annotationCount++);
            if (document.RootElement.TryGetProperty("url_citation"u8, out JsonElement citation) && citation.ValueKind == JsonValueKind.Object)
            {
                Cite(citation, at);
            }
            else
            {
                Options.Losses.AddInResponse(at, "Only citations of web pages can cross protocols.");
            }
        }

        return FrameSignals.None;
    }

    private void Cite(JsonElement citation, string at)
    {
        if (_textPart < 0)
        {
            BeginPart(PartKind.Text);
        }

        Events.Add(new Cited(
            _textPart,
            TextOf(citation, "url"u8),
            TextOf(citation, "title"u8),
            TextOf(citation, "content"u8),
            OffsetOf(citation, "start_index"u8),
            OffsetOf(citation, "end_index"u8))
        {
            Pointer = at,
            RestPointers = [.. citation.EnumerateObject().Where(field => !s_citationFields.Contains(field.Name)).Select(field => JsonCursor.Below($"{at}/url_citation", field.Name))],
        });
    }

    private static string? TextOf(JsonElement element, ReadOnlySpan<byte> name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Offsets count in the whole text of the message; here they count in their part.</summary>
    private int? OffsetOf(JsonElement element, ReadOnlySpan<byte> name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int offset)
            ? (int)Math.Max(0, offset - _textBase)
            : null;

    private static string StringOf(ReadOnlySpan<byte> value)
    {
        Utf8JsonReader reader = new(value, s_readerOptions);
        reader.Read();
        return JsonText.Read(ref reader);
    }

    /// <summary>Where the fields of a message or delta lie, quotes and brackets included.</summary>
    private ref struct MessageFields
    {
        public ReadOnlySpan<byte> Content;
        public ReadOnlySpan<byte> ReasoningContent;
        public ReadOnlySpan<byte> Reasoning;
        public ReadOnlySpan<byte> ReasoningDetails;
        public ReadOnlySpan<byte> Refusal;
        public ReadOnlySpan<byte> ToolCalls;
        public ReadOnlySpan<byte> FunctionCall;
        public ReadOnlySpan<byte> Annotations;
    }
}
