using System.Text;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>A content block of an answer as it stands in a whole body or in <c>content_block_start</c>.</summary>
internal struct AnthropicMessagesBlock
{
    public BlockKind Kind;

    /// <summary>Characters of text, reasoning or arguments in it.</summary>
    public long Length;

    /// <summary>The strings, taken out only where events are wanted.</summary>
    public string? Type;
    public string? Text;
    public string? Signature;
    public string? Id;
    public string? Name;

    /// <summary>The arguments' JSON as written; null where there is none or it is empty.</summary>
    public string? Input;
    public JsonSpan Citations;

    /// <summary>Reads the block that <paramref name="data"/> is.</summary>
    public static AnthropicMessagesBlock Read(ReadOnlySpan<byte> data, bool withStrings)
    {
        JsonScan json = new(data, JsonFields.DepthMax);
        return Read(ref json, withStrings);
    }

    /// <summary>Reads the block at hand.</summary>
    public static AnthropicMessagesBlock Read(ref JsonScan json, bool withStrings)
    {
        AnthropicMessagesBlock block = default;
        if (json.First() != (byte)'{')
        {
            json.Skip();
            return block;
        }

        json.EnterObject();
        while (json.NextField())
        {
            block.ReadField(ref json, withStrings);
        }

        return block;
    }

    private void ReadField(ref JsonScan json, bool withStrings)
    {
        if (json.Is("type"u8))
        {
            ReadType(ref json, withStrings);
        }
        else if (json.Is("text"u8) || json.Is("thinking"u8))
        {
            int start = json.Start();
            bool isText = json.First() == (byte)'"';
            Text = TextOf(ref json, withStrings) ?? Text;
            Length += isText ? json.Since(start).Length - 2 : 0;
        }
        else if (json.Is("data"u8))
        {
            Text = TextOf(ref json, withStrings) ?? Text;
        }
        else if (json.Is("input"u8))
        {
            bool isObject = json.First() == (byte)'{';
            ReadOnlySpan<byte> input = json.Bytes(json.Take());
            bool isEmpty = !isObject || input[1..^1].IndexOfAnyExcept(" \t\r\n"u8) < 0;
            Length += isEmpty ? 0 : Encoding.UTF8.GetCharCount(input);
            Input = withStrings && !isEmpty ? Encoding.UTF8.GetString(input) : null;
        }
        else if (json.Is("citations"u8))
        {
            bool isArray = json.First() == (byte)'[';
            JsonSpan citations = json.Take();
            Citations = isArray ? citations : default;
        }
        else if (json.Is("id"u8))
        {
            Id = TextOf(ref json, withStrings);
        }
        else if (json.Is("name"u8))
        {
            Name = TextOf(ref json, withStrings);
        }
        else if (json.Is("signature"u8))
        {
            Signature = TextOf(ref json, withStrings);
        }
        else
        {
            json.Skip();
        }
    }

    private void ReadType(ref JsonScan json, bool withStrings)
    {
        Kind = BlockKind.Opaque;
        Type = null;
        if (json.First() != (byte)'"')
        {
            json.Skip();
            return;
        }

        ReadOnlySpan<byte> type = json.Word();
        Kind = type.SequenceEqual("text"u8) ? BlockKind.Text
            : type.SequenceEqual("tool_use"u8) ? BlockKind.ToolCall
            : type.SequenceEqual("thinking"u8) ? BlockKind.Thinking
            : type.SequenceEqual("redacted_thinking"u8) ? BlockKind.RedactedThinking
            : BlockKind.Opaque;
        Type = withStrings && Kind == BlockKind.Opaque ? Encoding.UTF8.GetString(type) : null;
    }

    private static string? TextOf(ref JsonScan json, bool withStrings)
    {
        if (withStrings && json.First() == (byte)'"')
        {
            return JsonText.Lenient(ref json);
        }

        json.Skip();
        return null;
    }
}
