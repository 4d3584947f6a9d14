using System.Globalization;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OllamaChat;

/// <summary>Turns messages of an answer into events: numbers the parts, gives calls the ids that Ollama may leave out, takes the envelope off emulated structured output.</summary>
internal sealed class OllamaChatParts(ReaderOptions options)
{
    /// <summary>Tool calls taken in one answer.</summary>
    private const int CallCountMax = 1024;

    private readonly bool _isEverything = options.Depth == ReadDepth.Everything;
    private readonly List<TextDelta> _held = [];
    private PartKind _kind;
    private int _part = -1;
    private int _calls;
    private bool _hasAnswerCall;
    private uint _hash = 2166136261;

    private enum PartKind
    {
        None,
        Thinking,
        Text,
    }

    /// <summary>A call was made that the client sees as one.</summary>
    public bool HasCalls => _calls > 0;

    /// <summary>Reads one message; gives the bytes of content in it, as written.</summary>
    public long Read(ReadOnlySpan<byte> message, JsonReaderOptions readerOptions, List<ChatEvent> events)
    {
        Utf8JsonReader reader = new(message, readerOptions);
        reader.Read();
        string? thinking = null;
        string? content = null;
        ReadOnlySpan<byte> details = default;
        ReadOnlySpan<byte> calls = default;
        long length = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("content"u8))
            {
                content = Text(ref reader, ref length);
            }
            else if (reader.ValueTextEquals("thinking"u8))
            {
                thinking = Text(ref reader, ref length);
            }
            else if (reader.ValueTextEquals("tool_calls"u8))
            {
                calls = Array(ref reader, message);
            }
            else if (reader.ValueTextEquals("thinking_details"u8))
            {
                details = Array(ref reader, message);
            }
            else
            {
                Note(ref reader);
            }
        }

        if (_isEverything)
        {
            Think(thinking, details, events);
            Say(content, events);
        }

        return length + ReadCalls(calls, readerOptions, events);
    }

    /// <summary>Ends what is open; text that was held back because a structured answer might follow is told now, where none came.</summary>
    public void Close(List<ChatEvent> events)
    {
        if (!_hasAnswerCall)
        {
            events.AddRange(_held);
        }

        _held.Clear();
        EndPart(events);
    }

    private string? Text(ref Utf8JsonReader reader, ref long length)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.String)
        {
            reader.Skip();
            return null;
        }

        length += reader.ValueSpan.Length;
        return _isEverything && !reader.ValueSpan.IsEmpty ? JsonText.Read(ref reader) : null;
    }

    private static ReadOnlySpan<byte> Array(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        reader.Read();
        bool isArray = reader.TokenType == JsonTokenType.StartArray;
        int start = (int)reader.TokenStartIndex;
        reader.Skip();
        return isArray ? json[start..(int)reader.BytesConsumed] : default;
    }

    private void Note(ref Utf8JsonReader reader)
    {
        bool isKnown = !_isEverything || reader.ValueTextEquals("role"u8) || reader.ValueTextEquals("tool_name"u8);
        string name = isKnown ? "" : JsonText.Read(ref reader);
        reader.Read();
        bool says = !isKnown && reader.TokenType != JsonTokenType.Null && !(reader.TokenType == JsonTokenType.String && reader.ValueSpan.IsEmpty);
        reader.Skip();
        if (says)
        {
            options.Losses.AddInResponse(JsonCursor.Below("/message", name), $"The field {name} cannot cross protocols.");
        }
    }

    private void Think(string? thinking, ReadOnlySpan<byte> details, List<ChatEvent> events)
    {
        if (thinking is not null)
        {
            Begin(PartKind.Thinking, events);
            events.Add(new ThinkingDelta(_part, thinking));
        }

        if (details.IsEmpty)
        {
            return;
        }

        using JsonDocument document = JsonDocument.Parse(Encoding.UTF8.GetString(details));
        int i = 0;
        foreach (JsonElement detail in document.RootElement.EnumerateArray())
        {
            Detail(detail, JsonCursor.Below("/message/thinking_details", i++), events);
        }
    }

    private void Detail(JsonElement detail, string pointer, List<ChatEvent> events)
    {
        if (Word(detail, "data"u8) is { } data && ForeignThinking.TryUnwrap(data, out string issuer, out string? value))
        {
            EndPart(events);
            events.Add(new ThinkingRedacted(++_part, value ?? "", issuer));
            events.Add(new PartEnded(_part));
        }
        else if (Word(detail, "signature"u8) is { } signature && ForeignThinking.TryUnwrap(signature, out issuer, out value))
        {
            // Its text came before it.
            Begin(PartKind.Thinking, events);
            if (value is not null)
            {
                events.Add(new ThinkingSigned(_part, value, issuer));
            }

            EndPart(events);
        }
        else
        {
            options.Losses.AddInResponse(pointer, "Reasoning in a form that is not known.");
        }
    }

    private static string? Word(JsonElement element, ReadOnlySpan<byte> name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private void Say(string? content, List<ChatEvent> events)
    {
        if (content is null)
        {
            return;
        }

        Begin(PartKind.Text, events);
        TextDelta text = new(_part, content);
        if (options.UnwrapStructuredOutput)
        {
            _held.Add(text);
        }
        else
        {
            events.Add(text);
        }
    }

    private void Begin(PartKind kind, List<ChatEvent> events)
    {
        if (_kind != kind)
        {
            EndPart(events);
            _kind = kind;
            _part++;
        }
    }

    private void EndPart(List<ChatEvent> events)
    {
        // Held text may still follow: its part ends with the answer.
        if (_kind != PartKind.None && !(_kind == PartKind.Text && options.UnwrapStructuredOutput))
        {
            events.Add(new PartEnded(_part));
        }

        _kind = PartKind.None;
    }

    private long ReadCalls(ReadOnlySpan<byte> calls, JsonReaderOptions readerOptions, List<ChatEvent> events)
    {
        if (calls.IsEmpty)
        {
            return 0;
        }

        long length = 0;
        Utf8JsonReader reader = new(calls, readerOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            Call call = ReadCall(ref reader, calls);
            length += call.Length;
            if (call.IsAnswer)
            {
                _hasAnswerCall = true;
                Answer(call, events);
            }
            else if (++_calls <= CallCountMax)
            {
                Tell(call, events);
            }
        }

        return length;
    }

    private Call ReadCall(ref Utf8JsonReader reader, ReadOnlySpan<byte> calls)
    {
        Call call = new() { Length = 1 }; // A call is content, whatever it holds.
        int depth = reader.CurrentDepth;
        while (reader.Read() && reader.CurrentDepth > depth)
        {
            if (reader.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            if (reader.ValueTextEquals("name"u8))
            {
                reader.Read();
                bool isText = reader.TokenType == JsonTokenType.String;
                call.IsAnswer = isText && options.UnwrapStructuredOutput && reader.ValueTextEquals(StructuredOutput.ToolName);
                call.Name = isText && _isEverything ? JsonText.Read(ref reader) : null;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("id"u8))
            {
                reader.Read();
                call.Id = reader.TokenType == JsonTokenType.String && _isEverything ? JsonText.Read(ref reader) : null;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("arguments"u8))
            {
                reader.Read();
                int start = (int)reader.TokenStartIndex;
                bool isText = reader.TokenType == JsonTokenType.String;
                string? text = isText && _isEverything ? JsonText.Read(ref reader) : null;
                reader.Skip();
                ReadOnlySpan<byte> arguments = calls[start..(int)reader.BytesConsumed];
                call.Length += arguments.Length;
                call.Arguments = !_isEverything ? null : text ?? Encoding.UTF8.GetString(arguments);
            }
            else if (!reader.ValueTextEquals("function"u8))
            {
                reader.Read();
                reader.Skip();
            }
        }

        return call;
    }

    private void Answer(Call call, List<ChatEvent> events)
    {
        if (_isEverything)
        {
            _held.Clear();
            EndPart(events);
            events.Add(new TextDelta(++_part, call.Arguments ?? "{}"));
            events.Add(new PartEnded(_part));
        }
    }

    private void Tell(Call call, List<ChatEvent> events)
    {
        if (!_isEverything)
        {
            return;
        }

        EndPart(events);
        string name = options.ToolName(call.Name ?? "", int.MaxValue);
        events.Add(new ToolCallStarted(++_part, call.Id ?? MakeId(call), name) { Pointer = JsonCursor.Below("/message/tool_calls", _calls - 1) });
        events.Add(new ToolCallDelta(_part, call.Arguments is null or "null" ? "{}" : call.Arguments));
        events.Add(new PartEnded(_part));
    }

    /// <summary>FNV-1a of all calls so far: ids of different answers must differ within one conversation, and the same bytes must give the same id.</summary>
    private string MakeId(Call call)
    {
        foreach (char c in $"{call.Name}\n{call.Arguments}\n")
        {
            _hash = (_hash ^ c) * 16777619;
        }

        return string.Create(CultureInfo.InvariantCulture, $"call_{_calls - 1}_{_hash:x8}");
    }

    private struct Call
    {
        public string? Id;
        public string? Name;
        public string? Arguments;
        public long Length;
        public bool IsAnswer;
    }
}
