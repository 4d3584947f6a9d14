using Ballast.Sandbox;

namespace Ballast.Cli.Replay;

/// <summary>One exchange after it went through the gateway, before it is judged: the ledger must be read first.</summary>
internal sealed record ReplayPassage(RecordedExchange Exchange)
{
    public required ReplayRoute Route { get; init; }

    public required bool IsResponseOnly { get; init; }

    /// <summary>The recorded request with its model, as it must arrive.</summary>
    public required byte[] Request { get; init; }

    /// <summary>The model's name as the platform must get it.</summary>
    public required string Model { get; init; }

    /// <summary>The caller speaks the recorded protocol; null where that was not asked for.</summary>
    public ReplayedCall? Same { get; init; }

    /// <summary>The recorded request on its way into the other protocol: what arrived is the other caller's request.</summary>
    public ReplayedCall? Outward { get; init; }

    /// <summary>The other caller's request, and what it got.</summary>
    public ReplayedCall? Back { get; init; }
    public byte[] OtherRequest { get; init; } = [];
}
