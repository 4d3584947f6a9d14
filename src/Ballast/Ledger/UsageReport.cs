namespace Ballast.Ledger;

/// <summary>Usage by group, and over all. Built by <see cref="LedgerReader"/>.</summary>
public sealed record UsageReport
{
    public required IReadOnlyList<UsageDimension> By { get; init; }

    /// <summary>Days in order; other groups by number of attempts, largest first.</summary>
    public required IReadOnlyList<UsageRow> Rows { get; init; }

    /// <summary>Over all rows; an exchange that was tried in several groups counts once here.</summary>
    public required UsageRow Total { get; init; }

    public bool IsEmpty => Total.Attempts == 0;
}
