namespace Ballast.Configuration;

/// <summary>Where the ledger is kept.</summary>
public sealed record LedgerOptions
{
    /// <summary>SQLite file; a relative path is taken from the directory of the configuration file.</summary>
    public string Path { get; init; } = "ballast.db";
}
