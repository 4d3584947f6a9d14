namespace Ballast.Sandbox;

/// <summary>The names of <see cref="FaultKind"/> on the control API and in the billing log.</summary>
public static class FaultKindNames
{
    private static readonly (FaultKind Kind, string Name)[] Names =
    [
        (FaultKind.Refuse, "refuse"),
        (FaultKind.Reset, "reset"),
        (FaultKind.Blackhole, "blackhole"),
        (FaultKind.SlowFirstByte, "slow-first-byte"),
        (FaultKind.Stall, "stall"),
        (FaultKind.Cut, "cut"),
        (FaultKind.RateLimit, "rate-limit"),
        (FaultKind.Quota, "quota"),
        (FaultKind.Error500, "error-500"),
        (FaultKind.Error503, "error-503"),
        (FaultKind.Overloaded529, "overloaded-529"),
        (FaultKind.Forbidden403, "forbidden-403"),
        (FaultKind.TooLarge413, "too-large-413"),
        (FaultKind.StreamErrorFirst, "stream-error-first"),
        (FaultKind.StreamErrorAfter, "stream-error-after"),
        (FaultKind.HtmlError, "html-error"),
        (FaultKind.WrongContentType, "wrong-content-type"),
        (FaultKind.MissingUsage, "missing-usage"),
        (FaultKind.Empty200, "empty-200"),
        (FaultKind.TruncatedJson, "truncated-json"),
        (FaultKind.NeverFinishes, "never-finishes"),
        (FaultKind.Redirect, "redirect"),
        (FaultKind.HugeLine, "huge-line"),
    ];

    public static IEnumerable<string> All => Names.Select(pair => pair.Name);

    public static string NameOf(FaultKind kind) => Names.First(pair => pair.Kind == kind).Name;

    public static bool TryParse(string? name, out FaultKind kind)
    {
        foreach ((FaultKind candidate, string candidateName) in Names)
        {
            if (candidateName == name)
            {
                kind = candidate;
                return true;
            }
        }

        kind = default;
        return false;
    }
}
