namespace Ballast.Configuration;

/// <summary>Where the ledger is kept, and when a row of it counts as kept.</summary>
public sealed record LedgerOptions
{
    /// <summary>SQLite file; a relative path is taken from the directory of the configuration file. Other files of the gateway lie beside it.</summary>
    public string Path { get; init; } = "ballast.db";

    /// <summary>Of a PostgreSQL database; null keeps the ledger in <see cref="Path"/>.</summary>
    public SecretOptions? Connection { get; init; }

    /// <summary>Folder of the files that rows are kept in first; null for one beside <see cref="Path"/>.</summary>
    public string? Spool { get; init; }

    /// <summary>All of those files together, in bytes.</summary>
    public int SpoolBytesMax { get; init; } = 1024 * 1024 * 1024;

    /// <summary>Days that sums by minute are kept; what they told is then told by the rows.</summary>
    public int MinutesKeptDays { get; init; } = 7;

    /// <summary>Days that sums by hour are kept.</summary>
    public int HoursKeptDays { get; init; } = 400;

    /// <summary>A row counts as kept once the disk has it; else once the operating system has it.</summary>
    public bool WaitsForDisk { get; init; } = true;
}
