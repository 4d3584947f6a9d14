using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// Turns content blocks into events, for whole answers and streams alike: numbers the parts, marks whose signatures they are, names what has no neutral form, and
/// takes the envelope off emulated structured output. Text that comes before a structured answer is held until it is known whether there is one, and then dropped.
/// </summary>
internal sealed class AnthropicMessagesEvents(List<ChatEvent> events, ReaderOptions options)
{
    private readonly AnthropicMessagesAnswerLosses _losses = new(options.Losses);
    private string? _tier;
    private string? _geo;
    private int _parts;
    private bool _hasStructured;
    private bool _hasToolCalls;

    private List<(int Block, TextDelta Event)> Held => field ??= [];

    public void Begin(int blockIndex, in AnthropicMessagesBlock block, out OpenBlock open)
    {
        open = new OpenBlock { Index = blockIndex, Kind = block.Kind };
        if (block.Kind == BlockKind.Opaque)
        {
            options.Losses.AddInResponse($"/content/{blockIndex}", $"A block of type {block.Type ?? "unknown"} has no counterpart.");
            return;
        }

        open.Part = _parts++;
        switch (block.Kind)
        {
            case BlockKind.Text:
                Text(open, block.Text ?? "");
                break;
            case BlockKind.Thinking:
                Thinking(open, block.Text ?? "");
                Signature(open, block.Signature ?? "");
                break;
            case BlockKind.RedactedThinking:
                bool isForeign = ForeignThinking.TryUnwrap(block.Text ?? "", out string issuer, out string? data);
                events.Add(isForeign ? new ThinkingRedacted(open.Part, data ?? "", issuer) : new ThinkingRedacted(open.Part, block.Text ?? "", options.Vendor));
                break;
            default:
                BeginToolCall(ref open, block);
                break;
        }
    }

    /// <summary>Names what the block holds beside its content.</summary>
    public void NoteFields(in OpenBlock block, ReadOnlySpan<byte> json)
    {
        if (block.Kind != BlockKind.Opaque)
        {
            _losses.NoteBlock(json, block.Kind, block.Index);
        }
    }

    /// <summary>What the usage says beside its figures.</summary>
    public void Tell(in AnthropicMessagesUsage usage)
    {
        if (usage.Tier is { } tier && tier != _tier)
        {
            _tier = tier;
            events.Add(new AnswerTold(AnswerFact.ServiceTier, tier, "/usage/service_tier"));
        }

        if (usage.Geo is { } geo && geo != _geo)
        {
            _geo = geo;
            events.Add(new AnswerTold(AnswerFact.InferenceGeo, geo, "/usage/inference_geo"));
        }
    }

    /// <summary>Names what a message, or a piece of one, holds beside what is read.</summary>
    public void NoteMessage(ReadOnlySpan<byte> json) => _losses.NoteMessage(json);

    public void Text(in OpenBlock block, string text)
    {
        if (text.Length == 0 || block.Kind != BlockKind.Text)
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
            Held.Add((block.Index, new TextDelta(block.Part, text)));
        }
    }

    public void Thinking(in OpenBlock block, string text)
    {
        if (text.Length > 0 && block.Kind == BlockKind.Thinking)
        {
            events.Add(new ThinkingDelta(block.Part, text));
        }
    }

    public void Signature(in OpenBlock block, string signature)
    {
        if (signature.Length == 0 || block.Kind != BlockKind.Thinking)
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

    public void Arguments(ref OpenBlock block, string json)
    {
        if (json.Length == 0 || block.Kind != BlockKind.ToolCall)
        {
            return;
        }

        block.HasArguments = true;
        events.Add(block.IsStructured ? new TextDelta(block.Part, json) : new ToolCallDelta(block.Part, json));
    }

    /// <summary>Reads one citation, or every one of an array.</summary>
    public void Cite(ref OpenBlock block, ReadOnlySpan<byte> citations)
    {
        if (block.Kind != BlockKind.Text || citations.IsEmpty)
        {
            return;
        }

        Utf8JsonReader json = new(citations, JsonFields.ReaderOptions);
        while (json.Read())
        {
            if (json.TokenType == JsonTokenType.StartObject)
            {
                string pointer = JsonFields.Join($"{JsonFields.Join("/content", block.Index)}/citations", block.CitationCount++);
                int start = (int)json.TokenStartIndex;
                Cited cited = ReadCitation(ref json, block.Part) with { Pointer = pointer };
                events.Add(cited);
                if (cited.Url is not null)
                {
                    _losses.NoteCitation(citations[start..(int)json.BytesConsumed], pointer);
                }
            }
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
            // No arguments at all mean an empty object; some servers give the whole object at the start instead of in pieces.
            Arguments(ref block, block.Input ?? "{}");
        }

        events.Add(new PartEnded(block.Part));
    }

    /// <summary>Remembers what a block means for the finish, and gives no event.</summary>
    public void Watch(in AnthropicMessagesBlock block)
    {
        bool isStructured = options.UnwrapStructuredOutput && block.Name == StructuredOutput.ToolName;
        _hasStructured |= isStructured;
        _hasToolCalls |= block.Kind == BlockKind.ToolCall && !isStructured;
    }

    /// <summary>The finish as the caller sees it: a call that only carried the answer is none.</summary>
    public FinishReason FinishOf(string stopReason)
    {
        FinishReason reason = AnthropicMessagesUsage.FinishOf(stopReason);
        return reason == FinishReason.ToolCalls && _hasStructured && !_hasToolCalls ? FinishReason.Stop : reason;
    }

    public FinishReason Finish(string stopReason, string? stopSequence, string? explanation)
    {
        FlushHeld();
        FinishReason reason = FinishOf(stopReason);
        if (reason == FinishReason.Refusal && !string.IsNullOrEmpty(explanation))
        {
            int part = _parts++;
            events.Add(new RefusalDelta(part, explanation));
            events.Add(new PartEnded(part));
        }

        events.Add(new Finished(reason, stopSequence) { Pointer = "/stop_reason" });
        return reason;
    }

    private void BeginToolCall(ref OpenBlock open, in AnthropicMessagesBlock block)
    {
        open.Input = block.Input;
        open.IsStructured = options.UnwrapStructuredOutput && block.Name == StructuredOutput.ToolName;
        Watch(block);
        if (!open.IsStructured)
        {
            FlushHeld();
            events.Add(new ToolCallStarted(open.Part, block.Id ?? "", options.ToolName(block.Name ?? "", AnthropicMessagesTurns.NameLengthMax)) { Pointer = JsonFields.Join("/content", open.Index) });
            return;
        }

        foreach ((int blockIndex, TextDelta _) in Held)
        {
            DropText(blockIndex);
        }

        Held.Clear();
    }

    private void DropText(int blockIndex) =>
        options.Losses.AddInResponse($"/content/{blockIndex}", "Text beside a structured answer would break its JSON.");

    private void FlushHeld()
    {
        foreach ((int _, TextDelta held) in Held)
        {
            events.Add(held);
        }

        Held.Clear();
    }

    private static Cited ReadCitation(ref Utf8JsonReader json, int part)
    {
        string? url = null;
        string? title = null;
        string? quoted = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            int field = json.ValueTextEquals("url"u8) || json.ValueTextEquals("source"u8) ? 1
                : json.ValueTextEquals("title"u8) || json.ValueTextEquals("document_title"u8) ? 2
                : json.ValueTextEquals("cited_text"u8) ? 3
                : 0;
            json.Read();
            if (field == 0 || json.TokenType != JsonTokenType.String)
            {
                json.Skip();
                continue;
            }

            string value = JsonText.Lenient(ref json);
            url = field == 1 ? value : url;
            title = field == 2 ? value : title;
            quoted = field == 3 ? value : quoted;
        }

        return new Cited(part, url, title, quoted, null, null);
    }
}

/// <summary>A block that has begun and not ended.</summary>
internal struct OpenBlock
{
    public int Index;
    public BlockKind Kind;

    /// <summary>Its number in the neutral answer.</summary>
    public int Part;
    public bool HasArguments;
    public int CitationCount;
    public bool IsStructured;
    public string? Input;
}
