namespace Ballast.Sandbox.Server;

/// <summary>An error as a vendor tells it; the simulator gives it the vendor's shape.</summary>
internal sealed record VendorError(int Status, string Type, string Message, string? Code = null, string? Param = null)
{
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>Ends a request with an error of the vendor.</summary>
internal sealed class VendorErrorException(VendorError error) : Exception(error.Message)
{
    public VendorError Error { get; } = error;
}
