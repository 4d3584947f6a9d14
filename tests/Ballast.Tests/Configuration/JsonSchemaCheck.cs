using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

/// <summary>The part of JSON Schema 2020-12 that <c>ballast.schema.json</c> uses, over YAML as an editor sees it. An unknown keyword fails.</summary>
internal sealed class JsonSchemaCheck(JsonElement root)
{
    private static readonly HashSet<string> Silent = ["description", "title", "$schema", "$defs"];

    public string? Fault(YamlTree value) => Fault(root, value, "");

    private string? Fault(JsonElement schema, YamlTree value, string path)
    {
        foreach (JsonProperty keyword in schema.EnumerateObject().Where(static keyword => !Silent.Contains(keyword.Name)))
        {
            if (Judge(keyword, schema, value, path) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    private string? Judge(JsonProperty keyword, JsonElement schema, YamlTree value, string path)
    {
        JsonElement rule = keyword.Value;
        string text = (value as YamlScalar)?.Text ?? "";
        bool holds = true;
        switch (keyword.Name)
        {
            case "$ref":
                return Fault(root.GetProperty("$defs").GetProperty(rule.GetString()!.Split('/')[^1]), value, path);
            case "anyOf":
                holds = rule.EnumerateArray().Any(option => Fault(option, value, path) is null);
                break;
            case "type":
                holds = rule.ValueKind == JsonValueKind.Array
                    ? rule.EnumerateArray().Any(one => IsOf(value, one.GetString()!))
                    : IsOf(value, rule.GetString()!);
                break;
            case "enum":
                holds = rule.EnumerateArray().Any(one => one.GetString() == text);
                break;
            case "pattern":
                holds = value is not YamlScalar || Regex.IsMatch(text, rule.GetString()!);
                break;
            case "minimum":
                holds = decimal.Parse(text, CultureInfo.InvariantCulture) >= rule.GetDecimal();
                break;
            case "maximum":
                holds = decimal.Parse(text, CultureInfo.InvariantCulture) <= rule.GetDecimal();
                break;
            case "minItems":
                holds = value is not YamlList short_ || short_.Items.Count >= rule.GetInt32();
                break;
            case "maxItems":
                holds = value is not YamlList long_ || long_.Items.Count <= rule.GetInt32();
                break;
            case "items":
                return value is not YamlList list ? null : list.Items.Select(item => Fault(rule, item, path + "[]")).FirstOrDefault(static fault => fault is not null);
            case "required":
                holds = value is not YamlMap map || rule.EnumerateArray().All(name => map.Entries.Any(entry => entry.Key == name.GetString()));
                break;
            case "propertyNames":
                holds = value is not YamlMap named || named.Entries.All(entry => Fault(rule, new YamlScalar(0, 0, entry.Key, false), path) is null);
                break;
            case "properties":
                return value is not YamlMap known ? null : known.Entries
                    .Select(entry => rule.TryGetProperty(entry.Key, out JsonElement child) ? Fault(child, entry.Value, $"{path}.{entry.Key}") : null)
                    .FirstOrDefault(static fault => fault is not null);
            case "additionalProperties":
                return value is not YamlMap others ? null : others.Entries
                    .Where(entry => !schema.TryGetProperty("properties", out JsonElement known) || !known.TryGetProperty(entry.Key, out _))
                    .Select(entry => rule.ValueKind == JsonValueKind.False ? $"{path}: '{entry.Key}' is not known" : Fault(rule, entry.Value, $"{path}.{entry.Key}"))
                    .FirstOrDefault(static fault => fault is not null);
            default:
                throw new InvalidOperationException($"Keyword '{keyword.Name}' is not understood here.");
        }

        return holds ? null : $"{path} breaks '{keyword.Name}'";
    }

    private static bool IsOf(YamlTree value, string type) => (value, type) switch
    {
        (YamlMap, "object") or (YamlList, "array") => true,
        (YamlScalar { IsNull: true }, _) => type == "null",
        (YamlScalar { IsPlain: true, Text: "true" or "false" }, _) => type == "boolean",
        (YamlScalar { IsPlain: true } number, _) when Regex.IsMatch(number.Text, "^-?[0-9]+$") => type is "integer" or "number",
        (YamlScalar { IsPlain: true } number, _) when Regex.IsMatch(number.Text, "^-?[0-9]+\\.[0-9]+$") => type == "number",
        (YamlScalar, "string") => true,
        _ => false,
    };
}
