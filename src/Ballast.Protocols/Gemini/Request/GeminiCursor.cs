using System.Globalization;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// Walks through a request body as Google's servers read one: every field may be written in camelCase or as snake_case, whole numbers as strings, and words of a closed
/// set as numbers. Places are JSON pointers of what the caller wrote.
/// </summary>
internal ref struct GeminiCursor(ReadOnlyMemory<byte> source)
{
    /// <summary>Deepest nesting taken in a body.</summary>
    public const int DepthMax = 64;

    public static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = DepthMax };

    private readonly ReadOnlyMemory<byte> _source = source;
    private Utf8JsonReader _reader = new(source.Span, ReaderOptions);

    /// <summary>The name of the property reached last as it is written.</summary>
    public string Written { get; private set; } = "";

    public readonly JsonTokenType Token => _reader.TokenType;

    public readonly bool IsNull => _reader.TokenType == JsonTokenType.Null;

    /// <summary>Goes to the first token.</summary>
    public void Begin() => _reader.Read();

    /// <summary>Goes on to the next property's value, its name in camelCase; false at the object's end.</summary>
    public bool NextProperty(out string name)
    {
        _reader.Read();
        if (_reader.TokenType == JsonTokenType.EndObject)
        {
            name = "";
            return false;
        }

        Written = JsonText.Read(ref _reader);
        name = Camel(Written);
        _reader.Read();
        return true;
    }

    /// <summary>Goes on to the next item; false at the array's end.</summary>
    public bool NextItem()
    {
        _reader.Read();
        return _reader.TokenType != JsonTokenType.EndArray;
    }

    public RawJson Take() => RawJson.Take(ref _reader, _source);

    public void Skip() => _reader.Skip();

    /// <summary>The property here as it came, below <paramref name="pointer"/>.</summary>
    public Extra TakeExtra(string pointer)
    {
        string written = Written;
        return new Extra(written, Below(pointer, written), Take());
    }

    public readonly void Expect(JsonTokenType token, string what, string pointer)
    {
        if (_reader.TokenType != token)
        {
            throw Fault(pointer, $"must be {what}");
        }
    }

    public string Text(string pointer)
    {
        Expect(JsonTokenType.String, "a string", pointer);
        return JsonText.Read(ref _reader);
    }

    public readonly bool Flag(string pointer) => _reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => throw Fault(pointer, "must be true or false"),
    };

    /// <summary>A word of a closed set; some libraries write its number.</summary>
    public string Word(string pointer) =>
        _reader.TokenType == JsonTokenType.Number ? Encoding.UTF8.GetString(_reader.ValueSpan) : Text(pointer);

    public long Integer(string pointer)
    {
        if (_reader.TokenType == JsonTokenType.Number && _reader.TryGetInt64(out long value))
        {
            return value;
        }

        if (_reader.TokenType == JsonTokenType.Number && _reader.TryGetDouble(out double real) && Math.Floor(real) == real && Math.Abs(real) < 1L << 53)
        {
            return (long)real;
        }

        return _reader.TokenType == JsonTokenType.String
            && long.TryParse(JsonText.Read(ref _reader), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)
            ? value
            : throw Fault(pointer, "must be an integer");
    }

    public double Number(string pointer)
    {
        if (_reader.TokenType == JsonTokenType.Number && _reader.TryGetDouble(out double value) && double.IsFinite(value))
        {
            return value;
        }

        return _reader.TokenType == JsonTokenType.String
            && double.TryParse(JsonText.Read(ref _reader), NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value)
            ? value
            : throw Fault(pointer, "must be a number");
    }

    /// <summary>A name in camelCase, whichever of the two forms it is written in.</summary>
    public static string Camel(string written)
    {
        if (!written.Contains('_', StringComparison.Ordinal))
        {
            return written;
        }

        StringBuilder name = new(written.Length);
        bool isRaised = false;
        foreach (char letter in written)
        {
            if (letter == '_' && name.Length > 0)
            {
                isRaised = true;
            }
            else
            {
                name.Append(isRaised ? char.ToUpperInvariant(letter) : letter);
                isRaised = false;
            }
        }

        return name.ToString();
    }

    public static string Below(string pointer, string name) =>
        name.AsSpan().IndexOfAny('~', '/') < 0
            ? $"{pointer}/{name}"
            : $"{pointer}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";

    public static string Below(string pointer, int index) => $"{pointer}/{index}";

    /// <summary>A fault at a place, in the notation of Google's own messages (<c>contents[0].parts[1].text</c>).</summary>
    public static ProtocolException Fault(string pointer, string expectation)
    {
        StringBuilder place = new();
        foreach (string step in pointer.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            bool isIndex = step.All(char.IsAsciiDigit);
            place.Append(isIndex ? $"[{step}]" : place.Length > 0 ? $".{step}" : step);
        }

        string named = place.Length == 0 ? "body" : place.ToString();
        return ProtocolException.Invalid($"Invalid value at '{named}': {expectation}.", place.Length == 0 ? null : named);
    }
}
