using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Ballast.Protocols.Framing;

/// <summary>
/// The first look at a request's body: well-formed as a whole (UTF-8, depth, no duplicate top-level names), and where its top-level values lie. Nothing but names is copied.
/// </summary>
internal sealed class BodyFields
{
    /// <summary>Top-level fields taken.</summary>
    public const int CountMax = 256;

    private readonly Dictionary<string, JsonSpan> _spans = new(StringComparer.Ordinal);
    private readonly ReadOnlyMemory<byte> _body;

    private BodyFields(ReadOnlyMemory<byte> body) => _body = body;

    /// <summary>Reads the fields and makes what is asked for of them.</summary>
    /// <exception cref="ProtocolException">The body is no JSON object, or one that breaks a limit.</exception>
    public static RequestEnvelope Peek(ReadOnlyMemory<byte> body, Func<BodyFields, RequestEnvelope> make)
    {
        try
        {
            return make(Read(body));
        }
        catch (InvalidOperationException)
        {
            throw ProtocolException.Invalid("The request body holds an invalid character escape in a name.");
        }
    }

    /// <exception cref="ProtocolException">The body is no JSON object, or one that breaks a limit.</exception>
    public static BodyFields Read(ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            throw ProtocolException.Invalid("The request body is not valid UTF-8.");
        }

        BodyFields fields = new(body);
        try
        {
            fields.Scan();
        }
        catch (JsonException)
        {
            throw ProtocolException.Invalid("The request body is not valid JSON.");
        }

        return fields;
    }

    /// <summary>Where the value lies, absent where there is none or it is null.</summary>
    public JsonSpan Find(string name)
    {
        JsonSpan span = _spans.GetValueOrDefault(name);
        return span.IsPresent && _body.Span[span.Start] == (byte)'n' ? default : span;
    }

    /// <summary>Where the value lies even if it is null, absent where there is none.</summary>
    public JsonSpan FindAny(string name) => _spans.GetValueOrDefault(name);

    public bool IsEmpty => _spans.Count == 0;

    /// <summary>Where a field may be put in: right behind the opening brace.</summary>
    public int BodyStart => _body.Span.IndexOf((byte)'{') + 1;

    /// <summary>The first character of the value, which tells its type; 0 where there is none.</summary>
    public byte KindOf(string name) => Find(name) is { IsPresent: true } span ? _body.Span[span.Start] : (byte)0;

    /// <summary>A reader that stands on the value's first token.</summary>
    public Utf8JsonReader Open(JsonSpan span)
    {
        Utf8JsonReader reader = new(_body.Span.Slice(span.Start, span.Length), new JsonReaderOptions { MaxDepth = JsonCursor.DepthMax });
        reader.Read();
        return reader;
    }

    /// <exception cref="ProtocolException">It is missing, empty or no string.</exception>
    public string Text(string name) => TextOrNull(name) is { Length: > 0 } text ? text : throw JsonCursor.Missing("/" + name);

    /// <exception cref="ProtocolException">It is there and no string.</exception>
    public string? TextOrNull(string name)
    {
        JsonSpan span = Find(name);
        if (!span.IsPresent)
        {
            return null;
        }

        Utf8JsonReader reader = Open(span);
        return reader.TokenType == JsonTokenType.String ? JsonText.Read(ref reader) : throw JsonCursor.WrongType("/" + name, "a string", reader.TokenType);
    }

    /// <exception cref="ProtocolException">It is no boolean.</exception>
    public bool Flag(string name, bool otherwise)
    {
        JsonSpan span = Find(name);
        if (!span.IsPresent)
        {
            return otherwise;
        }

        Utf8JsonReader reader = Open(span);
        return reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            _ => throw JsonCursor.WrongType("/" + name, "a boolean", reader.TokenType),
        };
    }

    /// <summary>An integer that makes sense as a limit; null for anything else.</summary>
    public long? Limit(string name)
    {
        JsonSpan span = Find(name);
        if (!span.IsPresent)
        {
            return null;
        }

        Utf8JsonReader reader = Open(span);
        return Limit(reader);
    }

    /// <summary>The same of the value on which a reader stands.</summary>
    public static long? Limit(in Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long limit) && limit >= 0 ? limit : null;

    /// <exception cref="ProtocolException">It is no array.</exception>
    public void ExpectArray(string name)
    {
        JsonSpan span = Find(name);
        Utf8JsonReader reader = span.IsPresent ? Open(span) : throw JsonCursor.Missing("/" + name);
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw JsonCursor.WrongType("/" + name, "an array", reader.TokenType);
        }
    }

    /// <summary>Writes the body with another model's name in place of its own.</summary>
    public static void SpliceModel(RequestEnvelope envelope, string model, IBufferWriter<byte> output)
    {
        byte[] quoted = Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(model, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"");
        JsonSplice.Write(envelope.Body.Span, [new JsonEdit(envelope.ModelValue, quoted)], output);
    }

    private void Scan()
    {
        // One level more than allowed, so that the limit is met here, with its own message, before the reader meets its.
        Utf8JsonReader reader = new(_body.Span, new JsonReaderOptions { MaxDepth = JsonCursor.DepthMax + 1 });
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw ProtocolException.Invalid("The request body must be a JSON object.");
        }

        string? name = null;
        int start = 0;
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray && reader.CurrentDepth >= JsonCursor.DepthMax)
            {
                throw ProtocolException.Invalid($"The request body is nested deeper than {JsonCursor.DepthMax} levels.");
            }

            if (reader.CurrentDepth != 1)
            {
                continue;
            }

            if (reader.TokenType == JsonTokenType.PropertyName)
            {
                name = JsonText.Read(ref reader);
                continue;
            }

            bool isOpening = reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
            start = reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray ? start : (int)reader.TokenStartIndex;
            if (!isOpening && name is not null)
            {
                Add(name, new JsonSpan(start, (int)reader.BytesConsumed - start));
            }
        }
    }

    private void Add(string name, JsonSpan span)
    {
        string shown = name.Length <= 64 ? name : name[..64];
        if (!_spans.TryAdd(name, span))
        {
            throw ProtocolException.Invalid($"The field '{shown}' is given more than once.", shown);
        }

        if (_spans.Count > CountMax)
        {
            throw ProtocolException.Invalid($"The request body has more than {CountMax} fields.");
        }
    }
}
