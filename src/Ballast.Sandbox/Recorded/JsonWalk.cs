using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ballast.Sandbox.Recorded;

/// <summary>Small questions about JSON that the checks of recorded exchanges ask again and again.</summary>
internal static class JsonWalk
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static JsonDocument? TryParse(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 256 });
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static JsonDocument? TryParse(string json) => TryParse(Encoding.UTF8.GetBytes(json));

    public static JsonElement? Get(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string? Text(JsonElement element, string name) => Get(element, name) is { ValueKind: JsonValueKind.String } value ? TextOf(value) : null;

    /// <summary>A string's value; halves of surrogate pairs, which cannot be had as text, are kept as they are escaped.</summary>
    public static string TextOf(JsonElement value)
    {
        try
        {
            return value.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            return value.GetRawText().Trim('"');
        }
    }

    public static long? Count(JsonElement element, string name) =>
        Get(element, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out double number) ? (long)Math.Max(0, number) : null;

    public static IEnumerable<JsonElement> Items(JsonElement? array) => array is { ValueKind: JsonValueKind.Array } value ? value.EnumerateArray() : [];

    public static IEnumerable<JsonProperty> Fields(JsonElement? value) => value is { ValueKind: JsonValueKind.Object } fields ? fields.EnumerateObject() : [];

    /// <summary>Nothing is said by null, by an empty text, and by a list or object of nothing else.</summary>
    public static bool SaysNothing(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => true,
        JsonValueKind.String => value.ValueEquals(""),
        JsonValueKind.Array => value.EnumerateArray().All(SaysNothing),
        JsonValueKind.Object => value.EnumerateObject().All(field => SaysNothing(field.Value)),
        _ => false,
    };

    /// <summary>A figure of zero, nothing, or an object or list of nothing else.</summary>
    public static bool IsZero(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble() == 0,
        JsonValueKind.Object => value.EnumerateObject().All(field => IsZero(field.Value)),
        JsonValueKind.Array => value.EnumerateArray().All(IsZero),
        _ => SaysNothing(value),
    };

    public static string Below(string pointer, string name) => $"{pointer}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";

    public static string Below(string pointer, int index) => $"{pointer}/{index.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>One spelling for each value: names in order, numbers by value.</summary>
    public static string Canonical(JsonElement element)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer, WriterOptions))
        {
            Write(element, json);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>A text of JSON in its one spelling; any other text as it is; an empty one is an empty object, as in arguments.</summary>
    public static string CanonicalText(string json)
    {
        using JsonDocument? document = TryParse(string.IsNullOrWhiteSpace(json) ? "{}" : json);
        return document is null ? json : Canonical(document.RootElement);
    }

    private static void Write(JsonElement element, Utf8JsonWriter json)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                json.WriteStartObject();
                foreach (JsonProperty property in element.EnumerateObject().OrderBy(property => property.Name, StringComparer.Ordinal))
                {
                    json.WritePropertyName(property.Name);
                    Write(property.Value, json);
                }

                json.WriteEndObject();
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (JsonElement item in element.EnumerateArray())
                {
                    Write(item, json);
                }

                json.WriteEndArray();
                break;
            case JsonValueKind.Number when element.TryGetDouble(out double number):
                json.WriteRawValue(Number(number), skipInputValidation: true);
                break;
            case JsonValueKind.String:
                json.WriteStringValue(TextOf(element));
                break;
            default:
                element.WriteTo(json);
                break;
        }
    }

    /// <summary>A number by its value, so that 1 and 1.0 are one.</summary>
    public static string Number(double number) =>
        number == Math.Floor(number) && Math.Abs(number) < 1e15
            ? ((long)number).ToString(CultureInfo.InvariantCulture)
            : number.ToString("R", CultureInfo.InvariantCulture);
}
