using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
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

    /// <summary>Time for all patterns of one check; later ones do not restrict.</summary>
    private static readonly TimeSpan s_patternsTimeMax = TimeSpan.FromSeconds(1);

    public static bool TryValidate(RawJson schema, string json, [NotNullWhen(false)] out string? fault) =>
        TryValidate(schema, Encoding.UTF8.GetBytes(json), out fault);

    /// <param name="schema">The schema.</param>
    /// <param name="json">UTF-8 text to check.</param>
    /// <param name="fault">What is wrong and where (a JSON pointer), without any of the text's values.</param>
    public static bool TryValidate(RawJson schema, ReadOnlyMemory<byte> json, [NotNullWhen(false)] out string? fault)
    {
        try
        {
            ReadOnlyMemory<byte> schemaText = schema.IsEmpty ? RawJson.EmptyObject.Utf8 : schema.Utf8;
            using JsonDocument schemaDocument = JsonDocument.Parse(schemaText, new JsonDocumentOptions { MaxDepth = DepthMax });
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = DepthMax });
            Check check = new(schemaDocument.RootElement, schemaText);
            fault = check.Fault(schemaDocument.RootElement, document.RootElement, 0);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The latter where a string holds half a surrogate pair.
            fault = "The text is not valid JSON.";
        }

        return fault is null;
    }

    private sealed class Check(JsonElement root, ReadOnlyMemory<byte> schemaText)
    {
        // By its place in the text: a schema is applied to many values, and is read once.
        private readonly Dictionary<int, JsonSchemaRules> _rules = [];
        private readonly Dictionary<int, JsonElement?> _references = [];

        // Where the value at hand stands. A pointer is made of it for a fault that is told, not for each value: names may be long.
        private readonly List<(string? Name, int Index)> _path = [];
        private TimeSpan _patternsTime;
        private int _alternatives;
        private int _steps;

        public string? Fault(JsonElement schema, JsonElement value, int depth)
        {
            if (depth > DepthMax || ++_steps > StepsMax)
            {
                return Here("is too deep or too complex to check");
            }

            if (schema.ValueKind != JsonValueKind.Object)
            {
                return schema.ValueKind == JsonValueKind.False ? Here("is not allowed") : null;
            }

            int place = JsonSchemaRules.PlaceOf(schema, schemaText);
            if (!_rules.TryGetValue(place, out JsonSchemaRules? rules))
            {
                _rules.Add(place, rules = new JsonSchemaRules(schema));
            }

            return FaultOfReference(rules, value, depth)
                ?? (rules.Allows(value) ? null : Here(rules.TypeFault))
                ?? FaultOfValues(rules, value)
                ?? FaultOfCombination(rules, value, depth)
                ?? value.ValueKind switch
                {
                    JsonValueKind.Object => FaultOfObject(rules, value, depth),
                    JsonValueKind.Array => FaultOfArray(rules, value, depth),
                    JsonValueKind.String => FaultOfText(rules, value),
                    JsonValueKind.Number => rules.IsInBounds(value.GetDouble()) ? null : Here("is out of bounds"),
                    _ => null,
                };
        }

        private string Here(string what, string? below = null)
        {
            if (_alternatives > 0)
            {
                return what; // Another alternative may fit; where this one does not is never told.
            }

            StringBuilder pointer = new();
            foreach ((string? name, int index) in below is null ? _path : _path.Append((below, 0)))
            {
                string step = name?.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal) ?? index.ToString(CultureInfo.InvariantCulture);
                pointer.Append('/').Append(step);
            }

            return $"{(pointer.Length == 0 ? "The value" : pointer)} {what}.";
        }

        private string? FaultBelow(JsonElement schema, JsonElement value, string? name, int index, int depth)
        {
            _path.Add((name, index));
            string? fault = Fault(schema, value, depth + 1);
            _path.RemoveAt(_path.Count - 1);
            return fault;
        }

        private string? FaultOfReference(JsonSchemaRules rules, JsonElement value, int depth)
        {
            if (rules.Reference is not JsonElement reference)
            {
                return null;
            }

            int place = JsonSchemaRules.PlaceOf(reference, schemaText);
            if (!_references.TryGetValue(place, out JsonElement? target))
            {
                _references.Add(place, target = Resolve(reference.GetString()!));
            }

            return target is JsonElement found ? Fault(found, value, depth + 1) : Here("is described by a reference that leads nowhere");
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

        private string? FaultOfValues(JsonSchemaRules rules, JsonElement value)
        {
            if (rules.Listed is JsonValueList listed && !listed.Contains(value, ref _steps))
            {
                return Here("must be one of the listed values");
            }

            return rules.Only is JsonValueList only && !only.Contains(value, ref _steps) ? Here("must be the one value given") : null;
        }

        private string? FaultOfCombination(JsonSchemaRules rules, JsonElement value, int depth)
        {
            foreach (JsonElement one in rules.AllOf)
            {
                if (Fault(one, value, depth + 1) is string fault)
                {
                    return fault;
                }
            }

            if (rules.AnyOf is not null && !rules.AnyOf.Exists(one => Fits(one, value, depth)))
            {
                return Here("fits none of the alternatives");
            }

            return rules.OneOf is not null && rules.OneOf.Count(one => Fits(one, value, depth)) != 1 ? Here("must fit exactly one of the alternatives") : null;
        }

        private bool Fits(JsonElement schema, JsonElement value, int depth)
        {
            _alternatives++;
            bool fits = Fault(schema, value, depth + 1) is null;
            _alternatives--;
            return fits;
        }

        private string? FaultOfObject(JsonSchemaRules rules, JsonElement value, int depth)
        {
            if (rules.Required.Count > 0)
            {
                HashSet<string> names = [.. value.EnumerateObject().Select(property => property.Name)];
                if (rules.Required.Find(name => !names.Contains(name)) is string missing)
                {
                    return Here("is required", missing);
                }
            }

            int count = 0;
            foreach (JsonProperty property in value.EnumerateObject())
            {
                count++;
                string name = property.Name;
                JsonElement? inner = rules.Properties.TryGetValue(name, out JsonElement known) ? known : rules.OtherProperties;
                if (inner is JsonElement schema && FaultBelow(schema, property.Value, name, 0, depth) is string fault)
                {
                    return fault;
                }
            }

            return FaultOfCount(rules.PropertiesCount, count);
        }

        private string? FaultOfArray(JsonSchemaRules rules, JsonElement value, int depth)
        {
            int count = 0;
            foreach (JsonElement item in value.EnumerateArray())
            {
                int index = count++;
                JsonElement? inner = index < rules.PrefixItems.Count ? rules.PrefixItems[index] : rules.Items;
                if (inner is JsonElement schema && FaultBelow(schema, item, null, index, depth) is string fault)
                {
                    return fault;
                }
            }

            return FaultOfCount(rules.ItemsCount, count);
        }

        private string? FaultOfText(JsonSchemaRules rules, JsonElement value)
        {
            string text = value.GetString()!;
            return rules.Pattern is Regex pattern && !Matches(text, pattern) ? Here("does not match the pattern") : FaultOfCount(rules.Length, text.EnumerateRunes().Count());
        }

        private string? FaultOfCount((double? Least, double? Most) allowed, int count) =>
            count < allowed.Least || count > allowed.Most ? Here("is too long or too short") : null;

        private bool Matches(string text, Regex pattern)
        {
            if (_patternsTime > s_patternsTimeMax)
            {
                return true;
            }

            long start = Stopwatch.GetTimestamp();
            try
            {
                return pattern.IsMatch(text);
            }
            catch (RegexMatchTimeoutException)
            {
                return true;
            }
            finally
            {
                _patternsTime += Stopwatch.GetElapsedTime(start);
            }
        }
    }
}
