using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ballast.Protocols.Conversation;

/// <summary>One schema object, read once: what it says is then found without looking its keywords over again for every value.</summary>
internal sealed class JsonSchemaRules
{
    private static readonly TimeSpan s_patternTimeout = TimeSpan.FromMilliseconds(100);

    private readonly List<string> _types = [];
    private double? _minimum;
    private double? _maximum;
    private double? _above;
    private double? _below;

    public JsonSchemaRules(JsonElement schema)
    {
        foreach (JsonProperty keyword in schema.EnumerateObject())
        {
            switch (keyword.Value.ValueKind)
            {
                case JsonValueKind.Number:
                    ReadBound(keyword.Name, keyword.Value.GetDouble());
                    break;
                case JsonValueKind.Array:
                    ReadList(keyword.Name, [.. keyword.Value.EnumerateArray()]);
                    break;
                case JsonValueKind.String:
                    ReadWord(keyword.Name, keyword.Value);
                    break;
            }

            ReadSchema(keyword.Name, keyword.Value);
        }
    }

    public JsonElement? Reference { get; private set; }

    public JsonValueList? Listed { get; private set; }

    public JsonValueList? Only { get; private set; }

    public List<JsonElement> AllOf { get; private set; } = [];

    public List<JsonElement>? AnyOf { get; private set; }

    public List<JsonElement>? OneOf { get; private set; }

    public List<string> Required { get; private set; } = [];

    public Dictionary<string, JsonElement> Properties { get; private set; } = [];

    public JsonElement? OtherProperties { get; private set; }

    public (double? Least, double? Most) PropertiesCount { get; private set; }

    public List<JsonElement> PrefixItems { get; private set; } = [];

    public JsonElement? Items { get; private set; }

    public (double? Least, double? Most) ItemsCount { get; private set; }

    public Regex? Pattern { get; private set; }

    public (double? Least, double? Most) Length { get; private set; }

    public string TypeFault => _types.Count == 1 ? $"must be of type {_types[0]}" : $"must be of one of the types {string.Join(", ", _types)}";

    /// <summary>Where an element of a document stands in the text that the document was read from: what tells it from every other.</summary>
    public static int PlaceOf(JsonElement element, ReadOnlyMemory<byte> text)
    {
        text.Span.Overlaps(JsonMarshal.GetRawUtf8Value(element), out int place);
        return place;
    }

    public bool Allows(JsonElement value)
    {
        foreach (string type in _types)
        {
            if (IsOfType(value, type))
            {
                return true;
            }
        }

        return _types.Count == 0;
    }

    private static bool IsOfType(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && value.GetDouble() is double number && Math.Floor(number) == number,
        _ => true,
    };

    public bool IsInBounds(double number) =>
        !(number < _minimum || number > _maximum || number <= _above || number >= _below);

    private void ReadBound(string keyword, double bound)
    {
        switch (keyword)
        {
            case "minimum": _minimum = bound; break;
            case "maximum": _maximum = bound; break;
            case "exclusiveMinimum": _above = bound; break;
            case "exclusiveMaximum": _below = bound; break;
            case "minProperties": PropertiesCount = (bound, PropertiesCount.Most); break;
            case "maxProperties": PropertiesCount = (PropertiesCount.Least, bound); break;
            case "minItems": ItemsCount = (bound, ItemsCount.Most); break;
            case "maxItems": ItemsCount = (ItemsCount.Least, bound); break;
            case "minLength": Length = (bound, Length.Most); break;
            case "maxLength": Length = (Length.Least, bound); break;
        }
    }

    private void ReadList(string keyword, List<JsonElement> items)
    {
        switch (keyword)
        {
            case "enum": Listed = new JsonValueList(items); break;
            case "allOf": AllOf = items; break;
            case "anyOf": AnyOf = items; break;
            case "oneOf": OneOf = items; break;
            case "prefixItems": PrefixItems = items; break;
            case "required": Required = [.. items.Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)]; break;
            case "type":
                _types.Clear();
                _types.AddRange(items.Select(item => item.ToString()).Distinct());
                break;
        }
    }

    private void ReadWord(string keyword, JsonElement word)
    {
        switch (keyword)
        {
            case "$ref":
                Reference = word;
                break;
            case "type":
                _types.Clear();
                _types.Add(word.GetString()!);
                break;
            case "pattern":
                Pattern = PatternOf(word.GetString()!);
                break;
        }
    }

    private void ReadSchema(string keyword, JsonElement value)
    {
        switch (keyword)
        {
            case "const": Only = new JsonValueList([value]); break;
            case "items": Items = value; break;
            case "additionalProperties": OtherProperties = value; break;
            case "properties" when value.ValueKind == JsonValueKind.Object:
                Properties = [];
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    Properties[property.Name] = property.Value;
                }

                break;
        }
    }

    // Patterns come from callers: matching takes linear time, and what that engine cannot do does not restrict.
    private static Regex? PatternOf(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, s_patternTimeout);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}
