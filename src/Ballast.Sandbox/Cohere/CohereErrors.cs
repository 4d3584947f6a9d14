using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Cohere;

/// <summary>The errors of Cohere: a status, an id and a sentence.</summary>
internal static class CohereErrors
{
    public static VendorErrorException Invalid(string message) => new(new VendorError(400, "", "invalid request: " + message));

    public static VendorErrorException NoModel(string model) => new(new VendorError(
        404, "", $"model '{model}' not found, make sure the correct model ID was used and that you have access to the model."));
}
