using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
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

    public static RequestEnvelope Peek(ReadOnlyMemory<byte> body)
    {
        ReadOnlySpan<byte> bytes = body.Span;
        if (!Utf8.IsValid(bytes))
        {
            throw ProtocolException.Invalid("The request body is not valid UTF-8.");
        }

        Scan scan = new(bytes);
        try
        {
            scan.Run();
        }
        catch (JsonException)
        {
            throw ProtocolException.Invalid("The request body is not valid JSON.");
        }
        catch (InvalidOperationException)
        {
            throw ProtocolException.Invalid("The request body holds an invalid character escape in a name.");
        }

        if (!scan.HasMessages)
        {
            throw OpenAIChatCursor.Missing("/messages");
        }

        return new RequestEnvelope
        {
            Body = body,
            Model = string.IsNullOrEmpty(scan.Model) ? throw OpenAIChatCursor.Missing("/model") : scan.Model,
            ModelValue = scan.ModelValue,
            Stream = scan.Stream,
            StreamUsage = scan.StreamUsage,
            StreamOptionsValue = scan.StreamOptionsValue,
            MaxOutputTokens = scan.MaxCompletionTokens ?? scan.MaxTokens,
            ChoiceCount = scan.ChoiceCount,
            AsksJsonSchema = scan.AsksJsonSchema,
            HasForeignThinking = ForeignThinking.IsIn(bytes),
        };
    }

    /// <summary>Replaces the model's name and, in a stream to an endpoint that reports usage there, asks for it; nothing else.</summary>
    public static void Splice(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        List<JsonEdit> edits = [new JsonEdit(envelope.ModelValue, Quoted(target.Model))];
        if (envelope.Stream && target.Has(TargetFeatures.StreamUsage) && !envelope.StreamUsage)
        {
            edits.AddRange(UsageEdits(envelope));
            edits.Sort(static (a, b) => a.Span.Start.CompareTo(b.Span.Start));
        }

        JsonSplice.Write(envelope.Body.Span, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(edits), output);
    }

    private static byte[] Quoted(string text) =>
        Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"");

    private static List<JsonEdit> UsageEdits(RequestEnvelope envelope)
    {
        JsonSpan options = envelope.StreamOptionsValue;
        if (!options.IsPresent)
        {
            return [new JsonEdit(new JsonSpan(envelope.ModelValue.End, 0), ",\"stream_options\":{\"include_usage\":true}"u8.ToArray())];
        }

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

    /// <summary>One pass over all tokens of the body.</summary>
    private ref struct Scan(ReadOnlySpan<byte> body)
    {
        private readonly ReadOnlySpan<byte> _body = body;

        // One level more than allowed, so that the limit is met here, with its own message, before the reader meets its.
        private Utf8JsonReader _reader = new(body, new JsonReaderOptions { MaxDepth = OpenAIChatCursor.DepthMax + 1 });
        private readonly List<JsonSpan> _names = [];
        private HashSet<string>? _escapedNames;

        public string? Model { get; private set; }
        public JsonSpan ModelValue { get; private set; }
        public bool HasMessages { get; private set; }
        public bool Stream { get; private set; }
        public bool StreamUsage { get; private set; }
        public JsonSpan StreamOptionsValue { get; private set; }
        public long? MaxTokens { get; private set; }
        public long? MaxCompletionTokens { get; private set; }
        public int ChoiceCount { get; private set; } = 1;
        public bool AsksJsonSchema { get; private set; }

        public void Run()
        {
            Step();
            if (_reader.TokenType != JsonTokenType.StartObject)
            {
                throw ProtocolException.Invalid("The request body must be a JSON object.");
            }

            while (Step())
            {
                if (_reader.TokenType == JsonTokenType.PropertyName && _reader.CurrentDepth == 1)
                {
                    CheckName();
                    Property();
                }
            }
        }

        private bool Step()
        {
            if (!_reader.Read())
            {
                return false;
            }

            if (_reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray && _reader.CurrentDepth >= OpenAIChatCursor.DepthMax)
            {
                throw ProtocolException.Invalid($"The request body is nested deeper than {OpenAIChatCursor.DepthMax} levels.");
            }

            return true;
        }

        private void CheckName()
        {
            bool isNew;
            if (_reader.ValueIsEscaped || _escapedNames is not null)
            {
                _escapedNames ??= [.. Names()];
                isNew = _escapedNames.Add(JsonText.Read(ref _reader));
            }
            else
            {
                isNew = IsNew(_reader.ValueSpan);
                _names.Add(new JsonSpan((int)_reader.TokenStartIndex + 1, _reader.ValueSpan.Length));
            }

            if (!isNew)
            {
                string name = JsonText.Read(ref _reader);
                throw ProtocolException.Invalid($"The field '{Short(name)}' is given more than once.", Short(name));
            }

            if (_names.Count > FieldCountMax || _escapedNames?.Count > FieldCountMax)
            {
                throw ProtocolException.Invalid($"The request body has more than {FieldCountMax} fields.");
            }
        }

        private static string Short(string name) => name.Length <= 64 ? name : name[..64];

        private readonly bool IsNew(ReadOnlySpan<byte> name)
        {
            foreach (JsonSpan known in _names)
            {
                if (known.Length == name.Length && _body.Slice(known.Start, known.Length).SequenceEqual(name))
                {
                    return false;
                }
            }

            return true;
        }

        private readonly List<string> Names()
        {
            List<string> names = [];
            foreach (JsonSpan name in _names)
            {
                names.Add(Encoding.UTF8.GetString(_body.Slice(name.Start, name.Length)));
            }

            return names;
        }

        private void Property()
        {
            if (_reader.ValueTextEquals("model"u8))
            {
                Step();
                Expect(JsonTokenType.String, "model", "a string");
                Model = JsonText.Read(ref _reader);
                ModelValue = new JsonSpan((int)_reader.TokenStartIndex, (int)(_reader.BytesConsumed - _reader.TokenStartIndex));
            }
            else if (_reader.ValueTextEquals("messages"u8))
            {
                Step();
                Expect(JsonTokenType.StartArray, "messages", "an array");
                HasMessages = true;
            }
            else if (_reader.ValueTextEquals("stream"u8))
            {
                Step();
                Stream = Flag("stream");
            }
            else if (_reader.ValueTextEquals("stream_options"u8))
            {
                StreamOptions();
            }
            else if (_reader.ValueTextEquals("max_tokens"u8))
            {
                MaxTokens = Count("max_tokens");
            }
            else if (_reader.ValueTextEquals("max_completion_tokens"u8))
            {
                MaxCompletionTokens = Count("max_completion_tokens");
            }
            else if (_reader.ValueTextEquals("n"u8))
            {
                ChoiceCount = (int)Math.Clamp(Count("n") ?? 1, 1, int.MaxValue);
            }
            else if (_reader.ValueTextEquals("response_format"u8))
            {
                ResponseFormat();
            }
        }

        private void ResponseFormat()
        {
            Step();
            if (_reader.TokenType != JsonTokenType.StartObject)
            {
                return; // The endpoint says what is wrong with it.
            }

            while (Step() && _reader.CurrentDepth > 1)
            {
                if (_reader.TokenType == JsonTokenType.PropertyName && _reader.CurrentDepth == 2 && _reader.ValueTextEquals("type"u8))
                {
                    Step();
                    AsksJsonSchema |= _reader.TokenType == JsonTokenType.String && _reader.ValueTextEquals("json_schema"u8);
                }
            }
        }

        private void StreamOptions()
        {
            Step();
            int start = (int)_reader.TokenStartIndex;
            if (_reader.TokenType != JsonTokenType.Null)
            {
                Expect(JsonTokenType.StartObject, "stream_options", "an object");
                while (Step() && _reader.CurrentDepth > 1)
                {
                    if (_reader.TokenType == JsonTokenType.PropertyName && _reader.CurrentDepth == 2 && _reader.ValueTextEquals("include_usage"u8))
                    {
                        Step();
                        StreamUsage = Flag("stream_options.include_usage");
                    }
                }
            }

            StreamOptionsValue = new JsonSpan(start, (int)_reader.BytesConsumed - start);
        }

        private readonly bool Flag(string place) => _reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False or JsonTokenType.Null => false,
            _ => throw WrongType(place, "a boolean"),
        };

        private long? Count(string place)
        {
            Step();
            if (_reader.TokenType == JsonTokenType.Null)
            {
                return null;
            }

            Expect(JsonTokenType.Number, place, "an integer");
            return _reader.TryGetInt64(out long count) ? count : _reader.TryGetDouble(out double real) && Math.Abs(real) < 1L << 53 && Math.Floor(real) == real
                ? (long)real
                : throw WrongType(place, "an integer");
        }

        private readonly void Expect(JsonTokenType token, string place, string expected)
        {
            if (_reader.TokenType != token)
            {
                throw WrongType(place, expected);
            }
        }

        private static ProtocolException WrongType(string place, string expected) =>
            new(new ChatError(ChatErrorKind.InvalidRequest, $"Invalid type for '{place}': expected {expected}.") { Param = place, Code = "invalid_type" });
    }
}
