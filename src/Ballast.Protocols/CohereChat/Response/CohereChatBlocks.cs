using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.CohereChat;

/// <summary>A content block or a tool call of an answer while it is put together.</summary>
internal sealed class CohereChatBlock
{
    private readonly List<int> _seconds = [];

    public required int Part { get; init; }

    /// <summary>Its place among the content blocks, or among the calls.</summary>
    public required int Index { get; init; }
    public bool IsThinking { get; init; }
    public string? CallId { get; init; }
    public string? CallName { get; init; }

    /// <summary>Text, reasoning or arguments so far.</summary>
    public StringBuilder Text { get; } = new();

    /// <summary>Whose signature this reasoning bears (<see cref="ForeignThinking"/>), or null.</summary>
    public string? Mark { get; set; }

    /// <summary>Reasoning that its issuer has encrypted, marked; or null.</summary>
    public string? Data { get; init; }
    public List<Cited> Citations { get; } = [];
    public bool IsEnded { get; set; }

    public void Append(string text)
    {
        for (int i = text.AsSpan().IndexOfAnyInRange('\uDC00', '\uDFFF'); i >= 0 && i < text.Length; i++)
        {
            if (char.IsLowSurrogate(text[i]))
            {
                _seconds.Add(Text.Length + i);
            }
        }

        Text.Append(text);
    }

    /// <summary>How many letters stand before a code unit: a letter of two counts once.</summary>
    public int LetterAt(int unit)
    {
        int before = _seconds.BinarySearch(unit);
        return unit - (before < 0 ? ~before : before);
    }
}

/// <summary>Puts the blocks of an answer together, for whole answers and streams alike.</summary>
internal sealed class CohereChatBlocks(string vendor)
{
    /// <summary>Most of a cited text that is repeated in the citation: one that cites a whole part would repeat all of it.</summary>
    private const int CitedLengthMax = 512;

    public List<CohereChatBlock> Content { get; } = [];

    public List<CohereChatBlock> Calls { get; } = [];

    public bool HasCalls => Calls.Count > 0;

    /// <summary>The block that the event belongs to; null where it is none of content, or of a call that never began.</summary>
    public CohereChatBlock? Take(ChatEvent chatEvent)
    {
        switch (chatEvent)
        {
            case TextDelta text:
                return Append(text.Part, isThinking: false, text.Text);
            case RefusalDelta refusal:
                return Append(refusal.Part, isThinking: false, refusal.Text);
            case ThinkingDelta thinking:
                return Append(thinking.Part, isThinking: true, thinking.Text);
            case ThinkingSigned signed:
                CohereChatBlock block = Append(signed.Part, isThinking: true, "");
                block.Mark = ForeignThinking.Wrap(signed.Issuer, signed.Signature);
                return block;
            case ThinkingRedacted redacted:
                CohereChatBlock sealedBlock = new()
                {
                    Part = redacted.Part, Index = Content.Count, IsThinking = true, Data = ForeignThinking.Wrap(redacted.Issuer, redacted.Data),
                };
                Content.Add(sealedBlock);
                return sealedBlock;
            case Cited cited:
                CohereChatBlock text2 = Append(cited.Part, isThinking: false, "");
                text2.Citations.Add(cited);
                return text2;
            case ToolCallStarted call:
                Calls.Add(new CohereChatBlock { Part = call.Part, Index = Calls.Count, CallId = call.Id, CallName = call.Name });
                return Calls[^1];
            case ToolCallDelta delta:
                CohereChatBlock? known = FindCall(delta.Part);
                known?.Append(delta.Arguments);
                return known;
            default:
                return null;
        }
    }

    /// <summary>The call of this part. Parts are numbered in order: a part that came after the last call is looked for no further.</summary>
    public CohereChatBlock? FindCall(int part)
    {
        int at = Calls.Count - 1;
        while (at >= 0 && Calls[at].Part > part)
        {
            at--;
        }

        return at >= 0 && Calls[at].Part == part ? Calls[at] : null;
    }

    private CohereChatBlock Append(int part, bool isThinking, string text)
    {
        // Only the last one can go on: all but calls end before the next begins.
        if (Content is not [.., { IsEnded: false, Data: null } last] || last.Part != part || last.IsThinking != isThinking)
        {
            last = new CohereChatBlock { Part = part, Index = Content.Count, IsThinking = isThinking };
            Content.Add(last);
        }

        last.Append(text);
        return last;
    }

    /// <summary>Writes whose reasoning a block is: one that nobody signed is marked with its maker alone.</summary>
    public void WriteMark(Utf8JsonWriter json, CohereChatBlock block)
    {
        if (block.Data is not null)
        {
            json.WriteString("data"u8, block.Data);
        }
        else if (MarkOf(block) is { } mark)
        {
            json.WriteString("signature"u8, mark);
        }
    }

    public string? MarkOf(CohereChatBlock block) =>
        !block.IsThinking || block.Data is not null ? null : block.Mark ?? (vendor.Length > 0 && block.Text.Length > 0 ? ForeignThinking.Wrap(vendor, null) : null);

    public static void WriteCitation(Utf8JsonWriter json, Cited cited, CohereChatBlock block)
    {
        int start = Math.Clamp(cited.Start ?? 0, 0, block.Text.Length);
        int end = Math.Clamp(cited.End ?? block.Text.Length, start, block.Text.Length);
        string text = block.Text.ToString(start, Math.Min(end - start, CitedLengthMax));
        json.WriteStartObject();
        json.WriteNumber("start"u8, block.LetterAt(start));
        json.WriteNumber("end"u8, block.LetterAt(end));
        json.WriteString("text"u8, text);
        json.WriteStartArray("sources"u8);
        json.WriteStartObject();
        json.WriteString("type"u8, "document"u8);
        string id = cited.Url ?? cited.Title ?? "source";
        json.WriteString("id"u8, id);
        json.WriteStartObject("document"u8);
        json.WriteString("id"u8, id);
        WriteSome(json, "title"u8, cited.Title);
        WriteSome(json, "url"u8, cited.Url);
        WriteSome(json, "snippet"u8, cited.QuotedText);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteString("type"u8, "TEXT_CONTENT"u8);
        json.WriteNumber("content_index"u8, block.Index);
        json.WriteEndObject();
    }

    private static void WriteSome(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }
}
