using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>A block that has begun and not ended.</summary>
internal struct OpenBlock
{
    public int Index;
    public BlockKind Kind;

    /// <summary>Its number in the neutral answer.</summary>
    public int Part;
    public bool HasArguments;
    public bool IsStructured;
    public int CitationCount;
}

/// <summary>
/// Turns content blocks into events, for whole answers and streams alike: numbers the parts, marks whose signatures they are, names what has no neutral form, and
/// takes the envelope off emulated structured output. Text that comes before a structured answer is held until it is known whether there is one, and then dropped.
/// </summary>
internal sealed class BedrockConverseEvents(List<ChatEvent> events, ReaderOptions options)
{
    private const string ModelFields = "additionalModelResponseFields";

    private readonly List<(int Block, TextDelta Event)> _held = [];
    private int _parts;
    private bool _hasStructured;
    private bool _hasToolCalls;

    public OpenBlock Begin(int index, BlockKind kind) => new() { Index = index, Kind = kind, Part = kind == BlockKind.Opaque ? -1 : _parts++ };

    /// <summary>A block that has no counterpart.</summary>
    public void Lose(int index, string kind) => options.Losses.AddInResponse(At(index), $"A block of type {kind} has no counterpart.");

    public OpenBlock BeginToolCall(int index, string id, string name)
    {
        OpenBlock open = Begin(index, BlockKind.ToolCall);
        open.IsStructured = options.UnwrapStructuredOutput && name == StructuredOutput.ToolName;
        Watch(name);
        if (!open.IsStructured)
        {
            FlushHeld();
            events.Add(new ToolCallStarted(open.Part, id, options.ToolName(name, BedrockConverseTurns.NameLengthMax)) { Pointer = $"{At(index)}/toolUse" });
            return open;
        }

        foreach ((int block, TextDelta _) in _held)
        {
            DropText(block);
        }

        _held.Clear();
        return open;
    }

    /// <summary>Remembers what a call means for the finish, and gives no event.</summary>
    public void Watch(string? name)
    {
        bool isStructured = options.UnwrapStructuredOutput && name == StructuredOutput.ToolName;
        _hasStructured |= isStructured;
        _hasToolCalls |= !isStructured;
    }

    public void Text(in OpenBlock block, string text)
    {
        if (text.Length == 0)
        {
            return;
        }

        if (!options.UnwrapStructuredOutput)
        {
            events.Add(new TextDelta(block.Part, text));
        }
        else if (_hasStructured)
        {
            DropText(block.Index);
        }
        else
        {
            _held.Add((block.Index, new TextDelta(block.Part, text)));
        }
    }

    public void Thinking(in OpenBlock block, string text)
    {
        if (text.Length > 0)
        {
            events.Add(new ThinkingDelta(block.Part, text));
        }
    }

    public void Signature(in OpenBlock block, string signature)
    {
        if (signature.Length == 0)
        {
            return;
        }

        if (!ForeignThinking.TryUnwrap(signature, out string issuer, out string? foreign))
        {
            events.Add(new ThinkingSigned(block.Part, signature, options.Vendor));
        }
        else if (foreign is not null)
        {
            events.Add(new ThinkingSigned(block.Part, foreign, issuer));
        }
    }

    public void Redacted(in OpenBlock block, string blob)
    {
        string data = BedrockConverseThinking.DataOf(blob);
        bool isForeign = ForeignThinking.TryUnwrap(data, out string issuer, out string? foreign);
        events.Add(isForeign ? new ThinkingRedacted(block.Part, foreign ?? "", issuer) : new ThinkingRedacted(block.Part, data, options.Vendor));
    }

    public void Arguments(ref OpenBlock block, string json)
    {
        if (json.Length > 0)
        {
            block.HasArguments = true;
            events.Add(block.IsStructured ? new TextDelta(block.Part, json) : new ToolCallDelta(block.Part, json));
        }
    }

    /// <summary>Reads a citation, an object.</summary>
    public void Cite(ref OpenBlock block, ReadOnlySpan<byte> citation, string? pointer = null)
    {
        pointer ??= $"{At(block.Index)}/citationsContent/citations/{block.CitationCount}";
        block.CitationCount++;
        Cited cited = BedrockConverseCitation.Read(citation, block.Part, pointer, out string? lost);
        events.Add(cited);
        if (lost is not null)
        {
            options.Losses.AddInResponse(lost, "Where in its source a citation stands cannot cross protocols.");
        }
    }

    public void End(ref OpenBlock block)
    {
        // Held text may still follow: its part ends with the answer.
        if (block.Kind == BlockKind.Opaque || (block.Kind == BlockKind.Text && options.UnwrapStructuredOutput))
        {
            return;
        }

        if (block.Kind == BlockKind.ToolCall && !block.HasArguments)
        {
            // No arguments at all mean an empty object.
            Arguments(ref block, "{}");
        }

        events.Add(new PartEnded(block.Part));
    }

    /// <summary>The finish as the caller sees it: a call that only carried the answer is none.</summary>
    public FinishReason FinishOf(string stopReason)
    {
        FinishReason reason = BedrockConverseUsage.FinishOf(stopReason);
        return reason == FinishReason.ToolCalls && _hasStructured && !_hasToolCalls ? FinishReason.Stop : reason;
    }

    public FinishReason Finish(string stopReason, string? stopSequence)
    {
        FlushHeld();
        FinishReason reason = FinishOf(stopReason);
        events.Add(new Finished(reason, stopSequence) { Pointer = "/stopReason" });
        return reason;
    }

    /// <summary>Names fields of an answer, or of one of the pieces in which a stream gives them, that no other protocol has and that say something.</summary>
    public void NoteFields(ReadOnlySpan<byte> json, ReadOnlySpan<string> known, string at = "")
    {
        Utf8JsonReader reader = new(json, JsonFields.ReaderOptions);
        reader.Read();
        while (reader.TokenType != JsonTokenType.None && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = JsonText.Read(ref reader);
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            ReadOnlySpan<byte> value = json[start..(int)reader.BytesConsumed];
            if (name == ModelFields)
            {
                NoteFields(value, ["stop_sequence"], $"/{ModelFields}");
            }
            else if (!known.Contains(name) && !value.SequenceEqual("null"u8) && !value.SequenceEqual("{}"u8) && !value.SequenceEqual("[]"u8))
            {
                options.Losses.AddInResponse(JsonFields.Join(at, name), $"The field {name} cannot cross protocols.");
            }
        }
    }

    private static string At(int index) => $"/output/message/content/{index}";

    private void DropText(int index) => options.Losses.AddInResponse(At(index), "Text beside a structured answer would break its JSON.");

    private void FlushHeld()
    {
        foreach ((int _, TextDelta held) in _held)
        {
            events.Add(held);
        }

        _held.Clear();
    }
}
