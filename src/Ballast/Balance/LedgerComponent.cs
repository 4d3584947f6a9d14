using Ballast.Catalog;
using Ballast.Ledger;

namespace Ballast.Balance;

/// <summary>Components as the ledger names them: it still knows what the catalog has forgotten.</summary>
internal static class LedgerComponent
{
    public static Component Of(ComponentKind kind, ShareRow row) => new(kind, kind switch
    {
        ComponentKind.Vendor => row.Vendor,
        ComponentKind.Platform => row.Platform,
        ComponentKind.Region => row.Region,
        ComponentKind.Provider => row.Deployment.Split('/', 2)[0],
        ComponentKind.Family => ModelFamily.Of(row.Deployment.Split('/', 2)[^1]),
        ComponentKind.Deployment => row.Deployment,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    });
}
