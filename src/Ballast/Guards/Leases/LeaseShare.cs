using System.Collections.Concurrent;

namespace Ballast.Guards.Leases;

/// <summary>What all parts of shared limits and budgets of one gateway go by. Null wherever a gateway is alone.</summary>
/// <param name="file">What this gateway has used of its parts.</param>
/// <param name="time">Of how fresh a figure is.</param>
public sealed class LeaseShare(LeaseFile file, TimeProvider time)
{
    /// <summary>The part of a limit that is kept free for the gateways, all together, whether they have asked for it or not: with it a gateway begins, and goes on without the database.</summary>
    public const double KeptShare = 0.05;

    private volatile int _gateways = 1;
    private volatile bool _isUp;

    public LeaseFile File { get; } = file;

    public TimeProvider Time { get; } = time;

    /// <summary>Those heard of lately, this one among them.</summary>
    public int Gateways { get => _gateways; set => _gateways = Math.Max(1, value); }

    /// <summary>The store of leases answers.</summary>
    public bool IsUp { get => _isUp; set => _isUp = value; }

    /// <summary>For how long an idle budget keeps its part, and for how long of its need a busy one has it ahead: as long as the store may be out of sight.</summary>
    public TimeSpan Ahead { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Meters that are asked, by name: the others have nothing to say.</summary>
    internal ConcurrentDictionary<string, RateMeter> Rates { get; } = new(StringComparer.Ordinal);

    internal ConcurrentDictionary<BudgetMeter, bool> Budgets { get; } = [];

    /// <summary>What a gateway may always take of a limit.</summary>
    internal long Kept(long limit) => (long)(limit * KeptShare / Gateways);
}
