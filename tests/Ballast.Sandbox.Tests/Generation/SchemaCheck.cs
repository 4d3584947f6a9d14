using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ballast.Sandbox.Tests.Generation;

/// <summary>A small JSON schema validator, written apart from the code that makes values.</summary>
internal static class SchemaCheck
{
    /// <returns>Why the value is not valid, null where it is.</returns>
    public static string? Fault(JsonElement schema, JsonElement value, JsonElement root, string at = "$")
    {
        if (schema.ValueKind is JsonValueKind.True)
        {
            return null;
        }

        if (schema.TryGetProperty("$ref", out JsonElement reference))
        {
            JsonElement target = root;
            foreach (string step in reference.GetString()![1..].Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                target = target.GetProperty(step);
            }

            return Fault(target, value, root, at);
        }

        return Combined(schema, value, root, at) ?? Typed(schema, value, at) ?? value.ValueKind switch
        {
            JsonValueKind.Object => Object(schema, value, root, at),
            JsonValueKind.Array => Array(schema, value, root, at),
            JsonValueKind.String => Text(schema, value.GetString()!, at),
            JsonValueKind.Number => Number(schema, value.GetDouble(), at),
            _ => null,
        };
    }

    private static string? Combined(JsonElement schema, JsonElement value, JsonElement root, string at)
    {
        if (schema.TryGetProperty("const", out JsonElement constant) && !JsonElement.DeepEquals(constant, value))
        {
            return at + " is not the const";
        }

        if (schema.TryGetProperty("enum", out JsonElement choices) && !choices.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value)))
        {
            return at + " is not in the enum";
        }

        if (schema.TryGetProperty("anyOf", out JsonElement any) && any.EnumerateArray().All(one => Fault(one, value, root, at) is not null))
        {
            return at + " fits none of anyOf";
        }

        return schema.TryGetProperty("allOf", out JsonElement all)
            ? all.EnumerateArray().Select(one => Fault(one, value, root, at)).FirstOrDefault(fault => fault is not null)
            : null;
    }

    private static string? Typed(JsonElement schema, JsonElement value, string at)
    {
        if (!schema.TryGetProperty("type", out JsonElement type))
        {
            return null;
        }

        IEnumerable<string?> types = type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(one => one.GetString()) : [type.GetString()];
        bool fits = types.Any(one => one switch
        {
            "object" => value.ValueKind == JsonValueKind.Object,
            "array" => value.ValueKind == JsonValueKind.Array,
            "string" => value.ValueKind == JsonValueKind.String,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "null" => value.ValueKind == JsonValueKind.Null,
            "integer" => value.ValueKind == JsonValueKind.Number && value.GetDouble() == Math.Floor(value.GetDouble()),
            _ => value.ValueKind == JsonValueKind.Number,
        });
        return fits ? null : $"{at} is {value.ValueKind}, not {type.GetRawText()}";
    }

    private static string? Object(JsonElement schema, JsonElement value, JsonElement root, string at)
    {
        if (schema.TryGetProperty("required", out JsonElement required))
        {
            string? missing = required.EnumerateArray().Select(name => name.GetString()!).FirstOrDefault(name => !value.TryGetProperty(name, out _));
            if (missing is not null)
            {
                return $"{at}.{missing} is missing";
            }
        }

        bool isClosed = schema.TryGetProperty("additionalProperties", out JsonElement more) && more.ValueKind == JsonValueKind.False;
        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (schema.TryGetProperty("properties", out JsonElement known) && known.TryGetProperty(property.Name, out JsonElement inner))
            {
                if (Fault(inner, property.Value, root, $"{at}.{property.Name}") is { } fault)
                {
                    return fault;
                }
            }
            else if (isClosed)
            {
                return $"{at}.{property.Name} is not allowed";
            }
        }

        return null;
    }

    private static string? Array(JsonElement schema, JsonElement value, JsonElement root, string at)
    {
        int count = value.GetArrayLength();
        if ((schema.TryGetProperty("minItems", out JsonElement least) && count < least.GetInt32())
            || (schema.TryGetProperty("maxItems", out JsonElement most) && count > most.GetInt32()))
        {
            return $"{at} has {count} items";
        }

        return schema.TryGetProperty("items", out JsonElement items)
            ? value.EnumerateArray().Select((item, i) => Fault(items, item, root, $"{at}[{i}]")).FirstOrDefault(fault => fault is not null)
            : null;
    }

    private static string? Text(JsonElement schema, string value, string at)
    {
        bool isShort = schema.TryGetProperty("minLength", out JsonElement least) && value.Length < least.GetInt32();
        bool isLong = schema.TryGetProperty("maxLength", out JsonElement most) && value.Length > most.GetInt32();
        bool differs = schema.TryGetProperty("pattern", out JsonElement pattern) && !Regex.IsMatch(value, pattern.GetString()!);
        return isShort || isLong || differs ? $"{at} = '{value}' has a wrong length or form" : null;
    }

    private static string? Number(JsonElement schema, double value, string at)
    {
        bool isOut = (schema.TryGetProperty("minimum", out JsonElement low) && value < low.GetDouble())
            || (schema.TryGetProperty("maximum", out JsonElement high) && value > high.GetDouble())
            || (schema.TryGetProperty("exclusiveMinimum", out JsonElement above) && value <= above.GetDouble())
            || (schema.TryGetProperty("exclusiveMaximum", out JsonElement below) && value >= below.GetDouble())
            || (schema.TryGetProperty("multipleOf", out JsonElement step) && Math.Abs(Math.IEEERemainder(value, step.GetDouble())) > 1e-9);
        return isOut ? $"{at} = {value} is out of bounds" : null;
    }
}
