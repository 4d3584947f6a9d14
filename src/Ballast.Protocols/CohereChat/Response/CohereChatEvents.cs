using System.Globalization;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.CohereChat;

/// <summary>
/// Turns the pieces of an answer into events, for whole answers and streams alike: numbers the parts, joins citations to them, takes the envelope off emulated structured
/// output. Text that comes before a structured answer is held until it is known whether there is one, and then dropped.
/// </summary>
internal sealed class CohereChatEvents(List<ChatEvent> events, ReaderOptions options)
{
    /// <summary>Content blocks, and tool calls, taken in one answer.</summary>
    private const int CountMax = 1024;

    private readonly bool _isEverything = options.Depth == ReadDepth.Everything;
    private readonly Dictionary<int, Block> _content = [];
    private readonly Dictionary<int, Block> _calls = [];
    private readonly List<TextDelta> _held = [];
    private Block? _plan;
    private Block? _lastText;
    private int _parts;
    private int _citations;
    private bool _hasCalls;
    private bool _hasAnswer;

    /// <summary>A call was made that the client sees as one.</summary>
    public bool HasCalls => _hasCalls;

    /// <summary>A call carried the emulated structured answer.</summary>
    public bool HasAnswer => _hasAnswer;

    /// <summary>A piece of a content block: its type where it begins, text, reasoning and mark where they come. Gives the bytes of content in it, as written.</summary>
    public long Content(int index, ReadOnlySpan<byte> piece)
    {
        ReadOnlySpan<byte> text = CohereChatJson.Find(piece, "text"u8);
        ReadOnlySpan<byte> thinking = CohereChatJson.Find(piece, "thinking"u8);
        if (_isEverything)
        {
            Say(index, text, thinking, piece);
        }

        return CohereChatJson.LengthOf(text) + CohereChatJson.LengthOf(thinking);
    }

    private void Say(int index, ReadOnlySpan<byte> text, ReadOnlySpan<byte> thinking, ReadOnlySpan<byte> piece)
    {
        if (Find(_content, index) is not { } block)
        {
            return;
        }

        EndPlan();
        CohereChatJson.Note(piece, JsonCursor.Below("/message/content", index), ["type", "text", "thinking", "signature", "data"], options.Losses);
        if (CohereChatJson.TextOf(thinking) is { Length: > 0 } reasoning)
        {
            events.Add(new ThinkingDelta(block.Part, reasoning));
        }

        if (CohereChatJson.TextOf(CohereChatJson.Find(piece, "signature"u8)) is { } mark
            && ForeignThinking.TryUnwrap(mark, out string issuer, out string? signature) && signature is not null)
        {
            events.Add(new ThinkingSigned(block.Part, signature, issuer));
        }

        if (CohereChatJson.TextOf(CohereChatJson.Find(piece, "data"u8)) is { } data && ForeignThinking.TryUnwrap(data, out issuer, out string? value))
        {
            events.Add(new ThinkingRedacted(block.Part, value ?? "", issuer));
        }

        if (CohereChatJson.TextOf(text) is { Length: > 0 } said)
        {
            _lastText = block;
            Tell(block, said);
        }
    }

    public long Plan(ReadOnlySpan<byte> plan)
    {
        if (_isEverything && CohereChatJson.TextOf(plan) is { Length: > 0 } text)
        {
            _plan ??= new Block(_parts++);
            Tell(_plan, text);
        }

        return CohereChatJson.LengthOf(plan);
    }

    private void Tell(Block block, string text)
    {
        block.Follow(text);
        TextDelta delta = new(block.Part, text);
        if (options.UnwrapStructuredOutput)
        {
            _held.Add(delta);
        }
        else
        {
            events.Add(delta);
        }
    }

    public void EndContent(int index)
    {
        if (_isEverything && _content.TryGetValue(index, out Block? block) && !options.UnwrapStructuredOutput)
        {
            events.Add(new PartEnded(block.Part));
        }
    }

    private void EndPlan()
    {
        if (_plan is { IsEnded: false } && !options.UnwrapStructuredOutput)
        {
            _plan.IsEnded = true;
            events.Add(new PartEnded(_plan.Part));
        }
    }

    /// <summary>A call began. Gives the bytes of content in it; a call is content, whatever it holds.</summary>
    public long BeginCall(int index, ReadOnlySpan<byte> call)
    {
        ReadOnlySpan<byte> function = CohereChatJson.Find(call, "function"u8);
        ReadOnlySpan<byte> name = CohereChatJson.Find(function, "name"u8);
        bool isAnswer = options.UnwrapStructuredOutput && CohereChatJson.TextOf(name) == StructuredOutput.ToolName;
        _hasAnswer |= isAnswer;
        _hasCalls |= !isAnswer;
        if (_isEverything && Find(_calls, index) is { } block)
        {
            block.IsAnswer = isAnswer;
            if (isAnswer)
            {
                _held.Clear();
            }
            else
            {
                EndPlan();
                string called = options.ToolName(CohereChatJson.TextOf(name) ?? "", CohereChatRequestWriter.ToolNameLengthMax);
                string id = CohereChatJson.TextOf(CohereChatJson.Find(call, "id"u8)) ?? string.Create(CultureInfo.InvariantCulture, $"call_{index}");
                events.Add(new ToolCallStarted(block.Part, id, called) { Pointer = JsonCursor.Below("/message/tool_calls", index) });
            }
        }

        return 1 + Arguments(index, CohereChatJson.Find(function, "arguments"u8));
    }

    public long Arguments(int index, ReadOnlySpan<byte> arguments)
    {
        if (_isEverything && CohereChatJson.TextOf(arguments) is { Length: > 0 } text && _calls.TryGetValue(index, out Block? block))
        {
            block.HasText = true;
            events.Add(block.IsAnswer ? new TextDelta(block.Part, text) : new ToolCallDelta(block.Part, text));
        }

        return CohereChatJson.LengthOf(arguments);
    }

    public void EndCall(int index)
    {
        if (!_isEverything || !_calls.TryGetValue(index, out Block? block))
        {
            return;
        }

        if (!block.HasText && !block.IsAnswer)
        {
            events.Add(new ToolCallDelta(block.Part, "{}"));
        }

        events.Add(new PartEnded(block.Part));
    }

    /// <summary>One citation: an event for each of its sources. Offsets count letters, not code units.</summary>
    public void Cite(ReadOnlySpan<byte> json)
    {
        if (!_isEverything || json.IsEmpty || json[0] != (byte)'{')
        {
            return;
        }

        string at = JsonCursor.Below("/message/citations", _citations++);
        Block? block = CohereChatJson.Is(CohereChatJson.Find(json, "type"u8), "PLAN"u8) ? _plan
            : CohereChatJson.NumberOf(CohereChatJson.Find(json, "content_index"u8)) is int index ? _content.GetValueOrDefault(index) : _lastText;
        if (block is null)
        {
            options.Losses.AddInResponse(at, "It is not known which text this cites.");
            return;
        }

        CohereChatJson.Note(json, at, ["start", "end", "text", "sources", "type", "content_index"], options.Losses);
        int? start = block.UnitAt(CohereChatJson.NumberOf(CohereChatJson.Find(json, "start"u8)));
        int? end = block.UnitAt(CohereChatJson.NumberOf(CohereChatJson.Find(json, "end"u8)));
        ReadOnlySpan<byte> sources = CohereChatJson.Find(json, "sources"u8);
        if (sources.IsEmpty || sources[0] != (byte)'[')
        {
            events.Add(new Cited(block.Part, null, null, null, start, end) { Pointer = at });
            return;
        }

        using JsonDocument document = JsonDocument.Parse(CohereChatJson.Copy(sources));
        int i = 0;
        foreach (JsonElement source in document.RootElement.EnumerateArray())
        {
            events.Add(Source(source, JsonCursor.Below($"{at}/sources", i++), block.Part) with { Start = start, End = end });
        }
    }

    private Cited Source(JsonElement source, string at, int part)
    {
        JsonElement document = source.ValueKind == JsonValueKind.Object && source.TryGetProperty("document"u8, out JsonElement found) ? found : default;
        if (document.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty field in document.EnumerateObject().Where(field => field.Name is not ("id" or "title" or "url" or "snippet" or "text")))
            {
                options.Losses.AddInResponse(JsonCursor.Below($"{at}/document", field.Name), $"The field {field.Name} cannot cross protocols.");
            }
        }
        else if (source.ValueKind == JsonValueKind.Object && source.TryGetProperty("tool_output"u8, out _))
        {
            options.Losses.AddInResponse($"{at}/tool_output", "What the tool said is in the conversation already.");
        }

        return new Cited(part, Word(document, "url"), Word(document, "title") ?? Word(source, "id"), Word(document, "snippet"), null, null) { Pointer = at };
    }

    private static string? Word(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>The answer stopped: held text is told now, where no structured answer came.</summary>
    public void Release()
    {
        if (_isEverything)
        {
            if (!_hasAnswer)
            {
                events.AddRange(_held);
            }

            _held.Clear();
            EndPlan();
        }
    }

    private Block? Find(Dictionary<int, Block> blocks, int index)
    {
        if (!blocks.TryGetValue(index, out Block? block) && blocks.Count < CountMax)
        {
            block = new Block(_parts++);
            blocks.Add(index, block);
        }

        return block;
    }

    /// <summary>A part of the answer while its pieces arrive.</summary>
    private sealed class Block(int part)
    {
        private readonly List<int> _pairs = [];
        private int _letters;
        private bool _endsInHalf;

        public int Part { get; } = part;
        public bool IsAnswer { get; set; }
        public bool HasText { get; set; }
        public bool IsEnded { get; set; }

        /// <summary>Notes where letters of two code units stand.</summary>
        public void Follow(string text)
        {
            foreach (char unit in text)
            {
                bool isSecond = _endsInHalf && char.IsLowSurrogate(unit);
                if (isSecond)
                {
                    _pairs.Add(_letters - 1);
                }
                else
                {
                    _letters++;
                }

                _endsInHalf = char.IsHighSurrogate(unit);
            }
        }

        /// <summary>The code unit at which a letter begins.</summary>
        public int? UnitAt(int? letter)
        {
            if (letter is not int place)
            {
                return null;
            }

            int before = _pairs.BinarySearch(place);
            return place + (before < 0 ? ~before : before);
        }
    }
}
