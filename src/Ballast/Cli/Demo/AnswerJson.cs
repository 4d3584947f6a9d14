using System.Text.Json;

namespace Ballast.Cli.Demo;

/// <summary>Takes a field that a protocol promises, or says that it is not there.</summary>
internal static class AnswerJson
{
    public static JsonDocument Parse(string text, string what)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            throw new MalformedAnswerException($"{what} is not JSON");
        }
    }

    public static JsonElement Field(JsonElement parent, string name, JsonValueKind kind, string what)
    {
        if (parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == kind)
        {
            return value;
        }

        throw new MalformedAnswerException($"{what} has no {kind.ToString().ToLowerInvariant()} '{name}'");
    }

    public static string Text(JsonElement parent, string name, string what) => Field(parent, name, JsonValueKind.String, what).GetString()!;

    public static void Equal(JsonElement parent, string name, string expected, string what)
    {
        if (Text(parent, name, what) != expected)
        {
            throw new MalformedAnswerException($"'{name}' of {what} is not '{expected}'");
        }
    }

    /// <summary>The text, or null where it is absent or null.</summary>
    public static string? OptionalText(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static bool TryList(JsonElement parent, string name, out JsonElement list) =>
        parent.TryGetProperty(name, out list) && list.ValueKind == JsonValueKind.Array;
}
