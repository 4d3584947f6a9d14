using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Google;

/// <summary>
/// The subset of OpenAPI's schemas that <c>parameters</c> and <c>responseSchema</c> take (https://ai.google.dev/api/caching#Schema), made into a JSON schema. Keywords beside
/// it are refused, as <c>additionalProperties</c> and <c>$ref</c> are.
/// </summary>
internal static class GeminiSchema
{
    private const int MaxDepth = 32;

    private static readonly string[] s_known =
    [
        "type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties", "required", "minProperties", "maxProperties", "minLength",
        "maxLength", "pattern", "example", "anyOf", "propertyOrdering", "default", "items", "minimum", "maximum",
    ];

    private static readonly string[] s_copied = ["format", "title", "description", "pattern", "default", "minimum", "maximum"];

    private static readonly string[] s_counts = ["maxItems", "minItems", "minProperties", "maxProperties", "minLength", "maxLength"];

    public static JsonElement Read(JsonElement schema, string path, bool isLenient)
    {
        using JsonDocument made = JsonDocument.Parse(Convert(schema, path, isLenient, 0).ToJsonString());
        return made.RootElement.Clone();
    }

    private static JsonObject Convert(JsonElement element, string path, bool isLenient, int depth)
    {
        if (depth > MaxDepth)
        {
            throw GoogleErrors.Invalid("The specified schema produces a constraint that has too much branching for serving.");
        }

        GeminiObject schema = GeminiObject.Open(element, path, isLenient, s_known);
        JsonObject made = [];
        string? type = ReadType(schema);
        if (type is not null)
        {
            made["type"] = schema.Flag("nullable") == true ? new JsonArray(type, "null") : type;
        }

        foreach (string name in s_copied.Where(schema.Has))
        {
            made[name] = JsonNode.Parse(schema.Find(name)!.Value.GetRawText());
        }

        foreach (string name in s_counts.Where(schema.Has))
        {
            made[name] = schema.Integer(name);
        }

        if (schema.Has("enum"))
        {
            made["enum"] = new JsonArray([.. schema.Texts("enum").Select(static text => (JsonNode)text)]);
        }

        AddParts(schema, type, made, isLenient, depth);
        return made;
    }

    private static void AddParts(GeminiObject schema, string? type, JsonObject made, bool isLenient, int depth)
    {
        if (schema.Struct("properties") is { } properties)
        {
            JsonObject inner = [];
            foreach (JsonProperty property in properties.EnumerateObject())
            {
                inner[property.Name] = Convert(property.Value, $"{schema.At("properties")}[{property.Name}].value", isLenient, depth + 1);
            }

            made["properties"] = inner;
        }

        if (schema.Has("required"))
        {
            foreach (string name in schema.Texts("required").Where(name => made["properties"]?[name] is null))
            {
                throw GoogleErrors.Invalid($"* GenerateContentRequest.{schema.At("required")}: only allowed for OBJECT type: property is not defined: {name}");
            }

            made["required"] = new JsonArray([.. schema.Texts("required").Select(static text => (JsonNode)text)]);
        }

        if (schema.Find("items") is { } items)
        {
            made["items"] = Convert(items, schema.At("items"), isLenient, depth + 1);
        }
        else if (type == "array")
        {
            throw GoogleErrors.Invalid($"* GenerateContentRequest.{schema.At("items")}: missing field.");
        }

        if (schema.Has("anyOf"))
        {
            made["anyOf"] = new JsonArray([.. schema.List("anyOf").Select(one => (JsonNode)Convert(one.Item, one.Path, isLenient, depth + 1))]);
        }
    }

    private static string? ReadType(GeminiObject schema) => schema.Text("type")?.ToUpperInvariant() switch
    {
        null or "TYPE_UNSPECIFIED" => null,
        "STRING" or "NUMBER" or "INTEGER" or "BOOLEAN" or "ARRAY" or "OBJECT" or "NULL" => schema.Text("type")!.ToLowerInvariant(),
        _ => throw GoogleErrors.WrongType(schema.At("type"), "type.googleapis.com/google.ai.generativelanguage.v1beta.Type", schema.Find("type")!.Value),
    };
}
