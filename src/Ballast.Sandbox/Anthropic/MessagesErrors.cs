using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Anthropic;

/// <summary>The validation errors of api.anthropic.com.</summary>
internal static class MessagesErrors
{
    public const string InvalidRequest = "invalid_request_error";

    public static VendorErrorException Invalid(string message) => new(new VendorError(400, InvalidRequest, message));

    public static VendorErrorException Invalid(string path, string message) => Invalid($"{path}: {message}");

    public static VendorErrorException Missing(string path) => Invalid(path, "Field required");

    public static VendorErrorException Malformed() => Invalid("The request body is not valid JSON.");
}
