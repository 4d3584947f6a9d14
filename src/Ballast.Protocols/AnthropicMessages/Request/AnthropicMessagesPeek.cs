using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>Checks a whole request for form and finds what routing needs; copies nothing but the model's name.</summary>
internal static class AnthropicMessagesPeek
{
    /// <summary>Most fields at the top of a request.</summary>
    public const int TopLevelFieldsMax = 128;

    /// <summary>Longest name of a field at the top of a request, in bytes.</summary>
    public const int FieldNameBytesMax = 256;

    public static RequestEnvelope Read(ReadOnlyMemory<byte> body, RequestAddress address = default)
    {
        JsonScan json = new(body.Span, JsonFields.DepthMax);
        Fields fields = default;
        Exception? fault = null;
        bool lacksThinking = false;
        try
        {
            Read(ref json, ref fields, body.Span);
            lacksThinking = fields.IsThinkingEnabled && !json.HasForeignThinking && fields.MessagesStart > 0 && LacksThinking(body.Span[fields.MessagesStart..]);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or ProtocolException)
        {
            fault = broken;
        }

        // A body that is not text is told so before anything else of it is.
        if ((fault is not null || !json.IsAscii) && !Utf8.IsValid(body.Span))
        {
            throw ProtocolException.Invalid("The body is not valid UTF-8.");
        }

        if (fault is not null)
        {
            throw fault switch
            {
                ProtocolException told => told,
                InvalidOperationException => ProtocolException.Invalid("A string of the body is not valid Unicode text."),
                _ when json.IsTooDeep => ProtocolException.Invalid($"The body is nested deeper than {JsonFields.DepthMax} levels."),
                _ => ProtocolException.Invalid("The body is not valid JSON."),
            };
        }

        return Seal(fields, body, address, json.HasForeignThinking || lacksThinking);
    }

    /// <summary>Where the value of a top-level field lies; absent where there is none, or no object.</summary>
    /// <exception cref="JsonException">The body is not JSON.</exception>
    public static JsonSpan FindField(ReadOnlyMemory<byte> body, ReadOnlySpan<byte> name)
    {
        JsonScan json = new(body.Span, JsonFields.DepthMax);
        if (json.First() != (byte)'{')
        {
            return default;
        }

        json.EnterObject();
        while (json.NextField())
        {
            bool isFound = json.Is(name);
            JsonSpan value = json.Take();
            if (isFound)
            {
                return value;
            }
        }

        return default;
    }

    private static void Read(ref JsonScan json, ref Fields fields, ReadOnlySpan<byte> body)
    {
        if (!json.Demand((byte)'{'))
        {
            throw ProtocolException.Invalid("The body must be a JSON object.");
        }

        JsonNames names = new(body);
        json.EnterObject();
        while (json.NextField())
        {
            if (json.NameSpan.Length > FieldNameBytesMax || names.Count == TopLevelFieldsMax)
            {
                throw ProtocolException.Invalid(
                    $"The body may have at most {TopLevelFieldsMax} fields with names of at most {FieldNameBytesMax} bytes.");
            }

            if (!names.Add(json.NameSpan, json.IsEscaped))
            {
                throw ProtocolException.Invalid("A field of the body is given twice.", json.NameText());
            }

            fields.Read(ref json);
        }

        json.End();
    }

    private static RequestEnvelope Seal(in Fields fields, ReadOnlyMemory<byte> body, RequestAddress address, bool hasForeignThinking)
    {
        if ((address.Model ?? fields.Model) is not { Length: > 0 } model)
        {
            throw ProtocolException.Invalid(fields.Model is null ? "model: is required." : "model: must not be empty.", "model");
        }

        if (fields.MessagesStart == 0)
        {
            throw ProtocolException.Invalid("messages: is required.", "messages");
        }

        bool isStream = address.Stream == StreamForm.InBody ? fields.Stream : address.Stream == StreamForm.Events;
        return new RequestEnvelope
        {
            Body = body,
            Address = address,
            Model = model,
            ModelValue = fields.ModelValue,
            Stream = isStream,
            StreamUsage = isStream,
            MaxOutputTokens = fields.MaxTokens,
            AsksJsonSchema = fields.AsksJsonSchema,
            AsksThread = fields.AsksThread,
            HasForeignThinking = hasForeignThinking,
        };
    }

    /// <summary>Takes the <c>type</c> of the object at hand, and passes it; false for any other value.</summary>
    private static bool HasType(ref JsonScan json, ReadOnlySpan<byte> wanted)
    {
        if (json.First() != (byte)'{')
        {
            json.Skip();
            return false;
        }

        // The first one counts.
        bool isKnown = false;
        bool isWanted = false;
        json.EnterObject();
        while (json.NextField())
        {
            if (isKnown || !json.Is("type"u8))
            {
                json.Skip();
                continue;
            }

            isKnown = true;
            if (json.First() == (byte)'"')
            {
                isWanted = json.TextIs(wanted);
            }
            else
            {
                json.Skip();
            }
        }

        return isWanted;
    }

    /// <summary>
    /// True where the conversation stands in a tool loop whose first answer does not begin with reasoning: Anthropic refuses that while thinking is on, and it comes
    /// about when another vendor, which shows none, gave that answer.
    /// </summary>
    private static bool LacksThinking(ReadOnlySpan<byte> messages)
    {
        JsonScan json = new(messages, JsonFields.DepthMax);
        bool isOpen = false;
        bool lacks = false;
        bool inLoop = false;
        json.EnterArray();
        while (json.NextItem() && json.First() == (byte)'{')
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

    private static TurnForm ReadTurn(ref JsonScan json)
    {
        TurnForm turn = default;
        json.EnterObject();
        while (json.NextField())
        {
            if (json.Is("role"u8) && json.First() == (byte)'"')
            {
                ReadOnlySpan<byte> role = json.Word();
                turn.IsAssistant = role.SequenceEqual("assistant"u8);
                turn.IsSystem = role.SequenceEqual("system"u8);
            }
            else if (json.Is("content"u8) && json.First() == (byte)'[')
            {
                ReadBlocks(ref json, ref turn);
            }
            else
            {
                json.Skip();
            }
        }

        return turn;
    }

    private static void ReadBlocks(ref JsonScan json, ref TurnForm turn)
    {
        bool isFirst = true;
        json.EnterArray();
        while (json.NextItem())
        {
            if (json.First() == (byte)'{')
            {
                ReadBlock(ref json, ref turn, isFirst);
            }
            else
            {
                json.Skip();
            }

            isFirst = false;
        }
    }

    private static void ReadBlock(ref JsonScan json, ref TurnForm turn, bool isFirst)
    {
        bool isKnown = false;
        json.EnterObject();
        while (json.NextField())
        {
            if (isKnown || !json.Is("type"u8) || json.First() != (byte)'"')
            {
                json.Skip();
                continue;
            }

            isKnown = true;
            ReadOnlySpan<byte> type = json.Word();
            turn.HasToolCall |= type.SequenceEqual("tool_use"u8);
            turn.HasToolResult |= type.SequenceEqual("tool_result"u8);
            turn.BeginsWithThinking |= isFirst && (type.SequenceEqual("thinking"u8) || type.SequenceEqual("redacted_thinking"u8));
        }
    }

    /// <summary>What is known of the body's fields.</summary>
    private struct Fields
    {
        public string? Model;
        public JsonSpan ModelValue;
        public int MessagesStart;
        public bool Stream;
        public long? MaxTokens;
        public bool IsThinkingEnabled;
        public bool AsksJsonSchema;
        public bool AsksThread;

        /// <summary>Reads the field to which <paramref name="json"/> came, and passes its value.</summary>
        public void Read(ref JsonScan json)
        {
            if (json.Is("model"u8))
            {
                int start = json.Start();
                Model = json.Demand((byte)'"') ? Encoding.UTF8.GetString(json.Word()) : throw ProtocolException.Invalid("model: must be a string.", "model");
                ModelValue = json.Since(start);
            }
            else if (json.Is("messages"u8))
            {
                MessagesStart = json.Demand((byte)'[') ? json.Start() : throw ProtocolException.Invalid("messages: must be an array.", "messages");
                json.Skip();
            }
            else if (json.Is("stream"u8))
            {
                byte first = json.First();
                Stream = json.Demand((byte)'t');
                if (Stream)
                {
                    json.Skip();
                }
                else if (first is not ((byte)'f' or (byte)'n'))
                {
                    throw ProtocolException.Invalid("stream: must be true or false.", "stream");
                }
            }
            else if (json.Is("max_tokens"u8))
            {
                byte first = json.First();
                MaxTokens = first is (byte)'{' or (byte)'[' ? null : json.Integer();
                if (MaxTokens is null && first != (byte)'n')
                {
                    throw ProtocolException.Invalid("max_tokens: must be an integer.", "max_tokens");
                }
            }
            else if (json.Is("thinking"u8))
            {
                IsThinkingEnabled = HasType(ref json, "enabled"u8);
            }
            else if (json.Is("thread"u8))
            {
                AsksThread = json.First() == (byte)'{';
                if (HasType(ref json, "continue"u8))
                {
                    throw new ProtocolException(AnthropicMessagesError.ThreadNotFound);
                }
            }
            else if (json.Is("output_format"u8))
            {
                AsksJsonSchema |= HasType(ref json, "json_schema"u8);
            }
            else if (json.Is("output_config"u8))
            {
                ReadOutputConfig(ref json);
            }
            else
            {
                json.Skip();
            }
        }

        private void ReadOutputConfig(ref JsonScan json)
        {
            if (json.First() != (byte)'{')
            {
                json.Skip();
                return;
            }

            json.EnterObject();
            while (json.NextField())
            {
                if (json.Is("format"u8))
                {
                    AsksJsonSchema |= HasType(ref json, "json_schema"u8);
                }
                else
                {
                    json.Skip();
                }
            }
        }
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
