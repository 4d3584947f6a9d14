using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Recorded;

/// <summary>Schemas of Gemini's own dialect (types in capitals, <c>nullable</c>) in the words of JSON Schema.</summary>
internal static class GeminiSchemaText
{
    /// <summary>By their numbers, from 1.</summary>
    private static readonly string[] Types = ["string", "number", "integer", "boolean", "array", "object", "null"];

    public static string Plain(JsonElement schema)
    {
        JsonNode node = JsonNode.Parse(schema.GetRawText())!;
        Walk(node);
        using JsonDocument document = JsonDocument.Parse(node.ToJsonString());
        return JsonWalk.Canonical(document.RootElement);
    }

    private static void Walk(JsonNode? node)
    {
        if (node is JsonArray items)
        {
            foreach (JsonNode? item in items)
            {
                Walk(item);
            }
        }
        else if (node is JsonObject fields)
        {
            foreach ((string _, JsonNode? value) in fields.ToList())
            {
                Walk(value);
            }

            if (fields["type"] is JsonValue number && number.GetValueKind() == JsonValueKind.Number && (int)number is > 0 and int place && place <= Types.Length)
            {
                fields["type"] = Types[place - 1];
            }

            if (fields["type"] is JsonValue type && type.GetValueKind() == JsonValueKind.String && type.GetValue<string>() is { } word && word.All(letter => char.IsAsciiLetterUpper(letter) || letter == '_'))
            {
                fields["type"] = word.ToLowerInvariant();
            }

            fields.Remove("propertyOrdering");
            fields.Remove("property_ordering");
        }
    }
}
