using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Framing;

/// <summary>
/// Walks a request body field by field and checks types as it goes; faults name the field by its path, never by its value.
/// A field's place is given as the JSON pointer of its container and its own name, so that the whole pointer is built only where it is kept or complained about.
/// </summary>
internal ref struct JsonFields
{
    /// <summary>Deepest nesting of a body.</summary>
    public const int DepthMax = 64;

    public static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = DepthMax };

    /// <summary>Letters stay letters; every value written raw was checked when it was read.</summary>
    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ReadOnlyMemory<byte> _body;
    private Utf8JsonReader _json;
    private NameBuffer _name;

    public JsonFields(ReadOnlyMemory<byte> body)
    {
        _body = body;
        _json = new Utf8JsonReader(body.Span, ReaderOptions);
        _json.Read();
    }

    public readonly bool IsNull => _json.TokenType == JsonTokenType.Null;

    public readonly bool IsInteger => _json.TokenType == JsonTokenType.Number && _json.TryGetInt64(out _);

    public readonly bool IsString => _json.TokenType == JsonTokenType.String;

    public readonly bool IsObject => _json.TokenType == JsonTokenType.StartObject;

    public readonly bool IsArray => _json.TokenType == JsonTokenType.StartArray;

    public static string Join(string pointer, scoped ReadOnlySpan<char> name)
    {
        if (name.IndexOfAny('~', '/') < 0)
        {
            return $"{pointer}/{name}";
        }

        return $"{pointer}/{name.ToString().Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
    }

    public static string Join(string pointer, int index) => $"{pointer}/{index}";

    public static ProtocolException Fault(string pointer, string expectation)
    {
        string path = pointer.TrimStart('/').Replace('/', '.');
        return ProtocolException.Invalid($"{(path.Length == 0 ? "body" : path)}: {expectation}", path.Length == 0 ? null : path);
    }

    public readonly void ExpectObject(string pointer)
    {
        if (!IsObject)
        {
            throw Fault(pointer, "must be an object.");
        }
    }

    public readonly void ExpectArray(string pointer)
    {
        if (!IsArray)
        {
            throw Fault(pointer, "must be an array.");
        }
    }

    /// <summary>Goes to the value of the next field of the object entered last; the name is valid until the next call.</summary>
    [UnscopedRef]
    public bool NextField(out ReadOnlySpan<char> name)
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.EndObject)
        {
            name = default;
            return false;
        }

        if (_json.ValueSpan.Length <= NameBuffer.Length)
        {
            Span<char> buffer = _name;
            name = buffer[.._json.CopyString(buffer)];
        }
        else
        {
            name = _json.GetString();
        }

        _json.Read();
        return true;
    }

    /// <summary>Goes to the end of the object around the one just read through.</summary>
    public void Leave()
    {
        int depth = _json.CurrentDepth - 1;
        while (_json.CurrentDepth > depth && _json.Read())
        {
        }
    }

    /// <summary>Goes to the next element of the array entered last.</summary>
    public bool NextItem()
    {
        _json.Read();
        return _json.TokenType != JsonTokenType.EndArray;
    }

    public readonly string Text(string pointer, scoped ReadOnlySpan<char> name = default) =>
        IsString ? _json.GetString()! : throw Fault(Place(pointer, name), "must be a string.");

    public readonly string? TextOrNull(string pointer, scoped ReadOnlySpan<char> name) => IsNull ? null : Text(pointer, name);

    public readonly long Integer(string pointer, scoped ReadOnlySpan<char> name) =>
        _json.TokenType == JsonTokenType.Number && _json.TryGetInt64(out long value) ? value : throw Fault(Place(pointer, name), "must be an integer.");

    public readonly double Number(string pointer, scoped ReadOnlySpan<char> name) =>
        _json.TokenType == JsonTokenType.Number && _json.TryGetDouble(out double value) && double.IsFinite(value)
            ? value
            : throw Fault(Place(pointer, name), "must be a number.");

    public readonly bool Truth(string pointer, scoped ReadOnlySpan<char> name) => _json.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => throw Fault(Place(pointer, name), "must be true or false."),
    };

    /// <summary>True where this is an object with no fields but those named.</summary>
    public readonly bool HasOnly(params ReadOnlySpan<string> names)
    {
        JsonFields ahead = this;
        if (!ahead.IsObject)
        {
            return false;
        }

        while (ahead.NextField(out ReadOnlySpan<char> name))
        {
            bool isKnown = false;
            foreach (string one in names)
            {
                isKnown |= name.SequenceEqual(one);
            }

            if (!isKnown)
            {
                return false;
            }

            ahead.Skip();
        }

        return true;
    }

    public RawJson Raw() => RawJson.Take(ref _json, _body);

    public void Skip() => _json.Skip();

    /// <summary>The field <c>type</c> of the object at which this stands, wherever it is written; empty where there is none.</summary>
    public readonly string TypeHere(string pointer)
    {
        ExpectObject(pointer);
        Utf8JsonReader ahead = _json;
        while (ahead.Read() && ahead.TokenType == JsonTokenType.PropertyName)
        {
            bool isType = ahead.ValueTextEquals("type"u8);
            ahead.Read();
            if (isType)
            {
                return ahead.TokenType == JsonTokenType.String ? ahead.GetString()! : throw Fault(Join(pointer, "type"), "must be a string.");
            }

            ahead.Skip();
        }

        return "";
    }

    /// <summary>Keeps the value here as it is, under its name.</summary>
    public void Keep(ref List<Extra>? extras, string pointer, scoped ReadOnlySpan<char> name)
    {
        string kept = name.ToString();
        (extras ??= []).Add(new Extra(kept, Join(pointer, kept), Raw()));
    }

    private static string Place(string pointer, scoped ReadOnlySpan<char> name) => name.IsEmpty ? pointer : Join(pointer, name);

    [InlineArray(Length)]
    private struct NameBuffer
    {
        public const int Length = 48;
        private char _first;
    }
}
