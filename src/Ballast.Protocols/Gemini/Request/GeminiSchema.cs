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

    /// <summary>JSON Schema of what was written in OpenAPI's form at <paramref name="pointer"/>; what it has no word for goes to <paramref name="extras"/>.</summary>
    public static RawJson ToJsonSchema(RawJson own, string pointer, List<Extra> extras)
    {
        using JsonDocument document = JsonDocument.Parse(own.Utf8, new JsonDocumentOptions { MaxDepth = GeminiCursor.DepthMax });
        ArrayBufferWriter<byte> output = new(own.Utf8.Length + 64);
        using (Utf8JsonWriter json = new(output, GeminiProtocol.WriterOptions))
        {
            new GeminiSchemaConverter(pointer, extras).Convert(document.RootElement, pointer, json);
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
}
