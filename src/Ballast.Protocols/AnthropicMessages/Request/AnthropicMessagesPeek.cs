using System.Text.Json;
using System.Text.Unicode;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>Checks a whole request for form and finds what routing needs; copies nothing but the model's name.</summary>
internal static class AnthropicMessagesPeek
{
    /// <summary>Most fields at the top of a request.</summary>
    public const int TopLevelFieldsMax = 128;

    /// <summary>Longest name of a field at the top of a request, in bytes.</summary>
    public const int FieldNameBytesMax = 256;

    public static RequestEnvelope Read(ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            throw ProtocolException.Invalid("The body is not valid UTF-8.");
        }

        Utf8JsonReader json = new(body.Span, AnthropicMessagesJson.ReaderOptions);
        try
        {
            return Read(ref json, body);
        }
        catch (JsonException)
        {
            throw ProtocolException.Invalid(
                json.CurrentDepth >= AnthropicMessagesJson.DepthMax - 1
                    ? $"The body is nested deeper than {AnthropicMessagesJson.DepthMax} levels."
                    : "The body is not valid JSON.");
        }
        catch (InvalidOperationException)
        {
            throw ProtocolException.Invalid("A string of the body is not valid Unicode text.");
        }
    }

    /// <summary>Where the value of a top-level field lies; absent where there is none, or no object.</summary>
    /// <exception cref="JsonException">The body is not JSON.</exception>
    public static JsonSpan FindField(ReadOnlyMemory<byte> body, ReadOnlySpan<byte> name)
    {
        Utf8JsonReader json = new(body.Span, AnthropicMessagesJson.ReaderOptions);
        json.Read();
        while (json.TokenType != JsonTokenType.None && json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool found = json.ValueTextEquals(name);
            json.Read();
            int start = (int)json.TokenStartIndex;
            json.Skip();
            if (found)
            {
                return new JsonSpan(start, (int)json.BytesConsumed - start);
            }
        }

        return default;
    }

    private static RequestEnvelope Read(ref Utf8JsonReader json, ReadOnlyMemory<byte> body)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw ProtocolException.Invalid("The body must be a JSON object.");
        }

        Fields fields = default;
        Span<ulong> seen = stackalloc ulong[TopLevelFieldsMax];
        int count = 0;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            AddName(ref json, seen, ref count);
            ReadField(ref json, ref fields);
        }

        // A second document behind the first is refused here.
        json.Read();
        if (fields.Model is not { Length: > 0 } model)
        {
            throw ProtocolException.Invalid(fields.Model is null ? "model: is required." : "model: must not be empty.", "model");
        }

        if (fields.MessagesStart == 0)
        {
            throw ProtocolException.Invalid("messages: is required.", "messages");
        }

        return new RequestEnvelope
        {
            Body = body,
            Model = model,
            ModelValue = fields.ModelValue,
            Stream = fields.Stream,
            StreamUsage = fields.Stream,
            MaxOutputTokens = fields.MaxTokens,
            AsksJsonSchema = fields.AsksJsonSchema,
            HasForeignThinking = ForeignThinking.IsIn(body.Span) || (fields.IsThinkingEnabled && LacksThinking(body.Span[fields.MessagesStart..])),
        };
    }

    // Names are told apart by a hash of 64 bits: two equal names always collide, two different ones only by intent, and are then refused as well.
    private static void AddName(ref Utf8JsonReader json, scoped Span<ulong> seen, ref int count)
    {
        if (json.ValueSpan.Length > FieldNameBytesMax || count == seen.Length)
        {
            throw ProtocolException.Invalid(
                $"The body may have at most {TopLevelFieldsMax} fields with names of at most {FieldNameBytesMax} bytes.");
        }

        Span<byte> copy = stackalloc byte[FieldNameBytesMax];
        ReadOnlySpan<byte> name = json.ValueIsEscaped ? copy[..json.CopyString(copy)] : json.ValueSpan;
        ulong hash = 14695981039346656037;
        foreach (byte letter in name)
        {
            hash = unchecked((hash ^ letter) * 1099511628211);
        }

        if (seen[..count].Contains(hash))
        {
            throw ProtocolException.Invalid("A field of the body is given twice.", json.GetString());
        }

        seen[count++] = hash;
    }

    private static void ReadField(ref Utf8JsonReader json, ref Fields fields)
    {
        if (json.ValueTextEquals("model"u8))
        {
            json.Read();
            int start = (int)json.TokenStartIndex;
            fields.Model = json.TokenType == JsonTokenType.String ? json.GetString()! : throw ProtocolException.Invalid("model: must be a string.", "model");
            fields.ModelValue = new JsonSpan(start, (int)json.BytesConsumed - start);
        }
        else if (json.ValueTextEquals("messages"u8))
        {
            json.Read();
            fields.MessagesStart = json.TokenType == JsonTokenType.StartArray
                ? (int)json.TokenStartIndex
                : throw ProtocolException.Invalid("messages: must be an array.", "messages");
            json.Skip();
        }
        else if (json.ValueTextEquals("stream"u8))
        {
            json.Read();
            fields.Stream = json.TokenType switch
            {
                JsonTokenType.True => true,
                JsonTokenType.False or JsonTokenType.Null => false,
                _ => throw ProtocolException.Invalid("stream: must be true or false.", "stream"),
            };
        }
        else if (json.ValueTextEquals("max_tokens"u8))
        {
            json.Read();
            fields.MaxTokens = json.TokenType switch
            {
                JsonTokenType.Null => null,
                JsonTokenType.Number when json.TryGetInt64(out long value) => value,
                _ => throw ProtocolException.Invalid("max_tokens: must be an integer.", "max_tokens"),
            };
        }
        else if (json.ValueTextEquals("thinking"u8))
        {
            json.Read();
            fields.IsThinkingEnabled = HasType(json, "enabled"u8);
            json.Skip();
        }
        else if (json.ValueTextEquals("output_format"u8))
        {
            json.Read();
            fields.AsksJsonSchema |= HasType(json, "json_schema"u8);
            json.Skip();
        }
        else if (json.ValueTextEquals("output_config"u8))
        {
            json.Read();
            fields.AsksJsonSchema |= HasSchema(json);
            json.Skip();
        }
        else
        {
            json.Read();
            json.Skip();
        }
    }

    private static bool HasSchema(Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isFormat = json.ValueTextEquals("format"u8);
            json.Read();
            if (isFormat)
            {
                return HasType(json, "json_schema"u8);
            }

            json.Skip();
        }

        return false;
    }

    private static bool HasType(Utf8JsonReader json, ReadOnlySpan<byte> wanted)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isType = json.ValueTextEquals("type"u8);
            json.Read();
            if (isType)
            {
                return json.TokenType == JsonTokenType.String && json.ValueTextEquals(wanted);
            }

            json.Skip();
        }

        return false;
    }

    /// <summary>
    /// True where the conversation stands in a tool loop whose first answer does not begin with reasoning: Anthropic refuses that while thinking is on, and it comes
    /// about when another vendor, which shows none, gave that answer.
    /// </summary>
    private static bool LacksThinking(ReadOnlySpan<byte> messages)
    {
        Utf8JsonReader json = new(messages, AnthropicMessagesJson.ReaderOptions);
        json.Read();
        bool isOpen = false;
        bool lacks = false;
        bool inLoop = false;
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            TurnForm turn = ReadTurn(ref json);
            if (turn.IsSystem)
            {
                continue;
            }

            if (turn.IsAssistant)
            {
                if (!inLoop)
                {
                    inLoop = true;
                    lacks = turn.HasToolCall && !turn.BeginsWithThinking;
                }

                isOpen = false;
            }
            else
            {
                isOpen = inLoop && turn.HasToolResult;
                inLoop &= turn.HasToolResult;
            }
        }

        return isOpen && lacks;
    }

    private static TurnForm ReadTurn(ref Utf8JsonReader json)
    {
        TurnForm turn = default;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isRole = json.ValueTextEquals("role"u8);
            bool isContent = json.ValueTextEquals("content"u8);
            json.Read();
            if (isRole)
            {
                turn.IsAssistant = json.TokenType == JsonTokenType.String && json.ValueTextEquals("assistant"u8);
                turn.IsSystem = json.TokenType == JsonTokenType.String && json.ValueTextEquals("system"u8);
            }
            else if (isContent && json.TokenType == JsonTokenType.StartArray)
            {
                ReadBlocks(ref json, ref turn);
                continue;
            }

            json.Skip();
        }

        return turn;
    }

    private static void ReadBlocks(ref Utf8JsonReader json, ref TurnForm turn)
    {
        bool isFirst = true;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType == JsonTokenType.StartObject)
            {
                Utf8JsonReader block = json;
                while (block.Read() && block.TokenType == JsonTokenType.PropertyName)
                {
                    bool isType = block.ValueTextEquals("type"u8);
                    block.Read();
                    if (isType && block.TokenType == JsonTokenType.String)
                    {
                        turn.HasToolCall |= block.ValueTextEquals("tool_use"u8);
                        turn.HasToolResult |= block.ValueTextEquals("tool_result"u8);
                        turn.BeginsWithThinking |= isFirst && (block.ValueTextEquals("thinking"u8) || block.ValueTextEquals("redacted_thinking"u8));
                        break;
                    }

                    block.Skip();
                }
            }

            json.Skip();
            isFirst = false;
        }
    }

    private struct Fields
    {
        public string? Model;
        public JsonSpan ModelValue;
        public int MessagesStart;
        public bool Stream;
        public long? MaxTokens;
        public bool IsThinkingEnabled;
        public bool AsksJsonSchema;
    }

    private struct TurnForm
    {
        public bool IsAssistant;
        public bool IsSystem;
        public bool HasToolCall;
        public bool HasToolResult;
        public bool BeginsWithThinking;
    }
}
