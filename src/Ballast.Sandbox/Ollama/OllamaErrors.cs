using System.Text.Json;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Ollama;

/// <summary>The errors of Ollama: a status and one sentence, partly as its language words them.</summary>
internal static class OllamaErrors
{
    public static VendorErrorException Bad(string message) => new(new VendorError(400, "", message));

    public static VendorErrorException NoModel(string model) => new(new VendorError(404, "", $"model '{model}' not found"));

    /// <summary>A field of another type.</summary>
    public static VendorErrorException WrongType(JsonElement actual, string field, string expected)
    {
        string kind = actual.ValueKind switch
        {
            JsonValueKind.String => "string",
            JsonValueKind.Number => "number",
            JsonValueKind.True or JsonValueKind.False => "bool",
            JsonValueKind.Array => "array",
            _ => "object",
        };
        return Bad($"json: cannot unmarshal {kind} into Go struct field {field} of type {expected}");
    }
}
