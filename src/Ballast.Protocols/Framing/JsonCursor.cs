using System.Globalization;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Framing;

/// <summary>
/// Walks through a request body; every value of the wrong type is refused with its place (<c>messages[0].role</c>).
/// Places are JSON pointers until then.
/// </summary>
internal ref struct JsonCursor(ReadOnlyMemory<byte> source)
{
    /// <summary>Deepest nesting taken in a body.</summary>
    public const int DepthMax = 64;

    private readonly ReadOnlyMemory<byte> _source = source;
    private Utf8JsonReader _reader = new(source.Span, new JsonReaderOptions { MaxDepth = DepthMax });

    public readonly JsonTokenType Token => _reader.TokenType;

    public readonly bool IsNull => _reader.TokenType == JsonTokenType.Null;

    /// <summary>Goes to the first token.</summary>
    public void Begin() => _reader.Read();

    /// <summary>Goes on to the next property's value; false at the object's end.</summary>
    public bool NextProperty(out string name)
    {
        _reader.Read();
        if (_reader.TokenType == JsonTokenType.EndObject)
        {
            name = "";
            return false;
        }

        name = JsonText.Read(ref _reader);
        _reader.Read();
        return true;
    }

    /// <summary>Goes on to the next item; false at the array's end.</summary>
    public bool NextItem()
    {
        _reader.Read();
        return _reader.TokenType != JsonTokenType.EndArray;
    }

    /// <summary>The string field of this name in the object at which this stands, wherever it is written; empty where there is none.</summary>
    public readonly string WordHere(ReadOnlySpan<byte> field)
    {
        Utf8JsonReader ahead = _reader;
        while (ahead.TokenType != JsonTokenType.EndObject && ahead.Read() && ahead.TokenType == JsonTokenType.PropertyName)
        {
            bool isIt = ahead.ValueTextEquals(field);
            ahead.Read();
            if (isIt && ahead.TokenType == JsonTokenType.String)
            {
                return JsonText.Read(ref ahead);
            }

            ahead.Skip();
        }

        return "";
    }

    public void Skip() => _reader.Skip();

    public RawJson Take() => RawJson.Take(ref _reader, _source);

    public Extra TakeExtra(string name, string pointer) => new(name, Below(pointer, name), Take());

    public readonly void Expect(JsonTokenType token, string what, string pointer)
    {
        if (_reader.TokenType != token)
        {
            throw WrongType(pointer, what);
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
        _ => throw WrongType(pointer, "a boolean"),
    };

    public readonly long Integer(string pointer)
    {
        Expect(JsonTokenType.Number, "an integer", pointer);
        if (_reader.TryGetInt64(out long value))
        {
            return value;
        }

        return _reader.TryGetDouble(out double real) && Math.Floor(real) == real && Math.Abs(real) < 1L << 53
            ? (long)real
            : throw Invalid(pointer, "expected an integer");
    }

    public readonly double Number(string pointer)
    {
        Expect(JsonTokenType.Number, "a number", pointer);
        return _reader.TryGetDouble(out double value) && double.IsFinite(value) ? value : throw Invalid(pointer, "the number is out of range");
    }

    private readonly ProtocolException WrongType(string pointer, string expected) => WrongType(pointer, expected, _reader.TokenType);

    /// <summary>The refusal of a value of another type than the one expected.</summary>
    public static ProtocolException WrongType(string pointer, string expected, JsonTokenType found)
    {
        string got = found switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            JsonTokenType.String => "a string",
            JsonTokenType.Number => "a number",
            JsonTokenType.True or JsonTokenType.False => "a boolean",
            _ => "null",
        };
        string place = Place(pointer);
        return new ProtocolException(new ChatError(ChatErrorKind.InvalidRequest, $"Invalid type for '{place}': expected {expected}, but got {got} instead.")
        {
            Param = place,
            Code = "invalid_type",
        });
    }

    public static ProtocolException Missing(string pointer)
    {
        string place = Place(pointer);
        return new ProtocolException(new ChatError(ChatErrorKind.InvalidRequest, $"Missing required parameter: '{place}'.")
        {
            Param = place,
            Code = "missing_required_parameter",
        });
    }

    public static ProtocolException Invalid(string pointer, string reason)
    {
        string place = Place(pointer);
        return new ProtocolException(new ChatError(ChatErrorKind.InvalidRequest, $"Invalid value for '{place}': {reason}.") { Param = place, Code = "invalid_value" });
    }

    /// <summary>The pointer to a property or item below another.</summary>
    public static string Below(string pointer, string name) =>
        name.AsSpan().IndexOfAny('~', '/') < 0 ? $"{pointer}/{name}" : $"{pointer}/{name.Replace("~", "~0").Replace("/", "~1")}";

    public static string Below(string pointer, int index) => string.Create(CultureInfo.InvariantCulture, $"{pointer}/{index}");

    /// <summary>A pointer as people write it: <c>/messages/0/role</c> is <c>messages[0].role</c>.</summary>
    public static string Place(string pointer)
    {
        StringBuilder place = new();
        foreach (string step in pointer.Split('/').Skip(1))
        {
            if (step.Length > 0 && step.All(char.IsAsciiDigit))
            {
                place.Append('[').Append(step).Append(']');
            }
            else
            {
                place.Append(place.Length > 0 ? "." : "").Append(step.Replace("~1", "/").Replace("~0", "~"));
            }
        }

        return place.ToString();
    }
}
