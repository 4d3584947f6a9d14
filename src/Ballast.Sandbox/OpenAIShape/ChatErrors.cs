using System.Text.Json;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>The validation errors of api.openai.com, worded as it words them.</summary>
internal static class ChatErrors
{
    private const string Invalid = "invalid_request_error";

    public static VendorErrorException Malformed() => new(new VendorError(
        400,
        Invalid,
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. "
        + "The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"));

    public static VendorErrorException Missing(string param) =>
        new(new VendorError(400, Invalid, $"Missing required parameter: '{param}'.", "missing_required_parameter", param));

    public static VendorErrorException WrongType(string param, string expected, JsonElement actual) => new(new VendorError(
        400, Invalid, $"Invalid type for '{param}': expected {expected}, but got {Describe(actual)} instead.", "invalid_type", param));

    public static VendorErrorException BadValue(string param, string message) =>
        new(new VendorError(400, Invalid, message, "invalid_value", param));

    public static VendorErrorException Refused(string? param, string? code, string message) =>
        new(new VendorError(400, Invalid, message, code, param));

    public static VendorErrorException TooHigh(string param, string most, string actual) => new(new VendorError(
        400,
        Invalid,
        $"Invalid '{param}': decimal above maximum value. Expected a value <= {most}, but got {actual} instead.",
        "decimal_above_max_value",
        param));

    public static VendorErrorException TooLow(string param, string least, string actual, string kind) => new(new VendorError(
        400,
        Invalid,
        $"Invalid '{param}': {kind} below minimum value. Expected a value >= {least}, but got {actual} instead.",
        kind + "_below_min_value",
        param));

    public static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "a string",
        JsonValueKind.Number => value.TryGetInt64(out _) ? "an integer" : "a decimal",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Array => "an array",
        JsonValueKind.Object => "an object",
        _ => "null",
    };
}
