using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Ballast.Sandbox.Google;

/// <summary>
/// One message of a request in the JSON form of protocol buffers: a field goes by its name in camel case or with underscores, null is absence, and a name that the message
/// does not have is refused.
/// </summary>
internal readonly struct GeminiObject
{
    private readonly Dictionary<string, JsonElement> _fields;

    private GeminiObject(Dictionary<string, JsonElement> fields, string path) => (_fields, Path) = (fields, path);

    /// <summary>Where it stands, in names with underscores; empty for the request itself.</summary>
    public string Path { get; }

    /// <param name="element">The message.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="isLenient">Names that are not known are left aside.</param>
    /// <param name="known">The names of its fields, in camel case.</param>
    public static GeminiObject Open(JsonElement element, string path, bool isLenient, params ReadOnlySpan<string> known)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw path.Length == 0 ? GoogleErrors.Malformed() : GoogleErrors.WrongType(path, "TYPE_MESSAGE", element);
        }

        Dictionary<string, JsonElement> fields = new(StringComparer.Ordinal);
        foreach (JsonProperty property in element.EnumerateObject())
        {
            string name = CamelCase(property.Name);
            if (known.Contains(name))
            {
                if (property.Value.ValueKind != JsonValueKind.Null)
                {
                    fields[name] = property.Value;
                }
            }
            else if (!isLenient)
            {
                throw GoogleErrors.UnknownField(property.Name, path);
            }
        }

        return new GeminiObject(fields, path);
    }

    public bool Has(string name) => _fields.ContainsKey(name);

    public JsonElement? Find(string name) => _fields.TryGetValue(name, out JsonElement value) ? value : null;

    public string At(string name)
    {
        StringBuilder path = new(Path);
        if (Path.Length > 0)
        {
            path.Append('.');
        }

        foreach (char letter in name)
        {
            _ = char.IsAsciiLetterUpper(letter) ? path.Append('_').Append(char.ToLowerInvariant(letter)) : path.Append(letter);
        }

        return path.ToString();
    }

    public string? Text(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => TextOf(value),
        { } other => throw GoogleErrors.WrongType(At(name), "TYPE_STRING", other),
    };

    public bool? Flag(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } other => throw GoogleErrors.WrongType(At(name), "TYPE_BOOL", other),
    };

    /// <summary>Whole numbers may also come as text.</summary>
    public long? Integer(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt64(out long number) => number,
        { ValueKind: JsonValueKind.Number } value when value.GetDouble() is var real && real == Math.Floor(real) && Math.Abs(real) < int.MaxValue => (long)real,
        { ValueKind: JsonValueKind.String } value when long.TryParse(TextOf(value), CultureInfo.InvariantCulture, out long number) => number,
        { } other => throw GoogleErrors.WrongType(At(name), "TYPE_INT32", other),
    };

    public double? Number(string name, double least, double most)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        double number = value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw GoogleErrors.WrongType(At(name), "TYPE_FLOAT", value);
        return number >= least && number <= most
            ? number
            : throw GoogleErrors.Invalid(string.Create(
                CultureInfo.InvariantCulture,
                $"* GenerateContentRequest.{At(name)}: {name} must be in the range [{least:0.0}, {most:0.0}]."));
    }

    public IEnumerable<(JsonElement Item, string Path)> List(string name)
    {
        if (Find(name) is not { } value)
        {
            return [];
        }

        // The form of protocol buffers lets one message stand for a list of one.
        string at = At(name);
        return value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray().Select((item, index) => (item, $"{at}[{index}]"))
            : value.ValueKind == JsonValueKind.Object ? [(value, at)]
            : throw GoogleErrors.WrongType(at, "TYPE_MESSAGE", value);
    }

    public IReadOnlyList<string> Texts(string name)
    {
        List<string> texts = [];
        foreach ((JsonElement item, string path) in List(name))
        {
            texts.Add(item.ValueKind == JsonValueKind.String ? TextOf(item) : throw GoogleErrors.WrongType(path, "TYPE_STRING", item));
        }

        return texts;
    }

    /// <summary>The bytes of a field of bytes; base64 of both alphabets, padded or not.</summary>
    public byte[]? Bytes(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        string plain = text.TrimEnd('=').Replace('-', '+').Replace('_', '/');
        byte[] bytes = new byte[plain.Length];
        return Convert.TryFromBase64String(plain.PadRight((plain.Length + 3) / 4 * 4, '='), bytes, out int length)
            ? bytes[..length]
            : throw GoogleErrors.Invalid($"Invalid value at '{At(name)}' (TYPE_BYTES), Base64 decoding failed for \"{(text.Length > 60 ? text[..60] : text)}\"");
    }

    /// <summary>An object of any fields.</summary>
    public JsonElement? Struct(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } value => value,
        { } other => throw GoogleErrors.WrongType(At(name), "type.googleapis.com/google.protobuf.Struct", other),
    };

    private static string TextOf(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw GoogleErrors.Malformed();
        }
    }

    private static string CamelCase(string name)
    {
        if (!name.Contains('_', StringComparison.Ordinal) || name[0] == '_')
        {
            return name;
        }

        string[] words = name.Split('_');
        return words[0] + string.Concat(words.Skip(1).Select(static word => word.Length == 0 ? "" : char.ToUpperInvariant(word[0]) + word[1..]));
    }
}
