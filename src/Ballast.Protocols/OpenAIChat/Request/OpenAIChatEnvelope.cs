using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>The first look at a request, and the caller's own bytes sent on with no more replaced than must be.</summary>
internal static class OpenAIChatEnvelope
{
    /// <summary>Top-level fields taken: a bound on the search for duplicates.</summary>
    public const int FieldCountMax = 256;

    private static readonly byte[] s_streamOptions = ",\"stream_options\":{\"include_usage\":true}"u8.ToArray();

    /// <param name="body">The request's body.</param>
    /// <param name="named">The model that the path names: Azure's bodies need not name one.</param>
    public static RequestEnvelope Peek(ReadOnlyMemory<byte> body, string? named = null)
    {
        JsonScan json = new(body.Span, JsonCursor.DepthMax);
        Fields fields = new();
        Exception? fault = null;
        try
        {
            Read(ref json, ref fields, body.Span);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or ProtocolException)
        {
            fault = broken;
        }

        // A body that is not text is told so before anything else of it is.
        if ((fault is not null || !json.IsAscii) && !Utf8.IsValid(body.Span))
        {
            throw ProtocolException.Invalid("The request body is not valid UTF-8.");
        }

        if (fault is not null)
        {
            throw fault switch
            {
                ProtocolException told => told,
                InvalidOperationException => ProtocolException.Invalid("The request body holds an invalid character escape in a name."),
                _ when json.IsTooDeep => ProtocolException.Invalid($"The request body is nested deeper than {JsonCursor.DepthMax} levels."),
                _ => ProtocolException.Invalid("The request body is not valid JSON."),
            };
        }

        if (!fields.HasMessages)
        {
            throw JsonCursor.Missing("/messages");
        }

        if (!fields.ModelValue.IsPresent && !string.IsNullOrEmpty(named))
        {
            return Peek(WithModel(body, named));
        }

        return new RequestEnvelope
        {
            Body = body,
            Model = string.IsNullOrEmpty(fields.Model) ? throw JsonCursor.Missing("/model") : fields.Model,
            ModelValue = fields.ModelValue,
            Stream = fields.Stream,
            StreamUsage = fields.StreamUsage,
            StreamOptionsValue = fields.StreamOptionsValue,
            MaxOutputTokens = fields.MaxCompletionTokens ?? fields.MaxTokens,
            ChoiceCount = fields.ChoiceCount,
            AsksJsonSchema = fields.AsksJsonSchema,
            HasForeignThinking = json.HasForeignThinking,
        };
    }

    /// <summary>The body, which has other fields, with the model before them.</summary>
    private static byte[] WithModel(ReadOnlyMemory<byte> body, string model)
    {
        int start = body.Span.IndexOf((byte)'{') + 1;
        return [.. body.Span[..start], .. Encoding.UTF8.GetBytes($"\"model\":\"{JsonEncodedText.Encode(model)}\","), .. body.Span[start..]];
    }

    /// <summary>Replaces the model's name and, in a stream to an endpoint that reports usage there, asks for it; nothing else.</summary>
    public static void Splice(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        JsonEdit model = new(envelope.ModelValue, target.ModelJson);
        if (!envelope.Stream || !target.Has(TargetFeatures.StreamUsage) || envelope.StreamUsage)
        {
            JsonSplice.Write(envelope.Body.Span, [model], output);
        }
        else if (!envelope.StreamOptionsValue.IsPresent)
        {
            JsonSplice.Write(envelope.Body.Span, [model, new JsonEdit(new JsonSpan(envelope.ModelValue.End, 0), s_streamOptions)], output);
        }
        else
        {
            List<JsonEdit> edits = [model, .. UsageEdits(envelope)];
            edits.Sort(static (a, b) => a.Span.Start.CompareTo(b.Span.Start));
            JsonSplice.Write(envelope.Body.Span, CollectionsMarshal.AsSpan(edits), output);
        }
    }

    /// <summary>What some endpoints of this shape refuse of a caller who was told otherwise by OpenAI; the body is looked through for nothing else.</summary>
    public static bool CanSplice(ReadOnlySpan<byte> body, RequestTarget target) =>
        !(target.Has(TargetFeatures.ShortToolIds) && body.IndexOf("\"tool_call_id\""u8) >= 0)
        && !(target.Has(TargetFeatures.MaxTokensOnly) && body.IndexOf("\"max_completion_tokens\""u8) >= 0)
        && !target.MayHoldRefused(body);

    private static List<JsonEdit> UsageEdits(RequestEnvelope envelope)
    {
        JsonSpan options = envelope.StreamOptionsValue;
        Utf8JsonReader reader = new(envelope.Body.Span.Slice(options.Start, options.Length));
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return [new JsonEdit(options, "{\"include_usage\":true}"u8.ToArray())];
        }

        List<JsonEdit> edits = [];
        bool isEmpty = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            isEmpty = false;
            bool isUsage = reader.ValueTextEquals("include_usage"u8);
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (isUsage)
            {
                edits.Add(new JsonEdit(new JsonSpan(options.Start + start, (int)reader.BytesConsumed - start), "true"u8.ToArray()));
            }
        }

        if (edits.Count == 0)
        {
            byte[] insertion = isEmpty ? "\"include_usage\":true"u8.ToArray() : "\"include_usage\":true,"u8.ToArray();
            edits.Add(new JsonEdit(new JsonSpan(options.Start + 1, 0), insertion));
        }

        return edits;
    }

    /// <summary>One pass over the whole body.</summary>
    private static void Read(ref JsonScan json, ref Fields fields, ReadOnlySpan<byte> body)
    {
        if (!json.Demand((byte)'{'))
        {
            throw ProtocolException.Invalid("The request body must be a JSON object.");
        }

        JsonNames names = new(body);
        json.EnterObject();
        while (json.NextField())
        {
            if (!names.Add(json.NameSpan, json.IsEscaped))
            {
                string name = Short(json.NameText());
                throw ProtocolException.Invalid($"The field '{name}' is given more than once.", name);
            }

            if (names.Count > FieldCountMax)
            {
                throw ProtocolException.Invalid($"The request body has more than {FieldCountMax} fields.");
            }

            fields.Read(ref json);
        }

        json.End();
    }

    private static string Short(string name) => name.Length <= 64 ? name : name[..64];

    /// <summary>What is known of the body's fields.</summary>
    private struct Fields()
    {
        public string? Model;
        public JsonSpan ModelValue;
        public bool HasMessages;
        public bool Stream;
        public bool StreamUsage;
        public JsonSpan StreamOptionsValue;
        public long? MaxTokens;
        public long? MaxCompletionTokens;
        public int ChoiceCount = 1;
        public bool AsksJsonSchema;

        /// <summary>Reads the field to which <paramref name="json"/> came, and passes its value.</summary>
        public void Read(ref JsonScan json)
        {
            if (json.Is("model"u8))
            {
                int start = json.Start();
                Expect(ref json, (byte)'"', "model", "a string");
                Model = json.String();
                ModelValue = json.Since(start);
            }
            else if (json.Is("messages"u8))
            {
                Expect(ref json, (byte)'[', "messages", "an array");
                HasMessages = true;
                json.Skip();
            }
            else if (json.Is("stream"u8))
            {
                Stream = Flag(ref json, "stream");
            }
            else if (json.Is("stream_options"u8))
            {
                ReadStreamOptions(ref json);
            }
            else if (json.Is("max_tokens"u8))
            {
                MaxTokens = Count(ref json, "max_tokens");
            }
            else if (json.Is("max_completion_tokens"u8))
            {
                MaxCompletionTokens = Count(ref json, "max_completion_tokens");
            }
            else if (json.Is("n"u8))
            {
                ChoiceCount = (int)Math.Clamp(Count(ref json, "n") ?? 1, 1, int.MaxValue);
            }
            else if (json.Is("response_format"u8))
            {
                ReadResponseFormat(ref json);
            }
            else
            {
                json.Skip();
            }
        }

        private void ReadResponseFormat(ref JsonScan json)
        {
            if (json.First() != (byte)'{')
            {
                json.Skip(); // The endpoint says what is wrong with it.
                return;
            }

            json.EnterObject();
            while (json.NextField())
            {
                if (json.Is("type"u8) && json.First() == (byte)'"')
                {
                    AsksJsonSchema |= json.TextIs("json_schema"u8);
                }
                else
                {
                    json.Skip();
                }
            }
        }

        private void ReadStreamOptions(ref JsonScan json)
        {
            int start = json.Start();
            if (json.First() == (byte)'n')
            {
                json.Skip();
            }
            else
            {
                Expect(ref json, (byte)'{', "stream_options", "an object");
                json.EnterObject();
                while (json.NextField())
                {
                    if (json.Is("include_usage"u8))
                    {
                        StreamUsage = Flag(ref json, "stream_options.include_usage");
                    }
                    else
                    {
                        json.Skip();
                    }
                }
            }

            StreamOptionsValue = json.Since(start);
        }

        private static bool Flag(ref JsonScan json, string place)
        {
            byte first = json.First();
            if (!json.Demand((byte)'t'))
            {
                return first is (byte)'f' or (byte)'n' ? false : throw WrongType(place, "a boolean");
            }

            json.Skip();
            return true;
        }

        private static long? Count(ref JsonScan json, string place)
        {
            byte first = json.First();
            if (first is (byte)'{' or (byte)'[')
            {
                throw WrongType(place, "an integer");
            }

            ReadOnlySpan<byte> digits = json.Bytes(json.Take());
            if (first == (byte)'n')
            {
                return null;
            }

            return JsonText.TryInteger(digits, out long count) ? count
                : Utf8Parser.TryParse(digits, out double real, out int length) && length == digits.Length && Math.Abs(real) < 1L << 53 && Math.Floor(real) == real
                    ? (long)real
                    : throw WrongType(place, "an integer");
        }

        private static void Expect(ref JsonScan json, byte first, string place, string expected)
        {
            if (!json.Demand(first))
            {
                throw WrongType(place, expected);
            }
        }

        private static ProtocolException WrongType(string place, string expected) =>
            new(new ChatError(ChatErrorKind.InvalidRequest, $"Invalid type for '{place}': expected {expected}.") { Param = place, Code = "invalid_type" });
    }
}
