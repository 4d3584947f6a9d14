namespace Ballast.Handles;

/// <summary>Which handles of an app are wanted.</summary>
/// <param name="Kind">Files or batches.</param>
/// <param name="Limit">At most so many.</param>
/// <param name="After">Begin behind this one; null for the beginning.</param>
/// <param name="IsAscending">The oldest first; else the newest.</param>
/// <param name="Purpose">Only files of this purpose; null for all.</param>
public sealed record HandleQuery(HandleKind Kind, int Limit, string? After = null, bool IsAscending = false, string? Purpose = null);

/// <summary>Handles in order, and whether there are more behind them.</summary>
public sealed record HandlePage(IReadOnlyList<Handle> Handles, bool HasMore);
