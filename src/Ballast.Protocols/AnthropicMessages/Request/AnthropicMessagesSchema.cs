using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// Brings a JSON Schema into the subset that this API compiles for structured output and strict tools
/// (https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs): objects are closed, bounds on numbers and lengths do not exist.
/// </summary>
internal static class AnthropicMessagesSchema
{
    private static readonly string[] Unsupported =
    [
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems", "uniqueItems", "minProperties",
        "maxProperties", "patternProperties", "propertyNames", "contains", "if", "then", "else", "not", "dependentRequired", "dependentSchemas",
    ];

    private static readonly string[] Formats =
        ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

    /// <summary>True where the schema's root is an object: the only form in which it can be a tool's input.</summary>
    public static bool IsObject(RawJson schema)
    {
        if (schema.IsEmpty)
        {
            return false;
        }

        JsonSpan type = AnthropicMessagesPeek.FindField(schema.Utf8, "type"u8);
        return type.IsPresent
            ? schema.Utf8.Span.Slice(type.Start, type.Length).SequenceEqual("\"object\""u8)
            : AnthropicMessagesPeek.FindField(schema.Utf8, "properties"u8).IsPresent;
    }

    /// <summary>Writes a tool's schema as it is; the API only insists on the word that it describes an object.</summary>
    public static void WriteOpen(Utf8JsonWriter json, RawJson schema)
    {
        if (schema.IsEmpty)
        {
            json.WriteRawValue("""{"type":"object","properties":{}}"""u8, skipInputValidation: true);
        }
        else if (AnthropicMessagesPeek.FindField(schema.Utf8, "type"u8).IsPresent)
        {
            schema.WriteTo(json);
        }
        else
        {
            using JsonDocument document = JsonDocument.Parse(schema.Utf8);
            json.WriteStartObject();
            json.WriteString("type"u8, "object"u8);
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                property.WriteTo(json);
            }

            json.WriteEndObject();
        }
    }

    /// <summary>
    /// Writes a schema for constrained output. What is changed is named as a loss at the schema itself, since names within it are the caller's own; the reason says
    /// where within.
    /// </summary>
    public static void WriteClosed(Utf8JsonWriter json, RawJson schema, string pointer, LossReport losses, string? title = null, string? description = null)
    {
        // OpenAI takes a named form without a schema: any JSON will do.
        RawJson given = schema.IsEmpty ? RawJson.EmptyObject : schema;
        using JsonDocument document = JsonDocument.Parse(given.Utf8, new JsonDocumentOptions { MaxDepth = JsonFields.DepthMax });
        WriteNode(json, document.RootElement, new Place(pointer, "", losses), title, description);
    }

    /// <summary>A place within a schema.</summary>
    private readonly record struct Place(string Schema, string Inside, LossReport Losses)
    {
        public Place Below(string name) => this with { Inside = JsonFields.Join(Inside, name) };

        public Place Below(int index) => this with { Inside = JsonFields.Join(Inside, index) };

        public void Lose(string reason) => Losses.Add(Schema, $"{reason} ({Inside})");
    }

    private static void WriteNode(
        Utf8JsonWriter json, JsonElement node, Place place, string? title = null, string? description = null)
    {
        if (node.ValueKind != JsonValueKind.Object)
        {
            node.WriteTo(json);
            return;
        }

        json.WriteStartObject();
        WriteAbsent(json, node, "title", title);
        WriteAbsent(json, node, "description", description);
        foreach (JsonProperty property in node.EnumerateObject())
        {
            WriteKeyword(json, property, place.Below(property.Name));
        }

        if (DescribesObject(node))
        {
            if (!node.TryGetProperty("additionalProperties"u8, out _))
            {
                place.Lose("Objects are closed here.");
            }

            json.WriteBoolean("additionalProperties"u8, false);
        }

        json.WriteEndObject();
    }

    private static void WriteAbsent(Utf8JsonWriter json, JsonElement node, string name, string? value)
    {
        if (value is not null && !node.TryGetProperty(name, out _))
        {
            json.WriteString(name, value);
        }
    }

    private static bool DescribesObject(JsonElement node)
    {
        if (!node.TryGetProperty("type", out JsonElement type))
        {
            return node.TryGetProperty("properties", out _);
        }

        return type.ValueKind == JsonValueKind.Array
            ? type.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && one.ValueEquals("object"u8))
            : type.ValueKind == JsonValueKind.String && type.ValueEquals("object"u8);
    }

    private static void WriteKeyword(Utf8JsonWriter json, JsonProperty property, Place place)
    {
        switch (property.Name)
        {
            case "additionalProperties":
                if (property.Value.ValueKind != JsonValueKind.False)
                {
                    place.Lose("Objects are closed here.");
                }

                break;
            case "properties" or "$defs" or "definitions" when property.Value.ValueKind == JsonValueKind.Object:
                json.WriteStartObject(property.Name);
                foreach (JsonProperty inner in property.Value.EnumerateObject())
                {
                    json.WritePropertyName(inner.Name);
                    WriteNode(json, inner.Value, place.Below(inner.Name));
                }

                json.WriteEndObject();
                break;
            case "anyOf" or "allOf" or "oneOf" when property.Value.ValueKind == JsonValueKind.Array:
                // Exactly one of several is not compiled; any of them comes nearest.
                if (property.Name == "oneOf")
                {
                    place.Lose("Any of the forms is taken, not exactly one.");
                }

                json.WriteStartArray(property.Name == "allOf" ? "allOf" : "anyOf");
                int index = 0;
                foreach (JsonElement inner in property.Value.EnumerateArray())
                {
                    WriteNode(json, inner, place.Below(index++));
                }

                json.WriteEndArray();
                break;
            case "items":
                json.WritePropertyName("items"u8);
                WriteNode(json, property.Value, place);
                break;
            case "minItems" when !property.Value.TryGetIntegerUpToOne():
            case "format" when !Formats.Contains(property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : ""):
                place.Lose("This bound is not enforced here.");
                break;
            default:
                WriteOther(json, property, place);
                break;
        }
    }

    private static void WriteOther(Utf8JsonWriter json, JsonProperty property, Place place)
    {
        if (Unsupported.Contains(property.Name))
        {
            place.Lose("This bound is not enforced here.");
            return;
        }

        property.WriteTo(json);
    }

    private static bool TryGetIntegerUpToOne(this JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long count) && count is 0 or 1;
}
