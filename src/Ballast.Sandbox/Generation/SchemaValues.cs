using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Generation;

/// <summary>
/// Makes a value that is valid against a JSON schema (the subset that vendors take: types, enum, const, bounds, formats, patterns,
/// nested objects and arrays, anyOf/oneOf/allOf, <c>$ref</c> within the document) and takes what it can from the prompt.
/// </summary>
internal sealed class SchemaValues(JsonElement root, PlausibleValues plausible)
{
    /// <summary>Below this depth only what is required is made, and the simplest alternative is taken.</summary>
    private const int ModestDepth = 4;

    /// <summary>A schema that requires itself for ever ends here with null.</summary>
    private const int MaxDepth = 40;

    private const int MaxMerged = 20;

    public JsonNode? Make(string name = "") => Make(root, name, 0);

    private JsonNode? Make(JsonElement schema, string name, int depth)
    {
        if (depth > MaxDepth)
        {
            return null;
        }

        if (schema.ValueKind != JsonValueKind.Object)
        {
            return plausible.Text(name, "", 0, int.MaxValue);
        }

        schema = Resolve(schema);
        if (schema.TryGetProperty("const", out JsonElement constant))
        {
            return ToNode(constant);
        }

        if (schema.TryGetProperty("enum", out JsonElement choices) && choices.ValueKind == JsonValueKind.Array
            && choices.GetArrayLength() > 0)
        {
            return ToNode(plausible.Choose([.. choices.EnumerateArray()]));
        }

        if (Alternatives(schema) is { } alternatives)
        {
            return Make(Merge(schema, PickAlternative(alternatives, depth)), name, depth + 1);
        }

        if (schema.TryGetProperty("allOf", out JsonElement all) && all.ValueKind == JsonValueKind.Array)
        {
            JsonElement merged = schema;
            foreach (JsonElement part in all.EnumerateArray().Take(MaxMerged))
            {
                merged = Merge(merged, Resolve(part));
            }

            return Make(merged, name, depth + 1);
        }

        return TypeOf(schema) switch
        {
            "object" => MakeObject(schema, depth),
            "array" => MakeArray(schema, name, depth),
            "integer" => plausible.Integer(name, Bounds.Of(schema, isInteger: true)),
            "number" => plausible.Number(name, Bounds.Of(schema, isInteger: false)),
            "boolean" => PlausibleValues.Flag(name),
            "null" => null,
            _ => MakeText(schema, name),
        };
    }

    private JsonObject MakeObject(JsonElement schema, int depth)
    {
        JsonObject made = [];
        HashSet<string> required = Strings(schema, "required");
        if (schema.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in properties.EnumerateObject())
            {
                if (required.Contains(property.Name) || (depth < ModestDepth && plausible.Mentions(property.Name, property.Value)))
                {
                    made[property.Name] = Make(property.Value, property.Name, depth + 1);
                }
            }
        }

        foreach (string name in required.Where(name => !made.ContainsKey(name)))
        {
            bool free = !schema.TryGetProperty("additionalProperties", out JsonElement more) || more.ValueKind != JsonValueKind.Object;
            made[name] = free ? plausible.Text(name, "", 0, int.MaxValue) : Make(more, name, depth + 1);
        }

        int wanted = (int)Bounds.Whole(schema, "minProperties", 0);
        for (int i = 1; made.Count < wanted && i <= wanted; i++)
        {
            string name = "item" + i.ToString(CultureInfo.InvariantCulture);
            made[name] = schema.TryGetProperty("additionalProperties", out JsonElement more) ? Make(more, name, depth + 1) : name;
        }

        return made;
    }

    private JsonArray MakeArray(JsonElement schema, string name, int depth)
    {
        JsonArray made = [];
        if (schema.TryGetProperty("prefixItems", out JsonElement prefix) && prefix.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in prefix.EnumerateArray())
            {
                made.Add(Make(item, name, depth + 1));
            }
        }

        long least = Bounds.Whole(schema, "minItems", 0);
        long most = Bounds.Whole(schema, "maxItems", long.MaxValue);
        if (!schema.TryGetProperty("items", out JsonElement items) || items.ValueKind is JsonValueKind.False)
        {
            items = default;
        }

        if (items.ValueKind == JsonValueKind.Undefined && least <= made.Count)
        {
            return made;
        }

        bool unique = schema.TryGetProperty("uniqueItems", out JsonElement flag) && flag.ValueKind == JsonValueKind.True;
        long wanted = Math.Min(Math.Max(least, depth < ModestDepth ? 2 : 0), Math.Min(most, 200));
        for (int tries = 0; made.Count < wanted && tries < wanted * 4; tries++)
        {
            plausible.MoveOn();
            JsonNode? item = Make(items, name, depth + 1);
            if (!unique || !made.Any(other => JsonNode.DeepEquals(other, item)))
            {
                made.Add(item);
            }
        }

        return made;
    }

    private string MakeText(JsonElement schema, string name)
    {
        int least = (int)Math.Min(Bounds.Whole(schema, "minLength", 0), 10_000);
        int most = (int)Math.Min(Bounds.Whole(schema, "maxLength", int.MaxValue), int.MaxValue);
        string description = schema.TryGetProperty("description", out JsonElement told) && told.ValueKind == JsonValueKind.String
            ? told.GetString()!
            : "";
        string? format = schema.TryGetProperty("format", out JsonElement named) && named.ValueKind == JsonValueKind.String
            ? named.GetString()
            : null;
        if (schema.TryGetProperty("pattern", out JsonElement pattern) && pattern.ValueKind == JsonValueKind.String)
        {
            return plausible.Matching(pattern.GetString()!, name, description, least, most);
        }

        return (format is null ? null : plausible.Formatted(format)) ?? plausible.Text(name, description, least, most);
    }

    private JsonElement Resolve(JsonElement schema)
    {
        for (int i = 0; i < MaxMerged && schema.ValueKind == JsonValueKind.Object; i++)
        {
            if (!schema.TryGetProperty("$ref", out JsonElement reference) || reference.ValueKind != JsonValueKind.String)
            {
                return schema;
            }

            JsonElement target = root;
            foreach (string step in reference.GetString()!.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                string key = Uri.UnescapeDataString(step)
                    .Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
                if (target.ValueKind != JsonValueKind.Object || !target.TryGetProperty(key, out target))
                {
                    return default;
                }
            }

            schema = target;
        }

        return schema;
    }

    private static JsonElement[]? Alternatives(JsonElement schema)
    {
        foreach (string keyword in (ReadOnlySpan<string>)["anyOf", "oneOf"])
        {
            if (schema.TryGetProperty(keyword, out JsonElement list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0)
            {
                return [.. list.EnumerateArray()];
            }
        }

        return null;
    }

    private JsonElement PickAlternative(JsonElement[] alternatives, int depth)
    {
        JsonElement[] resolved = [.. alternatives.Select(Resolve)];
        JsonElement[] simple = [.. resolved.Where(IsSimple)];
        if (depth >= ModestDepth && simple.Length > 0)
        {
            return simple.FirstOrDefault(IsNull, simple[0]);
        }

        return resolved.FirstOrDefault(alternative => !IsNull(alternative), resolved[0]);
    }

    private static bool IsNull(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("type", out JsonElement type)
        && type.ValueKind == JsonValueKind.String && type.ValueEquals("null");

    private static bool IsSimple(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && TypeOf(schema) is not "object" and not "array" && Alternatives(schema) is null;

    /// <summary>Both schemas' keywords at once: what an alternative says beside what its parent says.</summary>
    private static JsonElement Merge(JsonElement parent, JsonElement part)
    {
        if (part.ValueKind != JsonValueKind.Object)
        {
            part = JsonDocument.Parse("{}").RootElement;
        }

        JsonObject merged = [];
        foreach (JsonProperty property in parent.EnumerateObject())
        {
            if (property.Name is not ("anyOf" or "oneOf" or "allOf"))
            {
                merged[property.Name] = ToNode(property.Value);
            }
        }

        foreach (JsonProperty property in part.EnumerateObject())
        {
            JsonNode? value = ToNode(property.Value);
            if (property.Name == "required" && merged["required"] is JsonArray required && value is JsonArray more)
            {
                foreach (JsonNode? name in more)
                {
                    required.Add(name?.DeepClone());
                }
            }
            else if (property.Name == "properties" && merged["properties"] is JsonObject known && value is JsonObject further)
            {
                foreach ((string name, JsonNode? schema) in further)
                {
                    known[name] = schema?.DeepClone();
                }
            }
            else
            {
                merged[property.Name] = value;
            }
        }

        return JsonDocument.Parse(merged.ToJsonString()).RootElement;
    }

    private static string TypeOf(JsonElement schema)
    {
        if (schema.TryGetProperty("type", out JsonElement type))
        {
            if (type.ValueKind == JsonValueKind.String)
            {
                return type.GetString()!;
            }

            if (type.ValueKind == JsonValueKind.Array && type.GetArrayLength() > 0)
            {
                string[] types =
                    [.. type.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString()!)];
                return types.FirstOrDefault(one => one != "null") ?? "null";
            }
        }

        return schema.TryGetProperty("properties", out _) ? "object"
            : schema.TryGetProperty("items", out _) || schema.TryGetProperty("prefixItems", out _) ? "array"
            : "string";
    }

    private static HashSet<string> Strings(JsonElement schema, string keyword) =>
        schema.TryGetProperty(keyword, out JsonElement list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!)]
            : [];

    private static JsonNode? ToNode(JsonElement value) => JsonNode.Parse(value.GetRawText());
}
