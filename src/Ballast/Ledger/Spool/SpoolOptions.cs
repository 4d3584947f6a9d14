namespace Ballast.Ledger.Spool;

/// <summary>The bounds of a <see cref="LedgerSpool"/>, and what it waits for.</summary>
public sealed record SpoolOptions
{
    /// <summary>The folder of the spool's files; made where it is not there.</summary>
    public required string Folder { get; init; }

    /// <summary>A record counts as kept once the disk has it; else once the system has it, which a killed process survives and a loss of power does not.</summary>
    public bool WaitsForDisk { get; init; } = true;

    /// <summary>All of the spool's files together, in bytes: what an outage of the store may take.</summary>
    public long BytesMax { get; init; } = 1L << 30;

    /// <summary>The first file is short, so that a start does not wait for it.</summary>
    public int FirstSegmentBytes { get; init; } = 1 << 20;

    /// <summary>Every further file, zeros written ahead, so that a record changes nothing of a file but its bytes.</summary>
    public int SegmentBytes { get; init; } = 8 << 20;

    /// <summary>How long a group of records waits for company at most; a record that comes alone does not wait.</summary>
    public TimeSpan LingerMax { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>How soon it is looked again whether a full disk has room.</summary>
    public TimeSpan RoomRetry { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long anybody waits for a disk that takes nothing.</summary>
    public TimeSpan FaultWaitMax { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a start waits for another process to let go of the folder.</summary>
    public TimeSpan LockWaitMax { get; init; } = TimeSpan.FromSeconds(15);
}
