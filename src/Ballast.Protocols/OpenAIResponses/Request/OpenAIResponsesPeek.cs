using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>The first look at a request: one pass over all tokens, nothing copied but the words that routing needs.</summary>
internal ref struct OpenAIResponsesPeek
{
    /// <summary>Top-level fields taken: a bound on the search for duplicates.</summary>
    public const int FieldCountMax = 256;

    /// <summary>Deepest nesting taken in a body.</summary>
    public const int DepthMax = 64;

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    // One level more than allowed, so that the limit is met here, with its own message, before the reader meets its.
    private Utf8JsonReader _reader;
    private string? _model;
    private JsonSpan _modelValue;
    private bool _stream;
    private long? _maxOutputTokens;
    private bool _asksJsonSchema;
    private string? _previous;
    private string? _conversation;
    private bool? _store;
    private bool _background;

    private OpenAIResponsesPeek(ReadOnlySpan<byte> body) => _reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = DepthMax + 1 });

    public static RequestEnvelope Read(ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            throw ProtocolException.Invalid("The request body is not valid UTF-8.");
        }

        OpenAIResponsesPeek peek = new(body.Span);
        try
        {
            peek.Run();
        }
        catch (JsonException)
        {
            throw ProtocolException.Invalid("The request body is not valid JSON.");
        }
        catch (InvalidOperationException)
        {
            throw ProtocolException.Invalid("The request body holds an invalid character escape in a name.");
        }

        return new RequestEnvelope
        {
            Body = body,
            Model = string.IsNullOrEmpty(peek._model) ? throw OpenAIResponsesFault.Missing("/model") : peek._model,
            ModelValue = peek._modelValue,
            Stream = peek._stream,
            StreamUsage = true,
            MaxOutputTokens = peek._maxOutputTokens,
            AsksJsonSchema = peek._asksJsonSchema,
            HasForeignThinking = ForeignThinking.IsIn(body.Span),
            State = new StateWish(peek._previous, peek._conversation, peek._store, peek._background, HasReferences(body.Span)),
        };
    }

    /// <summary>An item named by its id alone, or reasoning, whose encrypted content may have stayed here: both are looked for among what was stored.</summary>
    private static bool HasReferences(ReadOnlySpan<byte> body) =>
        body.IndexOf("\"id\""u8) >= 0 || body.IndexOf("\\u0069"u8) >= 0 || body.IndexOf("\\u0064"u8) >= 0;

    private void Run()
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
                Property(Name());
            }
        }
    }

    private bool Step()
    {
        if (!_reader.Read())
        {
            return false;
        }

        if (_reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray && _reader.CurrentDepth >= DepthMax)
        {
            throw ProtocolException.Invalid($"The request body is nested deeper than {DepthMax} levels.");
        }

        return true;
    }

    private string Name()
    {
        string name = JsonText.Read(ref _reader);
        if (!_names.Add(name))
        {
            string shown = name.Length <= 64 ? name : name[..64];
            throw ProtocolException.Invalid($"The field '{shown}' is given more than once.", shown);
        }

        return _names.Count <= FieldCountMax ? name : throw ProtocolException.Invalid($"The request body has more than {FieldCountMax} fields.");
    }

    private void Property(string name)
    {
        switch (name)
        {
            case "model":
                Step();
                Expect(JsonTokenType.String, "model", "a string");
                _model = JsonText.Read(ref _reader);
                _modelValue = new JsonSpan((int)_reader.TokenStartIndex, (int)(_reader.BytesConsumed - _reader.TokenStartIndex));
                break;
            case "stream":
                _stream = Flag(name) ?? false;
                break;
            case "store":
                _store = Flag(name);
                break;
            case "background":
                _background = Flag(name) ?? false;
                break;
            case "max_output_tokens":
                Step();
                _maxOutputTokens = _reader.TokenType == JsonTokenType.Number && _reader.TryGetInt64(out long limit) && limit > 0 ? limit : null;
                break;
            case "previous_response_id":
                _previous = Word(name);
                break;
            case "conversation":
                Conversation();
                break;
            case "text":
                TextOptions();
                break;
        }
    }

    private void Conversation()
    {
        Step();
        if (_reader.TokenType == JsonTokenType.String)
        {
            _conversation = JsonText.Read(ref _reader);
            return;
        }

        if (_reader.TokenType == JsonTokenType.Null)
        {
            return;
        }

        Expect(JsonTokenType.StartObject, "conversation", "a string or an object");
        while (Step() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isId = _reader.ValueTextEquals("id"u8);
            if (isId)
            {
                _conversation = Word("conversation.id");
            }
            else
            {
                SkipValue();
            }
        }
    }

    private void TextOptions()
    {
        Step();
        if (_reader.TokenType != JsonTokenType.StartObject)
        {
            return; // The endpoint says what is wrong with it.
        }

        while (Step() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!_reader.ValueTextEquals("format"u8))
            {
                SkipValue();
                continue;
            }

            Step();
            while (_reader.TokenType == JsonTokenType.StartObject && Step() && _reader.TokenType == JsonTokenType.PropertyName)
            {
                ReadFormat();
            }
        }
    }

    private void ReadFormat()
    {
        do
        {
            bool isType = _reader.ValueTextEquals("type"u8);
            Step();
            _asksJsonSchema |= isType && _reader.TokenType == JsonTokenType.String && _reader.ValueTextEquals("json_schema"u8);
            SkipHere();
        }
        while (Step() && _reader.TokenType == JsonTokenType.PropertyName);
    }

    private void SkipValue()
    {
        Step();
        SkipHere();
    }

    /// <summary>Skips by steps, so that what is skipped is held to the same depth.</summary>
    private void SkipHere()
    {
        if (_reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            return;
        }

        int depth = _reader.CurrentDepth;
        while (Step() && _reader.CurrentDepth > depth)
        {
            // Nothing in it is wanted.
        }
    }

    private bool? Flag(string name)
    {
        Step();
        return _reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            JsonTokenType.Null => null,
            _ => throw OpenAIResponsesFault.WrongType(name, "a boolean"),
        };
    }

    private string? Word(string name)
    {
        Step();
        if (_reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        Expect(JsonTokenType.String, name, "a string");
        return JsonText.Read(ref _reader);
    }

    private readonly void Expect(JsonTokenType token, string name, string what)
    {
        if (_reader.TokenType != token)
        {
            throw OpenAIResponsesFault.WrongType(name, what);
        }
    }
}
