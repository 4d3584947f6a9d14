namespace Ballast.Cli.Replay;

/// <summary>Something that must not be.</summary>
/// <param name="Where">Which of the exchange's passages: <c>same</c> or <c>cross</c>, request or answer.</param>
/// <param name="Pointer">JSON pointer of what differs; empty for the whole.</param>
/// <param name="What">A short sentence for people.</param>
internal sealed record ReplayFailure(string Where, string Pointer, string What);

/// <summary>What became of one exchange.</summary>
internal enum ReplayVerdict
{
    /// <summary>Nothing differs.</summary>
    Passed,

    /// <summary>Everything that differs was declared and is documented.</summary>
    DeclaredLoss,

    /// <summary>The interface is not one that is translated.</summary>
    Opaque,

    /// <summary>Only the answer was recorded; nothing differs that was not declared.</summary>
    ResponseOnly,
    Failed,
}

/// <summary>One exchange, judged.</summary>
internal sealed record ReplayResult(string Id, string Provider, string Api, ReplayVerdict Verdict)
{
    public IReadOnlyList<ReplayFailure> Failures { get; init; } = [];

    /// <summary>Differences that were declared and are documented: direction and pointer.</summary>
    public IReadOnlyList<ReplayFailure> Losses { get; init; } = [];
}
