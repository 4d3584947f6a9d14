using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Bedrock;

/// <summary>The runtime's errors, in its own words. A type ends in <c>Exception</c>, which tells AWS's shape from OpenAI's.</summary>
internal static class BedrockErrors
{
    public const string Validation = "ValidationException";
    public const string AccessDenied = "AccessDeniedException";
    public const string NotFound = "ResourceNotFoundException";
    public const string Throttling = "ThrottlingException";
    public const string Unavailable = "ServiceUnavailableException";
    public const string Internal = "InternalServerException";
    public const string Quota = "ServiceQuotaExceededException";

    private const string Reformat = ", please reformat your input and try again.";

    public static VendorErrorException Invalid(string message) => new(new VendorError(400, Validation, message));

    public static VendorErrorException UnknownModel() => Invalid("The provided model identifier is invalid.");

    /// <summary>What the model itself refuses comes with these words before it.</summary>
    public static VendorErrorException ByModel(string message) => Invalid("The model returned the following errors: " + message);

    public static VendorErrorException Malformed(string message) => Invalid("Malformed input request: " + message + Reformat);
}
