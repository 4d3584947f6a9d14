using System.Text;
using System.Text.Json;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>Reads content blocks of a whole answer.</summary>
internal sealed class BedrockConverseBlocks(BedrockConverseEvents events, ReaderOptions options)
{
    private bool IsWatching => options.Depth == ReadDepth.UsageOnly;

    /// <summary>Reads one block; gives the bytes of content in it.</summary>
    public long Read(int index, ReadOnlySpan<byte> block)
    {
        Utf8JsonReader json = new(block, JsonFields.ReaderOptions);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject || !json.Read() || json.TokenType != JsonTokenType.PropertyName)
        {
            return 0;
        }

        if (json.ValueTextEquals("text"u8))
        {
            json.Read();
            return ReadText(index, ref json);
        }

        if (json.ValueTextEquals("reasoningContent"u8))
        {
            json.Read();
            return ReadReasoning(index, ref json);
        }

        if (json.ValueTextEquals("toolUse"u8))
        {
            json.Read();
            return ReadToolUse(index, ref json, block);
        }

        if (json.ValueTextEquals("citationsContent"u8))
        {
            json.Read();
            return ReadCited(index, ref json, block);
        }

        if (!IsWatching)
        {
            events.Lose(index, JsonText.Read(ref json));
        }

        return 0;
    }

    private long ReadText(int index, ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.String)
        {
            return 0;
        }

        if (!IsWatching)
        {
            OpenBlock open = events.Begin(index, BlockKind.Text);
            events.Text(open, JsonText.Read(ref json));
            events.End(ref open);
        }

        return json.ValueSpan.Length;
    }

    private long ReadReasoning(int index, ref Utf8JsonReader json)
    {
        string? text = null;
        string? signature = null;
        string? blob = null;
        long length = 0;
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return 0;
        }

        // One object in another: the depth does not matter, the names do.
        while (json.Read())
        {
            if (json.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            int field = json.ValueTextEquals("text"u8) ? 1 : json.ValueTextEquals("signature"u8) ? 2 : json.ValueTextEquals("redactedContent"u8) ? 3 : 0;
            json.Read();
            if (field == 0 || json.TokenType != JsonTokenType.String)
            {
                continue;
            }

            length += field == 1 ? json.ValueSpan.Length : 0;
            if (!IsWatching)
            {
                string value = JsonText.Read(ref json);
                text = field == 1 ? value : text;
                signature = field == 2 ? value : signature;
                blob = field == 3 ? value : blob;
            }
        }

        if (!IsWatching)
        {
            OpenBlock open = events.Begin(index, blob is null ? BlockKind.Thinking : BlockKind.RedactedThinking);
            events.Thinking(open, text ?? "");
            events.Signature(open, signature ?? "");
            if (blob is not null)
            {
                events.Redacted(open, blob);
            }

            events.End(ref open);
        }

        return length;
    }

    private long ReadToolUse(int index, ref Utf8JsonReader json, ReadOnlySpan<byte> block)
    {
        BedrockConverseToolUse call = BedrockConverseToolUse.Read(ref json, block, withStrings: !IsWatching || options.UnwrapStructuredOutput);
        if (call.IsServerTool)
        {
            if (!IsWatching)
            {
                events.Lose(index, "server_tool_use");
            }

            return 0;
        }

        string input = Encoding.UTF8.GetString(block.Slice(call.Input.Start, call.Input.Length));
        if (IsWatching)
        {
            events.Watch(call.Name);
            return call.Input.Length;
        }

        OpenBlock open = events.BeginToolCall(index, call.Id ?? "", call.Name ?? "");
        events.Arguments(ref open, input);
        events.End(ref open);
        return call.Input.Length;
    }

    private long ReadCited(int index, ref Utf8JsonReader json, ReadOnlySpan<byte> block)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return 0;
        }

        JsonSpan content = default;
        JsonSpan citations = default;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isContent = json.ValueTextEquals("content"u8);
            bool isCitations = json.ValueTextEquals("citations"u8);
            json.Read();
            int start = (int)json.TokenStartIndex;
            bool isArray = json.TokenType == JsonTokenType.StartArray;
            json.Skip();
            JsonSpan span = isArray ? new JsonSpan(start, (int)json.BytesConsumed - start) : default;
            content = isContent ? span : content;
            citations = isCitations ? span : citations;
        }

        OpenBlock open = IsWatching ? default : events.Begin(index, BlockKind.Text);
        long length = ReadCitedTexts(open, block.Slice(content.Start, content.Length));
        if (!IsWatching)
        {
            ReadCitations(ref open, block.Slice(citations.Start, citations.Length));
            events.End(ref open);
        }

        return length;
    }

    private long ReadCitedTexts(in OpenBlock open, ReadOnlySpan<byte> content)
    {
        long length = 0;
        Utf8JsonReader json = new(content, JsonFields.ReaderOptions);
        while (!content.IsEmpty && json.Read())
        {
            if (json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("text"u8) && json.Read() && json.TokenType == JsonTokenType.String)
            {
                length += json.ValueSpan.Length;
                if (!IsWatching)
                {
                    events.Text(open, JsonText.Read(ref json));
                }
            }
        }

        return length;
    }

    private void ReadCitations(ref OpenBlock open, ReadOnlySpan<byte> citations)
    {
        Utf8JsonReader json = new(citations, JsonFields.ReaderOptions);
        while (!citations.IsEmpty && json.Read())
        {
            if (json.TokenType == JsonTokenType.StartObject)
            {
                int start = (int)json.TokenStartIndex;
                json.Skip();
                events.Cite(ref open, citations[start..(int)json.BytesConsumed]);
            }
        }
    }
}

/// <summary>A tool call as it stands in a whole body or in <c>contentBlockStart</c>.</summary>
internal struct BedrockConverseToolUse
{
    public string? Id;
    public string? Name;

    /// <summary>Where its input lies; absent in a stream, or where it is empty.</summary>
    public JsonSpan Input;

    /// <summary>The platform runs it itself.</summary>
    public bool IsServerTool;

    public static BedrockConverseToolUse Read(ref Utf8JsonReader json, ReadOnlySpan<byte> source, bool withStrings)
    {
        BedrockConverseToolUse call = default;
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return call;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            int field = json.ValueTextEquals("toolUseId"u8) ? 1
                : json.ValueTextEquals("name"u8) ? 2
                : json.ValueTextEquals("type"u8) ? 3
                : json.ValueTextEquals("input"u8) ? 4
                : 0;
            json.Read();
            if (field == 4)
            {
                int start = (int)json.TokenStartIndex;
                bool isObject = json.TokenType == JsonTokenType.StartObject;
                json.Skip();
                int length = (int)json.BytesConsumed - start;
                bool isEmpty = isObject && source.Slice(start + 1, length - 2).IndexOfAnyExcept(" \t\r\n"u8) < 0;
                call.Input = isEmpty ? default : new JsonSpan(start, length);
                continue;
            }

            call.IsServerTool |= field == 3 && json.TokenType == JsonTokenType.String && !json.ValueTextEquals("tool_use"u8);
            if (withStrings && field is 1 or 2 && json.TokenType == JsonTokenType.String)
            {
                string value = JsonText.Read(ref json);
                call.Id = field == 1 ? value : call.Id;
                call.Name = field == 2 ? value : call.Name;
            }

            json.Skip();
        }

        return call;
    }
}
