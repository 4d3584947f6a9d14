using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Responses;

/// <summary>The errors of the Responses API, worded as api.openai.com words them.</summary>
internal static class ResponsesErrors
{
    private const string Invalid = "invalid_request_error";

    public static VendorErrorException Unverified(string itemId) => Refused(
        null,
        "invalid_encrypted_content",
        $"The encrypted content for item {itemId} could not be verified. Reason: Encrypted content could not be decrypted or parsed.");

    public static VendorErrorException ItemNotKept(string id) => new(new VendorError(
        404,
        Invalid,
        $"Item with id '{id}' not found. Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input.",
        null,
        "input"));

    public static VendorErrorException PreviousNotFound(string id) =>
        Refused("previous_response_id", "previous_response_not_found", $"Previous response with id '{id}' not found.");

    public static VendorErrorException AnswerNotFound(string id) => new(new VendorError(404, Invalid, $"Response with id '{id}' not found."));

    public static VendorErrorException ConversationNotFound(string id) => new(new VendorError(404, Invalid, $"Conversation with id '{id}' not found."));

    public static VendorErrorException Unsupported(string param) =>
        Refused(param, "unsupported_parameter", $"Unsupported parameter: '{param}' is not supported with this model.");

    public static VendorErrorException Refused(string? param, string? code, string message) => new(new VendorError(400, Invalid, message, code, param));
}
