using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>Checks a whole request for form and finds what routing needs; model and streaming are in the address.</summary>
internal static class BedrockConversePeek
{
    /// <summary>Most fields at the top of a request.</summary>
    public const int TopLevelFieldsMax = 128;

    public static RequestEnvelope Read(ReadOnlyMemory<byte> body, RequestAddress address)
    {
        if (string.IsNullOrEmpty(address.Model))
        {
            throw ProtocolException.Invalid("modelId: is required in the path.", "modelId");
        }

        if (!Utf8.IsValid(body.Span))
        {
            throw ProtocolException.Invalid("The body is not valid UTF-8.");
        }

        Utf8JsonReader json = new(body.Span, JsonFields.ReaderOptions);
        try
        {
            return Read(ref json, body, address);
        }
        catch (JsonException)
        {
            throw ProtocolException.Invalid(
                json.CurrentDepth >= JsonFields.DepthMax - 1
                    ? $"The body is nested deeper than {JsonFields.DepthMax} levels."
                    : "The body is not valid JSON.");
        }
        catch (InvalidOperationException)
        {
            throw ProtocolException.Invalid("A string of the body is not valid Unicode text.");
        }
    }

    private static RequestEnvelope Read(ref Utf8JsonReader json, ReadOnlyMemory<byte> body, RequestAddress address)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw ProtocolException.Invalid("The body must be a JSON object.");
        }

        Fields fields = default;
        HashSet<string> names = new(StringComparer.Ordinal);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            if (!names.Add(name))
            {
                throw ProtocolException.Invalid("A field of the body is given twice.", name);
            }

            if (names.Count > TopLevelFieldsMax)
            {
                throw ProtocolException.Invalid($"The body may have at most {TopLevelFieldsMax} fields.");
            }

            json.Read();
            ReadField(name, json, ref fields);
            json.Skip();
        }

        // A second document behind the first is refused here.
        json.Read();
        if (fields.MessagesStart == 0)
        {
            throw ProtocolException.Invalid("messages: is required.", "messages");
        }

        bool isStream = address.Stream == StreamForm.Events;
        return new RequestEnvelope
        {
            Body = body,
            Address = address,
            Model = address.Model!,
            Stream = isStream,
            StreamUsage = isStream,
            MaxOutputTokens = fields.MaxTokens,
            AsksJsonSchema = fields.AsksJsonSchema,
            HasForeignThinking = BedrockConverseThinking.IsForeignIn(body.Span) || (fields.IsThinkingEnabled && LacksThinking(body.Span[fields.MessagesStart..])),
        };
    }

    private static void ReadField(string name, Utf8JsonReader json, ref Fields fields)
    {
        switch (name)
        {
            case "messages":
                fields.MessagesStart = json.TokenType == JsonTokenType.StartArray
                    ? (int)json.TokenStartIndex
                    : throw ProtocolException.Invalid("messages: must be an array.", "messages");
                break;
            case "inferenceConfig" when TryGo(ref json, "maxTokens"u8) && json.TokenType != JsonTokenType.Null:
                fields.MaxTokens = json.TokenType == JsonTokenType.Number && json.TryGetInt64(out long value)
                    ? value
                    : throw ProtocolException.Invalid("inferenceConfig.maxTokens: must be an integer.", "inferenceConfig.maxTokens");
                break;
            case "outputConfig":
                fields.AsksJsonSchema = TryGo(ref json, "textFormat"u8) && TryGo(ref json, "type"u8) && Is(json, "json_schema"u8);
                break;
            case "additionalModelRequestFields":
                Utf8JsonReader again = json;
                fields.IsThinkingEnabled = (TryGo(ref json, "thinking"u8) && TryGo(ref json, "type"u8) && Is(json, "enabled"u8))
                    || (TryGo(ref again, "reasoning_config"u8) && TryGo(ref again, "type"u8) && Is(again, "enabled"u8));
                break;
        }
    }

    private static bool Is(in Utf8JsonReader json, ReadOnlySpan<byte> word) => json.TokenType == JsonTokenType.String && json.ValueTextEquals(word);

    /// <summary>Goes to the value of a field of the object here; false where there is none.</summary>
    private static bool TryGo(ref Utf8JsonReader json, ReadOnlySpan<byte> name)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isIt = json.ValueTextEquals(name);
            json.Read();
            if (isIt)
            {
                return true;
            }

            json.Skip();
        }

        return false;
    }

    /// <summary>True where the conversation stands in a tool loop whose first answer does not begin with reasoning: with thinking on its model refuses that.</summary>
    private static bool LacksThinking(ReadOnlySpan<byte> messages)
    {
        Utf8JsonReader json = new(messages, JsonFields.ReaderOptions);
        json.Read();
        bool isOpen = false;
        bool lacks = false;
        bool inLoop = false;
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            TurnForm turn = ReadTurn(json);
            json.Skip();
            if (turn.IsAssistant)
            {
                lacks = inLoop ? lacks : turn.HasToolCall && !turn.BeginsWithThinking;
                inLoop = true;
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

    private static TurnForm ReadTurn(Utf8JsonReader json)
    {
        TurnForm turn = default;
        Utf8JsonReader role = json;
        turn.IsAssistant = TryGo(ref role, "role"u8) && Is(role, "assistant"u8);
        if (!TryGo(ref json, "content"u8) || json.TokenType != JsonTokenType.StartArray)
        {
            return turn;
        }

        for (bool isFirst = true; json.Read() && json.TokenType != JsonTokenType.EndArray; isFirst = false)
        {
            Utf8JsonReader block = json;
            json.Skip();
            if (block.TokenType == JsonTokenType.StartObject && block.Read() && block.TokenType == JsonTokenType.PropertyName)
            {
                turn.HasToolCall |= block.ValueTextEquals("toolUse"u8);
                turn.HasToolResult |= block.ValueTextEquals("toolResult"u8);
                turn.BeginsWithThinking |= isFirst && block.ValueTextEquals("reasoningContent"u8);
            }
        }

        return turn;
    }

    private struct Fields
    {
        public int MessagesStart;
        public long? MaxTokens;
        public bool IsThinkingEnabled;
        public bool AsksJsonSchema;
    }

    private struct TurnForm
    {
        public bool IsAssistant;
        public bool HasToolCall;
        public bool HasToolResult;
        public bool BeginsWithThinking;
    }
}
