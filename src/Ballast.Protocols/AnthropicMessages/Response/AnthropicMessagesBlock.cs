using System.Text;
using System.Text.Json;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>What a content block of an answer holds.</summary>
internal enum BlockKind
{
    /// <summary>Server tools, their results, whatever comes: nothing the neutral form knows.</summary>
    Opaque,
    Text,
    Thinking,
    RedactedThinking,
    ToolCall,
}

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

    public static AnthropicMessagesBlock Read(ReadOnlySpan<byte> data, bool withStrings)
    {
        AnthropicMessagesBlock block = default;
        Utf8JsonReader json = new(data, AnthropicMessagesJson.ReaderOptions);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return block;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            block.ReadField(ref json, data, withStrings);
        }

        return block;
    }

    private void ReadField(ref Utf8JsonReader json, ReadOnlySpan<byte> data, bool withStrings)
    {
        if (json.ValueTextEquals("type"u8))
        {
            json.Read();
            Kind = KindOf(ref json);
            Type = withStrings && Kind == BlockKind.Opaque && json.TokenType == JsonTokenType.String ? AnthropicMessagesJson.LenientText(ref json) : null;
        }
        else if (json.ValueTextEquals("text"u8) || json.ValueTextEquals("thinking"u8) || json.ValueTextEquals("data"u8))
        {
            bool isContent = !json.ValueTextEquals("data"u8);
            json.Read();
            Text = TextOf(ref json, withStrings) ?? Text;
            Length += isContent && json.TokenType == JsonTokenType.String ? AnthropicMessagesJson.TextLength(ref json) : 0;
        }
        else if (json.ValueTextEquals("input"u8))
        {
            json.Read();
            int start = (int)json.TokenStartIndex;
            bool isObject = json.TokenType == JsonTokenType.StartObject;
            json.Skip();
            ReadOnlySpan<byte> input = data[start..(int)json.BytesConsumed];
            bool isEmpty = !isObject || input[1..^1].IndexOfAnyExcept(" \t\r\n"u8) < 0;
            Length += isEmpty ? 0 : Encoding.UTF8.GetCharCount(input);
            Input = withStrings && !isEmpty ? Encoding.UTF8.GetString(input) : null;
        }
        else if (json.ValueTextEquals("citations"u8))
        {
            json.Read();
            int start = (int)json.TokenStartIndex;
            bool isArray = json.TokenType == JsonTokenType.StartArray;
            json.Skip();
            Citations = isArray ? new JsonSpan(start, (int)json.BytesConsumed - start) : default;
        }
        else
        {
            int field = json.ValueTextEquals("id"u8) ? 1 : json.ValueTextEquals("name"u8) ? 2 : json.ValueTextEquals("signature"u8) ? 3 : 0;
            json.Read();
            string? value = field == 0 ? null : TextOf(ref json, withStrings);
            Id = field == 1 ? value : Id;
            Name = field == 2 ? value : Name;
            Signature = field == 3 ? value : Signature;
        }

        json.Skip();
    }

    private static string? TextOf(ref Utf8JsonReader json, bool withStrings) =>
        withStrings && json.TokenType == JsonTokenType.String ? AnthropicMessagesJson.LenientText(ref json) : null;

    private static BlockKind KindOf(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.String)
        {
            return BlockKind.Opaque;
        }

        return json.ValueTextEquals("text"u8) ? BlockKind.Text
            : json.ValueTextEquals("tool_use"u8) ? BlockKind.ToolCall
            : json.ValueTextEquals("thinking"u8) ? BlockKind.Thinking
            : json.ValueTextEquals("redacted_thinking"u8) ? BlockKind.RedactedThinking
            : BlockKind.Opaque;
    }
}
