using System.Runtime.InteropServices;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>
/// Turns output items into events, told in pieces or whole: numbers the parts, marks whose reasoning it is, names what has no neutral form, and takes the envelope off
/// emulated structured output. Text that comes before a structured answer is held until it is known whether there is one, and then dropped.
/// </summary>
internal sealed class OpenAIResponsesItems(List<ChatEvent> events, ReaderOptions options)
{
    /// <summary>Items taken in one answer.</summary>
    public const int CountMax = 4096;

    private readonly List<Item> _items = [];
    private readonly List<(string Pointer, TextDelta Event)> _held = [];
    private int _parts;
    private bool _hasStructured;

    public void Begin(in OpenAIResponsesItemHead head, int index)
    {
        if (Find(index) is not null)
        {
            return;
        }

        Item item = Add(index, head.Kind);
        if (head.Kind == ItemKind.Other)
        {
            options.Losses.AddInResponse(item.Pointer, $"An item of type {head.Type ?? "unknown"} has no counterpart.");
        }
        else if (head.Kind == ItemKind.Call)
        {
            BeginCall(item, head);
        }
    }

    /// <summary>A piece of a message's text or refusal.</summary>
    public void Say(int index, int contentIndex, string text, bool isRefusal)
    {
        Item item = Find(index) ?? Add(index, ItemKind.Message);
        if (text.Length == 0 || item.Kind != ItemKind.Message)
        {
            return;
        }

        Content content = ContentOf(item, contentIndex, isRefusal);
        content.HasText = true;
        if (content.IsRefusal)
        {
            events.Add(new RefusalDelta(content.Part, text));
        }
        else
        {
            AddText($"{item.Pointer}/content/{contentIndex}", new TextDelta(content.Part, text));
        }
    }

    /// <summary>A piece of reasoning: of a summary, whose pieces are apart, or of the reasoning itself.</summary>
    public void Think(int index, int pieceIndex, string text, bool isSummary)
    {
        Item item = Find(index) ?? Add(index, ItemKind.Reasoning);
        if (text.Length == 0 || item.Kind != ItemKind.Reasoning)
        {
            return;
        }

        Start(item);
        (bool, int) piece = (isSummary, pieceIndex);
        string between = item.Piece is { } last && last != piece ? OpenAIResponsesRequest.ReasoningBreak : "";
        item.Piece = piece;
        item.HasText = true;
        events.Add(new ThinkingDelta(item.Part, between + text));
    }

    public void Argue(int index, string text)
    {
        if (Find(index) is not { Kind: ItemKind.Call } item || text.Length == 0)
        {
            return;
        }

        item.HasText = true;
        events.Add(item.IsAnswer ? new TextDelta(item.Part, text) : new ToolCallDelta(item.Part, text));
    }

    public void Annotate(int index, int contentIndex, ReadOnlySpan<byte> annotation)
    {
        Item item = Find(index) ?? Add(index, ItemKind.Message);
        if (item.Kind == ItemKind.Message && !annotation.IsEmpty)
        {
            Content content = ContentOf(item, contentIndex, isRefusal: false);
            using JsonDocument document = JsonDocument.Parse(annotation.ToArray());
            Cite(item, content, document.RootElement);
        }
    }

    /// <summary>The item is complete: what was not told in pieces is told now.</summary>
    public void End(in OpenAIResponsesItemHead head, ReadOnlySpan<byte> json, int index)
    {
        Begin(head, index);
        Item item = Find(index)!;
        if (item.HasEnded)
        {
            return;
        }

        item.HasEnded = true;
        using JsonDocument document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = OpenAIResponsesFrame.ReaderOptions.MaxDepth });
        JsonElement whole = document.RootElement;
        switch (item.Kind)
        {
            case ItemKind.Message:
                EndMessage(item, whole);
                break;
            case ItemKind.Reasoning:
                EndReasoning(item, whole);
                break;
            case ItemKind.Call:
                if (!item.HasText)
                {
                    Argue(index, TextOf(whole, head.IsFreeText ? "input"u8 : "arguments"u8) is { Length: > 0 } arguments ? arguments : head.IsFreeText ? "" : "{}");
                }

                events.Add(new PartEnded(item.Part));
                OpenAIResponsesAnswerLosses.Note(whole, item.Pointer, ["id", "type", "status", "call_id", "name", item.IsGrouped ? "namespace" : "name", head.IsFreeText ? "input" : "arguments"], options.Losses);
                break;
        }
    }

    /// <summary>No structured answer came: text that was held for one is the answer.</summary>
    public void ReleaseText()
    {
        foreach ((string _, TextDelta held) in _held)
        {
            events.Add(held);
        }

        _held.Clear();
    }

    private void BeginCall(Item item, in OpenAIResponsesItemHead head)
    {
        Start(item);
        item.IsAnswer = options.UnwrapStructuredOutput && head.Name == StructuredOutput.ToolName;
        if (!item.IsAnswer)
        {
            ReleaseText();
            string called = head.Name ?? "";
            Tool? grouped = head.Group is null ? null : options.ToolIn(head.Group, called);
            item.IsGrouped = grouped is not null;
            string name = grouped?.Name ?? options.ToolName(called, OpenAIResponsesRequestWriter.ToolNameLengthMax);
            events.Add(new ToolCallStarted(item.Part, head.CallId ?? "", name) { IsFreeText = head.IsFreeText, Pointer = item.Pointer });
            return;
        }

        _hasStructured = true;
        foreach ((string pointer, TextDelta _) in _held)
        {
            DropText(pointer);
        }

        _held.Clear();
    }

    private void EndMessage(Item item, JsonElement whole)
    {
        OpenAIResponsesAnswerLosses.Note(whole, item.Pointer, ["id", "type", "status", "role", "content"], options.Losses);
        if (whole.TryGetProperty("content"u8, out JsonElement contents) && contents.ValueKind == JsonValueKind.Array)
        {
            int index = 0;
            foreach (JsonElement part in contents.EnumerateArray())
            {
                EndContent(item, index++, part);
            }
        }

        foreach (Content content in item.Contents)
        {
            // Held text may still follow: its part ends with the answer.
            if (content.IsRefusal || !options.UnwrapStructuredOutput)
            {
                events.Add(new PartEnded(content.Part));
            }
        }
    }

    private void EndContent(Item item, int index, JsonElement part)
    {
        string at = OpenAIResponsesFault.Below($"{item.Pointer}/content", index);
        bool isText = part.ValueKind == JsonValueKind.Object && part.TryGetProperty("text"u8, out _);
        bool isRefusal = part.ValueKind == JsonValueKind.Object && part.TryGetProperty("refusal"u8, out _);
        if (!isText && !isRefusal)
        {
            options.Losses.AddInResponse(at, "This part of a message has no counterpart.");
            return;
        }

        if (!(item.Contents.Find(content => content.Index == index) is { HasText: true }))
        {
            Say(item.Index, index, TextOf(part, isText ? "text"u8 : "refusal"u8) ?? "", isRefusal: !isText);
        }

        OpenAIResponsesAnswerLosses.Note(part, at, ["type", "text", "refusal", "annotations"], options.Losses);
        if (part.TryGetProperty("annotations"u8, out JsonElement annotations) && annotations.ValueKind == JsonValueKind.Array && annotations.GetArrayLength() > 0)
        {
            Content content = ContentOf(item, index, isRefusal: false);
            foreach (JsonElement annotation in annotations.EnumerateArray().Skip(content.Citations))
            {
                Cite(item, content, annotation);
            }
        }
    }

    private void Cite(Item item, Content content, JsonElement annotation)
    {
        string at = OpenAIResponsesFault.Below($"{item.Pointer}/content/{content.Index}/annotations", content.Citations++);
        if (annotation.ValueKind != JsonValueKind.Object || TextOf(annotation, "url"u8) is not { } url)
        {
            options.Losses.AddInResponse(at, "Only citations of web pages can cross protocols.");
            return;
        }

        events.Add(new Cited(content.Part, url, TextOf(annotation, "title"u8), null, OffsetOf(annotation, "start_index"u8), OffsetOf(annotation, "end_index"u8))
        {
            Pointer = at,
            RestPointers = [.. annotation.EnumerateObject().Where(static field => field.Name is not ("type" or "url" or "title")).Select(field => OpenAIResponsesFault.Below(at, field.Name))],
        });
    }

    private static int? OffsetOf(JsonElement element, ReadOnlySpan<byte> name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int offset) ? Math.Max(0, offset) : null;

    private void EndReasoning(Item item, JsonElement whole)
    {
        Start(item);
        foreach ((string name, bool isSummary) in (ReadOnlySpan<(string, bool)>)[("summary", true), ("content", false)])
        {
            bool wasTold = item.HasText && item.Piece is not null && !item.IsToldAtEnd;
            if (!wasTold && whole.TryGetProperty(name, out JsonElement pieces) && pieces.ValueKind == JsonValueKind.Array)
            {
                item.IsToldAtEnd = true;
                int index = 0;
                foreach (JsonElement piece in pieces.EnumerateArray())
                {
                    Think(item.Index, index++, piece.ValueKind == JsonValueKind.Object ? TextOf(piece, "text"u8) ?? "" : "", isSummary);
                }
            }
        }

        if (TextOf(whole, "encrypted_content"u8) is { Length: > 0 } encrypted)
        {
            Sign(item, encrypted);
        }

        OpenAIResponsesAnswerLosses.Note(whole, item.Pointer, ["id", "type", "status", "summary", "content", "encrypted_content"], options.Losses);
        events.Add(new PartEnded(item.Part));
    }

    private void Sign(Item item, string encrypted)
    {
        string issuer = OpenAIResponsesReasoning.IssuerOf(options.Vendor, options.Account);
        string? value = encrypted;
        if (ForeignThinking.TryUnwrap(encrypted, out string marked, out string? inner))
        {
            issuer = marked;
            value = inner;
        }

        if (value is null)
        {
            return; // A mark without a signature tells only whose the reasoning was.
        }

        // Bare and without a text it is sealed; a mark says itself whether it is.
        bool isSealed = OpenAIResponsesReasoning.IsSealed(value) || (value == encrypted && !item.HasText);
        events.Add(isSealed
            ? new ThinkingRedacted(item.Part, OpenAIResponsesReasoning.Unsealed(value), issuer)
            : new ThinkingSigned(item.Part, value, issuer));
    }

    private void AddText(string pointer, TextDelta text)
    {
        if (!options.UnwrapStructuredOutput)
        {
            events.Add(text);
        }
        else if (_hasStructured)
        {
            DropText(pointer);
        }
        else
        {
            _held.Add((pointer, text));
        }
    }

    private void DropText(string pointer) => options.Losses.AddInResponse(pointer, "Text beside a structured answer would break its JSON.");

    private Content ContentOf(Item item, int index, bool isRefusal)
    {
        Content? known = item.Contents.Find(content => content.Index == index);
        if (known is null)
        {
            known = new Content { Index = index, Part = _parts++, IsRefusal = isRefusal };
            item.Contents.Add(known);
        }

        return known;
    }

    private void Start(Item item) => item.Part = item.Part >= 0 ? item.Part : _parts++;

    private Item? Find(int index)
    {
        for (int i = _items.Count - 1; i >= 0; i--)
        {
            if (_items[i].Index == index)
            {
                return _items[i];
            }
        }

        return null;
    }

    private Item Add(int index, ItemKind kind)
    {
        if (_items.Count == CountMax)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, $"The upstream's answer has more than {CountMax} items."));
        }

        Item item = new() { Index = index, Kind = kind, Pointer = OpenAIResponsesFault.Below("/output", index) };
        _items.Add(item);
        return item;
    }

    private static string? TextOf(JsonElement element, ReadOnlySpan<byte> name)
    {
        if (!element.TryGetProperty(name, out JsonElement value) || value.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        Utf8JsonReader reader = new(JsonMarshal.GetRawUtf8Value(value));
        reader.Read();
        return JsonText.Read(ref reader);
    }

    /// <summary>An output item while it is told.</summary>
    private sealed class Item
    {
        public required int Index { get; init; }
        public required ItemKind Kind { get; init; }
        public required string Pointer { get; init; }

        /// <summary>Number of the part, or -1 until there is one; a message has one for each piece of its content.</summary>
        public int Part { get; set; } = -1;
        public List<Content> Contents { get; } = [];
        public bool HasText { get; set; }
        public bool HasEnded { get; set; }
        public bool IsAnswer { get; set; }

        /// <summary>A call of a tool that was declared in a group.</summary>
        public bool IsGrouped { get; set; }
        public bool IsToldAtEnd { get; set; }
        public (bool IsSummary, int Index)? Piece { get; set; }
    }

    /// <summary>A piece of a message's content.</summary>
    private sealed class Content
    {
        public required int Index { get; init; }
        public required int Part { get; init; }
        public required bool IsRefusal { get; init; }
        public bool HasText { get; set; }
        public int Citations { get; set; }
    }
}
