using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>Turns OpenAPI's form of a schema into JSON Schema; what has no word there, nor a place, is named.</summary>
/// <param name="root">Pointer of the schema. Of what lies deeper in it, the schema as a whole is named.</param>
/// <param name="extras">Takes what is lost.</param>
internal sealed class GeminiSchemaConverter(string root, List<Extra> extras)
{
    /// <summary>Most properties that are put in an order of their own.</summary>
    private const int PropertyOrderMax = 256;

    private static readonly string[] s_counts = ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];

    public void Convert(JsonElement node, string at, Utf8JsonWriter json)
    {
        if (node.ValueKind != JsonValueKind.Object)
        {
            node.WriteTo(json);
            return;
        }

        bool isNullable = node.EnumerateObject().Any(property => property.NameEquals("nullable"u8) && property.Value.ValueKind == JsonValueKind.True);
        bool hasType = node.TryGetProperty("type"u8, out _);
        // JSON Schema has no word for the order of properties but their own.
        List<string> order = OrderOf(node, at);
        json.WriteStartObject();
        foreach (JsonProperty property in node.EnumerateObject())
        {
            ConvertKeyword(property, at, isNullable, hasType, order, json);
        }

        json.WriteEndObject();
    }

    private List<string> OrderOf(JsonElement node, string at)
    {
        List<string> order = [];
        JsonElement properties = node.EnumerateObject().FirstOrDefault(property => property.NameEquals("properties"u8)).Value;
        foreach (JsonProperty property in node.EnumerateObject().Where(property => GeminiCursor.Camel(property.Name) == "propertyOrdering"))
        {
            string here = GeminiCursor.Below(at, property.Name);
            if (property.Value.ValueKind != JsonValueKind.Array)
            {
                Lose(property.Name, at, here, property.Value);
                continue;
            }

            int index = 0;
            foreach (JsonElement name in property.Value.EnumerateArray())
            {
                if (name.ValueKind == JsonValueKind.String && order.Count < PropertyOrderMax
                    && properties.ValueKind == JsonValueKind.Object && properties.TryGetProperty(name.GetString()!, out _))
                {
                    order.Add(name.GetString()!);
                }
                else
                {
                    Lose(property.Name, at, GeminiCursor.Below(here, index), name);
                }

                index++;
            }
        }

        return order;
    }

    private void Lose(string name, string schema, string at, JsonElement value) =>
        extras.Add(new Extra(name, schema == root ? at : root, RawJson.From(value.GetRawText())) { IsSaid = true });

    private void ConvertKeyword(JsonProperty property, string at, bool isNullable, bool hasType, List<string> order, Utf8JsonWriter json)
    {
        string name = GeminiCursor.Camel(property.Name);
        JsonElement value = property.Value;
        string here = GeminiCursor.Below(at, property.Name);
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
                    Convert(inner.Value, GeminiCursor.Below(here, inner.Name), json);
                }

                json.WriteEndObject();
                break;
            case "items":
                json.WritePropertyName("items"u8);
                Convert(value, here, json);
                break;
            case "anyOf" or "prefixItems" or "enum" when value.ValueKind == JsonValueKind.Array:
                ConvertList(name, value, here, isNullable, hasType, json);
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

    private void ConvertList(string name, JsonElement value, string at, bool isNullable, bool hasType, Utf8JsonWriter json)
    {
        json.WriteStartArray(name);
        int index = 0;
        foreach (JsonElement inner in value.EnumerateArray())
        {
            Convert(inner, GeminiCursor.Below(at, index++), json);
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
