using System.Globalization;
using System.Text.Json;

namespace Ballast.Sandbox.Anthropic;

/// <summary>Reads single fields of a Messages request; wrong types are refused in Anthropic's words.</summary>
internal static class MessagesFields
{
    public static JsonElement? Find(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string? Text(JsonElement owner, string name, string path) => Find(owner, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => Text(value),
        _ => throw MessagesErrors.Invalid(path, "Input should be a valid string"),
    };

    public static string Text(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw MessagesErrors.Malformed();
        }
    }

    public static string RequiredText(JsonElement owner, string name, string path) =>
        Text(owner, name, path) ?? throw MessagesErrors.Missing(path);

    public static bool Flag(JsonElement owner, string name, string path) => Find(owner, name) switch
    {
        null or { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.True } => true,
        _ => throw MessagesErrors.Invalid(path, "Input should be a valid boolean"),
    };

    public static long? Integer(JsonElement owner, string name, string path, long least)
    {
        if (Find(owner, name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out long number))
        {
            throw MessagesErrors.Invalid(path, "Input should be a valid integer");
        }

        return number >= least
            ? number
            : throw MessagesErrors.Invalid(
                path, "Input should be greater than or equal to " + least.ToString(CultureInfo.InvariantCulture));
    }

    public static double? Decimal(JsonElement owner, string name, double least, double most)
    {
        if (Find(owner, name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Number)
        {
            throw MessagesErrors.Invalid(name, "Input should be a valid number");
        }

        double number = value.GetDouble();
        return number < least
            ? throw MessagesErrors.Invalid(name, "Input should be greater than or equal to " + least.ToString(CultureInfo.InvariantCulture))
            : number > most
            ? throw MessagesErrors.Invalid(name, "Input should be less than or equal to " + most.ToString(CultureInfo.InvariantCulture))
            : number;
    }

    public static JsonElement? Object(JsonElement owner, string name, string path) => Find(owner, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } value => value,
        _ => throw MessagesErrors.Invalid(path, "Input should be a valid dictionary or object to extract fields from"),
    };

    public static JsonElement? List(JsonElement owner, string name, string path) => Find(owner, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } value => value,
        _ => throw MessagesErrors.Invalid(path, "Input should be a valid list"),
    };
}
