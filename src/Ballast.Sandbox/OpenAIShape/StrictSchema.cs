using System.Text.Json;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>What strict mode asks of a schema: every object closed, every property required.</summary>
internal static class StrictSchema
{
    private const int MaxDepth = 30;

    public static void Check(JsonElement schema, string lead, string param) => Check(schema, lead, param, [], 0);

    private static void Check(JsonElement schema, string lead, string param, string[] context, int depth)
    {
        if (schema.ValueKind != JsonValueKind.Object || depth > MaxDepth)
        {
            return;
        }

        if (schema.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object)
        {
            CheckObject(schema, properties, lead, param, context);
            foreach (JsonProperty property in properties.EnumerateObject())
            {
                Check(property.Value, lead, param, [.. context, "properties", property.Name], depth + 1);
            }
        }

        foreach (string keyword in (ReadOnlySpan<string>)["$defs", "definitions"])
        {
            if (schema.TryGetProperty(keyword, out JsonElement named) && named.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty definition in named.EnumerateObject())
                {
                    Check(definition.Value, lead, param, [.. context, keyword, definition.Name], depth + 1);
                }
            }
        }

        if (schema.TryGetProperty("items", out JsonElement items))
        {
            Check(items, lead, param, [.. context, "items"], depth + 1);
        }

        if (schema.TryGetProperty("anyOf", out JsonElement any) && any.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement alternative in any.EnumerateArray())
            {
                Check(alternative, lead, param, [.. context, "anyOf"], depth + 1);
            }
        }
    }

    private static void CheckObject(JsonElement schema, JsonElement properties, string lead, string param, string[] context)
    {
        string where = "(" + string.Join(", ", context.Select(step => $"'{step}'")) + (context.Length == 1 ? ",)" : ")");
        if (!schema.TryGetProperty("additionalProperties", out JsonElement more) || more.ValueKind != JsonValueKind.False)
        {
            throw ChatErrors.Refused(
                param,
                "invalid_function_parameters",
                $"{lead}: In context={where}, 'additionalProperties' is required to be supplied and to be false.");
        }

        HashSet<string?> required = schema.TryGetProperty("required", out JsonElement list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString())]
            : [];
        foreach (JsonProperty property in properties.EnumerateObject())
        {
            if (!required.Contains(property.Name))
            {
                throw ChatErrors.Refused(
                    param,
                    "invalid_function_parameters",
                    $"{lead}: In context={where}, 'required' is required to be supplied "
                    + "and to be an array including every key in properties. "
                    + $"Missing '{property.Name}'.");
            }
        }
    }
}
