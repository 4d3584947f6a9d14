using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Aws;

/// <summary>Errors of AWS's front door, before any service is asked.</summary>
internal static class AwsErrors
{
    public static VendorErrorException Forbidden(string type, string message) => new(new VendorError(403, type, message));
}
