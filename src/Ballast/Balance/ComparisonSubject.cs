using Ballast.Catalog;

namespace Ballast.Balance;

/// <summary>
/// One side of a comparison: a vendor or a platform. <c>openai</c> is both; <c>vendor:openai</c> and <c>platform:openai</c> say which is meant.
/// </summary>
public sealed record ComparisonSubject(ComponentKind Kind, string Name)
{
    private const string VendorPrefix = "vendor:";
    private const string PlatformPrefix = "platform:";

    /// <summary>
    /// Reads two names. A name that is both takes the kind of the other one; where both are both, vendors are compared.
    /// Throws <see cref="ArgumentException"/>, naming what is known, for a name that is neither.
    /// </summary>
    public static (ComparisonSubject A, ComparisonSubject B) Resolve(
        string a, string b, IReadOnlySet<string> vendors, IReadOnlySet<string> platforms)
    {
        (string nameA, ComponentKind[] kindsA) = Read(a, vendors, platforms);
        (string nameB, ComponentKind[] kindsB) = Read(b, vendors, platforms);
        return (new ComparisonSubject(Choose(kindsA, kindsB), nameA), new ComparisonSubject(Choose(kindsB, kindsA), nameB));
    }

    private static ComponentKind Choose(ComponentKind[] own, ComponentKind[] other) =>
        own.Length == 1 ? own[0] : other.Length == 1 ? other[0] : ComponentKind.Vendor;

    private static (string Name, ComponentKind[] Kinds) Read(string text, IReadOnlySet<string> vendors, IReadOnlySet<string> platforms)
    {
        bool vendor = !text.StartsWith(PlatformPrefix, StringComparison.Ordinal);
        bool platform = !text.StartsWith(VendorPrefix, StringComparison.Ordinal);
        string name = text[(vendor && platform ? 0 : vendor ? VendorPrefix.Length : PlatformPrefix.Length)..];
        List<ComponentKind> kinds = [];
        if (vendor && vendors.Contains(name))
        {
            kinds.Add(ComponentKind.Vendor);
        }

        if (platform && platforms.Contains(name))
        {
            kinds.Add(ComponentKind.Platform);
        }

        return kinds.Count > 0 ? (name, [.. kinds]) : throw new ArgumentException(
            $"'{text}' is neither a vendor nor a platform that the ledger, the catalog or the declared data know. "
            + $"Vendors: {List(vendors)}. Platforms: {List(platforms)}.");
    }

    private static string List(IReadOnlySet<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal));

    public override string ToString() => Kind == ComponentKind.Vendor ? $"{Name} (vendor)" : $"{Name} (platform)";
}
