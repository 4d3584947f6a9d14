using System.Globalization;
using System.Text.Json;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Reads single fields of a request; null counts as absent, a wrong type is refused.</summary>
internal static class ChatFields
{
    public static JsonElement? Find(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static bool Flag(JsonElement owner, string name, bool otherwise, string path) => Find(owner, name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } other => throw ChatErrors.WrongType(path, "a boolean", other),
    };

    public static long? Integer(JsonElement owner, string name, long least)
    {
        if (Find(owner, name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out long number))
        {
            throw ChatErrors.WrongType(name, "an integer", value);
        }

        return number >= least
            ? number
            : throw ChatErrors.TooLow(
                name, least.ToString(CultureInfo.InvariantCulture), number.ToString(CultureInfo.InvariantCulture), "integer");
    }

    public static double? Decimal(JsonElement owner, string name, double least, double most)
    {
        if (Find(owner, name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Number)
        {
            throw ChatErrors.WrongType(name, "a decimal", value);
        }

        double number = value.GetDouble();
        return number > most ? throw ChatErrors.TooHigh(name, Text(most), Text(number))
            : number < least ? throw ChatErrors.TooLow(name, Text(least), Text(number), "decimal")
            : number;
    }

    public static string? Text(JsonElement owner, string name, string path) => Find(owner, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => Text(value),
        { } other => throw ChatErrors.WrongType(path, "a string", other),
    };

    /// <exception cref="VendorErrorException">The string holds half a surrogate pair.</exception>
    public static string Text(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw ChatErrors.Malformed();
        }
    }

    public static JsonElement? Object(JsonElement owner, string name, string path) => Find(owner, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } value => value,
        { } other => throw ChatErrors.WrongType(path, "an object", other),
    };

    public static JsonElement? List(JsonElement owner, string name, string expected, string path) => Find(owner, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } value => value,
        { } other => throw ChatErrors.WrongType(path, expected, other),
    };

    private static string Text(double number) =>
        number == Math.Floor(number) ? number.ToString("0", CultureInfo.InvariantCulture) : number.ToString(CultureInfo.InvariantCulture);
}
