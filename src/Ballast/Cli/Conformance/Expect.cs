using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>Demands, each with words for what is the case instead.</summary>
internal static class Expect
{
    public static void That([DoesNotReturnIf(false)] bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new NonconformanceException(otherwise);
        }
    }

    public static JsonElement Field(JsonElement parent, string name, JsonValueKind kind, string where)
    {
        That(parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out _), $"{where} has no '{name}'");
        JsonElement value = parent.GetProperty(name);
        That(value.ValueKind == kind, $"'{name}' of {where} is {value.ValueKind.ToString().ToLowerInvariant()}, expected {kind.ToString().ToLowerInvariant()}");
        return value;
    }

    public static string Text(JsonElement parent, string name, string where) => Field(parent, name, JsonValueKind.String, where).GetString()!;

    public static void Text(JsonElement parent, string name, string wanted, string where)
    {
        string found = Text(parent, name, where);
        That(found == wanted, $"'{name}' of {where} is '{found}', expected '{wanted}'");
    }

    public static long Count(JsonElement parent, string name, string where)
    {
        JsonElement value = Field(parent, name, JsonValueKind.Number, where);
        That(value.TryGetInt64(out long count) && count >= 0, $"'{name}' of {where} is not a count");
        return value.GetInt64();
    }

    public static void Any(string found, string where, params ReadOnlySpan<string> wanted) =>
        That(wanted.Contains(found), $"{where} is '{found}', expected {string.Join(" or ", wanted.ToArray().Select(word => $"'{word}'"))}");
}

/// <summary>JSON in and out, without reflection.</summary>
internal static class Json
{
    public static string Quote(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    public static JsonDocument Parse(string text, string what)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            throw new NonconformanceException($"{what} is not JSON: {(text.Length <= 120 ? text : text[..120] + "…")}");
        }
    }
}
