using Ballast.Handles;

namespace Ballast.Gateway.Files;

/// <summary>Where a platform has things of a kind, below its version.</summary>
internal static class HandlePath
{
    public static string Of(HandleKind kind) => kind switch
    {
        HandleKind.File => "/files",
        HandleKind.Batch => "/batches",
        _ => "/messages/batches",
    };
}
