using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ballast.Protocols.Conversation;

/// <summary>
/// Checks a JSON text against the part of JSON Schema (draft 2020-12) that structured output uses: types, properties, items, enum, const, combinations, references
/// into the schema itself, bounds. Keywords it does not know do not restrict. Bounded in depth and in work.
/// </summary>
public static class JsonSchemaCheck
{
    /// <summary>Deepest nesting of value and references.</summary>
    public const int DepthMax = 64;

    /// <summary>Most schemas applied in one check: alternatives inside alternatives multiply.</summary>
    public const int StepsMax = 200_000;

    private static readonly TimeSpan s_patternTimeout = TimeSpan.FromMilliseconds(100);

    public static bool TryValidate(RawJson schema, string json, [NotNullWhen(false)] out string? fault) =>
        TryValidate(schema, Encoding.UTF8.GetBytes(json), out fault);

    /// <param name="schema">The schema.</param>
    /// <param name="json">UTF-8 text to check.</param>
    /// <param name="fault">What is wrong and where (a JSON pointer), without any of the text's values.</param>
    public static bool TryValidate(RawJson schema, ReadOnlyMemory<byte> json, [NotNullWhen(false)] out string? fault)
    {
        try
        {
            using JsonDocument schemaDocument = JsonDocument.Parse(schema.IsEmpty ? RawJson.EmptyObject.Utf8 : schema.Utf8, new JsonDocumentOptions { MaxDepth = DepthMax });
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = DepthMax });
            Check check = new(schemaDocument.RootElement);
            fault = check.Fault(schemaDocument.RootElement, document.RootElement, "", 0);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The latter where a string holds half a surrogate pair.
            fault = "The text is not valid JSON.";
        }

        return fault is null;
    }

    private sealed class Check(JsonElement root)
    {
        private int _steps;

        public string? Fault(JsonElement schema, JsonElement value, string pointer, int depth)
        {
            if (depth > DepthMax || ++_steps > StepsMax)
            {
                return At(pointer, "is too deep or too complex to check");
            }

            if (schema.ValueKind != JsonValueKind.Object)
            {
                return schema.ValueKind == JsonValueKind.False ? At(pointer, "is not allowed") : null;
            }

            return FaultOfReference(schema, value, pointer, depth)
                ?? FaultOfType(schema, value, pointer)
                ?? FaultOfValues(schema, value, pointer)
                ?? FaultOfCombination(schema, value, pointer, depth)
                ?? value.ValueKind switch
                {
                    JsonValueKind.Object => FaultOfObject(schema, value, pointer, depth),
                    JsonValueKind.Array => FaultOfArray(schema, value, pointer, depth),
                    JsonValueKind.String => FaultOfText(schema, value, pointer),
                    JsonValueKind.Number => FaultOfNumber(schema, value, pointer),
                    _ => null,
                };
        }

        private static string At(string pointer, string what) => $"{(pointer.Length == 0 ? "The value" : pointer)} {what}.";

        private string? FaultOfReference(JsonElement schema, JsonElement value, string pointer, int depth)
        {
            if (!schema.TryGetProperty("$ref", out JsonElement reference) || reference.ValueKind != JsonValueKind.String)
            {
                return null;
            }

            return Resolve(reference.GetString()!) is JsonElement target
                ? Fault(target, value, pointer, depth + 1)
                : At(pointer, "is described by a reference that leads nowhere");
        }

        private JsonElement? Resolve(string reference)
        {
            if (reference != "#" && !reference.StartsWith("#/", StringComparison.Ordinal))
            {
                return null;
            }

            JsonElement target = root;
            foreach (string step in reference.Split('/').Skip(1))
            {
                string name = step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
                if (target.ValueKind != JsonValueKind.Object || !target.TryGetProperty(name, out target))
                {
                    return null;
                }
            }

            return target;
        }

        private static string? FaultOfType(JsonElement schema, JsonElement value, string pointer)
        {
            if (!schema.TryGetProperty("type", out JsonElement type))
            {
                return null;
            }

            if (type.ValueKind == JsonValueKind.String)
            {
                return IsOfType(value, type) ? null : At(pointer, $"must be of type {type.GetString()}");
            }

            return type.ValueKind != JsonValueKind.Array || type.EnumerateArray().Any(one => IsOfType(value, one))
                ? null
                : At(pointer, $"must be of one of the types {string.Join(", ", type.EnumerateArray().Select(one => one.ToString()))}");
        }

        private static bool IsOfType(JsonElement value, JsonElement type) => type.ToString() switch
        {
            "object" => value.ValueKind == JsonValueKind.Object,
            "array" => value.ValueKind == JsonValueKind.Array,
            "string" => value.ValueKind == JsonValueKind.String,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "null" => value.ValueKind == JsonValueKind.Null,
            "number" => value.ValueKind == JsonValueKind.Number,
            "integer" => value.ValueKind == JsonValueKind.Number && value.GetDouble() is double number && Math.Floor(number) == number,
            _ => true,
        };

        private static string? FaultOfValues(JsonElement schema, JsonElement value, string pointer)
        {
            if (schema.TryGetProperty("enum", out JsonElement allowed)
                && allowed.ValueKind == JsonValueKind.Array
                && !allowed.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value)))
            {
                return At(pointer, "must be one of the listed values");
            }

            return schema.TryGetProperty("const", out JsonElement only) && !JsonElement.DeepEquals(only, value)
                ? At(pointer, "must be the one value given")
                : null;
        }

        private string? FaultOfCombination(JsonElement schema, JsonElement value, string pointer, int depth)
        {
            if (schema.TryGetProperty("allOf", out JsonElement all) && all.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement one in all.EnumerateArray())
                {
                    if (Fault(one, value, pointer, depth + 1) is string fault)
                    {
                        return fault;
                    }
                }
            }

            if (schema.TryGetProperty("anyOf", out JsonElement any)
                && any.ValueKind == JsonValueKind.Array
                && !any.EnumerateArray().Any(one => Fault(one, value, pointer, depth + 1) is null))
            {
                return At(pointer, "fits none of the alternatives");
            }

            return schema.TryGetProperty("oneOf", out JsonElement exactly)
                && exactly.ValueKind == JsonValueKind.Array
                && exactly.EnumerateArray().Count(one => Fault(one, value, pointer, depth + 1) is null) != 1
                ? At(pointer, "must fit exactly one of the alternatives")
                : null;
        }

        private string? FaultOfObject(JsonElement schema, JsonElement value, string pointer, int depth)
        {
            if (schema.TryGetProperty("required", out JsonElement required) && required.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement name in required.EnumerateArray())
                {
                    if (name.ValueKind == JsonValueKind.String && !value.TryGetProperty(name.GetString()!, out _))
                    {
                        return At($"{pointer}/{name.GetString()}", "is required");
                    }
                }
            }

            bool hasProperties = schema.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object;
            bool hasRest = schema.TryGetProperty("additionalProperties", out JsonElement rest);
            foreach (JsonProperty property in value.EnumerateObject())
            {
                string place = $"{pointer}/{property.Name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
                string? fault = hasProperties && properties.TryGetProperty(property.Name, out JsonElement inner)
                    ? Fault(inner, property.Value, place, depth + 1)
                    : hasRest ? Fault(rest, property.Value, place, depth + 1) : null;
                if (fault is not null)
                {
                    return fault;
                }
            }

            return FaultOfCount(schema, value.EnumerateObject().Count(), "minProperties", "maxProperties", pointer);
        }

        private string? FaultOfArray(JsonElement schema, JsonElement value, string pointer, int depth)
        {
            int first = 0;
            bool hasPrefix = schema.TryGetProperty("prefixItems", out JsonElement prefix) && prefix.ValueKind == JsonValueKind.Array;
            bool hasItems = schema.TryGetProperty("items", out JsonElement items);
            foreach (JsonElement item in value.EnumerateArray())
            {
                int index = first++;
                JsonElement? inner = hasPrefix && index < prefix.GetArrayLength() ? prefix[index] : hasItems ? items : null;
                if (inner is JsonElement one && Fault(one, item, $"{pointer}/{index}", depth + 1) is string fault)
                {
                    return fault;
                }
            }

            return FaultOfCount(schema, value.GetArrayLength(), "minItems", "maxItems", pointer);
        }

        private static string? FaultOfText(JsonElement schema, JsonElement value, string pointer)
        {
            string text = value.GetString()!;
            if (schema.TryGetProperty("pattern", out JsonElement pattern) && pattern.ValueKind == JsonValueKind.String && !Matches(text, pattern.GetString()!))
            {
                return At(pointer, "does not match the pattern");
            }

            return FaultOfCount(schema, text.EnumerateRunes().Count(), "minLength", "maxLength", pointer);
        }

        private static string? FaultOfNumber(JsonElement schema, JsonElement value, string pointer)
        {
            double number = value.GetDouble();
            bool fits = (Bound(schema, "minimum") is not double minimum || number >= minimum)
                && (Bound(schema, "maximum") is not double maximum || number <= maximum)
                && (Bound(schema, "exclusiveMinimum") is not double above || number > above)
                && (Bound(schema, "exclusiveMaximum") is not double below || number < below);
            return fits ? null : At(pointer, "is out of bounds");
        }

        private static string? FaultOfCount(JsonElement schema, int count, string least, string most, string pointer) =>
            (Bound(schema, least) is double minimum && count < minimum) || (Bound(schema, most) is double maximum && count > maximum)
                ? At(pointer, "is too long or too short")
                : null;

        private static double? Bound(JsonElement schema, string name) =>
            schema.TryGetProperty(name, out JsonElement bound) && bound.ValueKind == JsonValueKind.Number ? bound.GetDouble() : null;

        // Patterns come from callers: matching takes linear time, and what that engine cannot do does not restrict.
        private static bool Matches(string text, string pattern)
        {
            try
            {
                return Regex.IsMatch(text, pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, s_patternTimeout);
            }
            catch (Exception exception) when (exception is ArgumentException or NotSupportedException or RegexMatchTimeoutException)
            {
                return true;
            }
        }
    }
}
