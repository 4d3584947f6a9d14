using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// Schemas. <c>parameters</c> and <c>responseSchema</c> hold a subset of OpenAPI 3.0 (types in capitals, <c>nullable</c>, no references); the fields named <c>…JsonSchema</c>
/// beside them hold JSON Schema, of which the API heeds a part (https://ai.google.dev/gemini-api/docs/structured-output). The first is turned into JSON Schema when it is
/// read; what is written is always the second.
/// </summary>
internal static class GeminiSchema
{
    /// <summary>Keywords of JSON Schema that the API does not heed.</summary>
    private static readonly string[] s_unheeded =
    [
        "pattern", "minLength", "maxLength", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems", "minProperties", "maxProperties", "patternProperties",
        "propertyNames", "contains", "minContains", "maxContains", "if", "then", "else", "not", "allOf", "dependentRequired", "dependentSchemas", "unevaluatedProperties",
    ];

    /// <summary>Most properties that are put in an order of their own.</summary>
    private const int PropertyOrderMax = 256;

    private static readonly string[] s_counts = ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];

    /// <summary>JSON Schema of what was written in OpenAPI's form.</summary>
    public static RawJson ToJsonSchema(RawJson own)
    {
        using JsonDocument document = JsonDocument.Parse(own.Utf8, new JsonDocumentOptions { MaxDepth = GeminiCursor.DepthMax });
        ArrayBufferWriter<byte> output = new(own.Utf8.Length + 64);
        using (Utf8JsonWriter json = new(output, GeminiProtocol.WriterOptions))
        {
            Convert(document.RootElement, json);
        }

        return new RawJson(output.WrittenMemory);
    }

    /// <summary>True where the schema's root is an object: the only form in which it can be a function's parameters.</summary>
    public static bool IsObject(RawJson schema)
    {
        if (schema.IsEmpty)
        {
            return false;
        }

        using JsonDocument document = JsonDocument.Parse(schema.Utf8, new JsonDocumentOptions { MaxDepth = GeminiCursor.DepthMax });
        return document.RootElement.ValueKind == JsonValueKind.Object
            && (document.RootElement.TryGetProperty("type"u8, out JsonElement type)
                ? type.ValueKind == JsonValueKind.String && type.ValueEquals("object"u8)
                : document.RootElement.TryGetProperty("properties"u8, out _));
    }

    /// <summary>Names at <paramref name="pointer"/> what a schema of another protocol demands and this API will not heed.</summary>
    public static void NoteUnheeded(RawJson schema, string pointer, LossReport losses)
    {
        if (!schema.IsEmpty)
        {
            using JsonDocument document = JsonDocument.Parse(schema.Utf8, new JsonDocumentOptions { MaxDepth = GeminiCursor.DepthMax });
            Note(document.RootElement, "", pointer, losses);
        }
    }

    private static void Note(JsonElement node, string inside, string pointer, LossReport losses)
    {
        if (node.ValueKind == JsonValueKind.Array)
        {
            int index = 0;
            foreach (JsonElement item in node.EnumerateArray())
            {
                Note(item, GeminiCursor.Below(inside, index++), pointer, losses);
            }
        }

        if (node.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        foreach (JsonProperty property in node.EnumerateObject())
        {
            string here = GeminiCursor.Below(inside, property.Name);
            switch (property.Name)
            {
                case "properties" or "$defs" or "definitions" when property.Value.ValueKind == JsonValueKind.Object:
                    foreach (JsonProperty inner in property.Value.EnumerateObject())
                    {
                        Note(inner.Value, GeminiCursor.Below(here, inner.Name), pointer, losses);
                    }

                    break;
                case "items" or "additionalProperties" or "anyOf" or "oneOf" or "prefixItems":
                    Note(property.Value, here, pointer, losses);
                    break;
                default:
                    if (s_unheeded.Contains(property.Name))
                    {
                        losses.Add(pointer, $"This bound is not enforced here. ({here})");
                    }

                    break;
            }
        }
    }

    private static void Convert(JsonElement node, Utf8JsonWriter json)
    {
        if (node.ValueKind != JsonValueKind.Object)
        {
            node.WriteTo(json);
            return;
        }

        bool isNullable = node.EnumerateObject().Any(property => property.NameEquals("nullable"u8) && property.Value.ValueKind == JsonValueKind.True);
        bool hasType = node.TryGetProperty("type"u8, out _);
        // JSON Schema has no word for the order of properties but their own.
        List<string> order = [.. node.EnumerateObject()
            .Where(property => GeminiCursor.Camel(property.Name) == "propertyOrdering" && property.Value.ValueKind == JsonValueKind.Array)
            .SelectMany(property => property.Value.EnumerateArray()).Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!)
            .Take(PropertyOrderMax)];
        json.WriteStartObject();
        foreach (JsonProperty property in node.EnumerateObject())
        {
            ConvertKeyword(property, isNullable, hasType, order, json);
        }

        json.WriteEndObject();
    }

    private static void ConvertKeyword(JsonProperty property, bool isNullable, bool hasType, List<string> order, Utf8JsonWriter json)
    {
        string name = GeminiCursor.Camel(property.Name);
        JsonElement value = property.Value;
        switch (name)
        {
            case "nullable" or "propertyOrdering":
                break;
            case "type" when value.ValueKind is JsonValueKind.String or JsonValueKind.Number:
                string type = TypeOf(value);
                if (isNullable && type != "null")
                {
                    json.WriteStartArray("type"u8);
                    json.WriteStringValue(type);
                    json.WriteStringValue("null"u8);
                    json.WriteEndArray();
                }
                else
                {
                    json.WriteString("type"u8, type);
                }

                break;
            case "properties" when value.ValueKind == JsonValueKind.Object:
                json.WriteStartObject("properties"u8);
                foreach (JsonProperty inner in value.EnumerateObject().OrderBy(inner => order.IndexOf(inner.Name) is var at and >= 0 ? at : int.MaxValue))
                {
                    json.WritePropertyName(inner.Name);
                    Convert(inner.Value, json);
                }

                json.WriteEndObject();
                break;
            case "items":
                json.WritePropertyName("items"u8);
                Convert(value, json);
                break;
            case "anyOf" or "prefixItems" or "enum" when value.ValueKind == JsonValueKind.Array:
                ConvertList(name, value, isNullable, hasType, json);
                break;
            default:
                // 64-bit counts may be written as strings.
                json.WritePropertyName(s_counts.Contains(name) ? name : property.Name);
                if (s_counts.Contains(name) && value.ValueKind == JsonValueKind.String && long.TryParse(value.GetString(), out long count))
                {
                    json.WriteNumberValue(count);
                }
                else
                {
                    value.WriteTo(json);
                }

                break;
        }
    }

    private static void ConvertList(string name, JsonElement value, bool isNullable, bool hasType, Utf8JsonWriter json)
    {
        json.WriteStartArray(name);
        foreach (JsonElement inner in value.EnumerateArray())
        {
            Convert(inner, json);
        }

        if (isNullable && name == "enum")
        {
            json.WriteNullValue();
        }
        else if (isNullable && !hasType && name == "anyOf")
        {
            json.WriteRawValue("""{"type":"null"}"""u8, skipInputValidation: true);
        }

        json.WriteEndArray();
    }

    private static string TypeOf(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? value.GetString()!.ToLowerInvariant()
        : value.GetRawText() switch
        {
            "1" => "string",
            "2" => "number",
            "3" => "integer",
            "4" => "boolean",
            "5" => "array",
            "6" => "object",
            "7" => "null",
            string other => other,
        };
}
