using System.Text.Json;

namespace Ballast.Sandbox.Bedrock;

/// <summary>Reads single fields of a Converse request; a wrong type is refused as the service's own parser does.</summary>
internal static class ConverseFields
{
    public static JsonElement? Find(JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string? Text(JsonElement owner, string name) => Find(owner, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => TextOf(value),
        _ => throw Wrong(),
    };

    public static string RequiredText(JsonElement owner, string name, string path) => Text(owner, name) ?? throw Missing($"{path}.{name}");

    public static JsonElement? Object(JsonElement owner, string name) => Of(owner, name, JsonValueKind.Object);

    public static JsonElement RequiredObject(JsonElement owner, string name, string path) => Object(owner, name) ?? throw Missing($"{path}.{name}");

    public static JsonElement? List(JsonElement owner, string name) => Of(owner, name, JsonValueKind.Array);

    public static double? Number(JsonElement owner, string name) => Of(owner, name, JsonValueKind.Number)?.GetDouble();

    /// <summary>The one member that a value of a union has.</summary>
    public static JsonProperty OnlyMember(JsonElement union, string path)
    {
        if (union.ValueKind != JsonValueKind.Object)
        {
            throw Wrong();
        }

        JsonProperty[] set = [.. union.EnumerateObject().Where(static member => member.Value.ValueKind != JsonValueKind.Null)];
        return set.Length == 1 ? set[0] : throw BedrockErrors.Invalid($"1 validation error detected: Value at '{path}' failed to satisfy constraint: exactly one member must be set");
    }

    public static Server.VendorErrorException Missing(string path) =>
        BedrockErrors.Invalid($"1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member must not be null");

    public static Server.VendorErrorException NotOneOf(string value, string path, params string[] allowed) => BedrockErrors.Invalid(
        $"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set: [{string.Join(", ", allowed)}]");

    public static Server.VendorErrorException Wrong() => new(new Server.VendorError(400, "SerializationException", "Unexpected field type"));

    public static string TextOf(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong();
        }
    }

    private static JsonElement? Of(JsonElement owner, string name, JsonValueKind kind) => Find(owner, name) switch
    {
        null => null,
        { } value when value.ValueKind == kind => value,
        _ => throw Wrong(),
    };
}
