namespace Ballast.Tenancy.Leases;

/// <summary>What one gateway says of its part of a budget's period.</summary>
/// <param name="Sheet">Budget and period.</param>
/// <param name="EndsAt">End of the period.</param>
/// <param name="Limit">Of the whole, in US dollars or tokens.</param>
/// <param name="Spent">By this gateway.</param>
/// <param name="Reserved">By this gateway.</param>
/// <param name="Wanted">What it would hold: never less than spent and reserved.</param>
public sealed record BudgetReport(string Sheet, DateTimeOffset EndsAt, decimal Limit, decimal Spent, decimal Reserved, decimal Wanted);

/// <summary>What it is given, and where the others stand.</summary>
/// <param name="Sheet">Budget and period.</param>
/// <param name="IsSeeded">What was spent before any lease is known; until then nothing is given.</param>
/// <param name="Granted">The most that it may spend and reserve.</param>
/// <param name="OthersSpent">By all other gateways, and before any lease.</param>
/// <param name="OthersReserved">By all other gateways.</param>
/// <param name="OthersHeld">What is not to be had for this gateway.</param>
public sealed record BudgetGrant(string Sheet, bool IsSeeded, decimal Granted, decimal OthersSpent, decimal OthersReserved, decimal OthersHeld);

/// <summary>What one gateway says of its part of a limit.</summary>
/// <param name="Meter">Whose limit it is.</param>
/// <param name="Dimension">Requests (0), input tokens (1), output tokens (2) in any 60 seconds, requests at once (3).</param>
/// <param name="Limit">Of the whole.</param>
/// <param name="Used">What it has taken that still counts.</param>
/// <param name="Demand">What is asked of it in a second, lately.</param>
/// <param name="Wanted">What it would hold.</param>
public sealed record RateReport(string Meter, int Dimension, long Limit, long Used, double Demand, long Wanted);

/// <summary>What it is given, and where the others stand.</summary>
public sealed record RateGrant(string Meter, int Dimension, long Granted, long OthersUsed, double OthersDemand);

/// <summary>All that a gateway says at once.</summary>
/// <param name="Lately">A gateway that was not heard of for so long holds nothing of limits any more.</param>
/// <param name="KeptShare">The part of a limit that is kept free for the gateways, all together, whether they ask or not.</param>
/// <param name="Rates">By meter and dimension.</param>
/// <param name="Budgets">By sheet.</param>
public sealed record LeaseRequest(TimeSpan Lately, double KeptShare, IReadOnlyList<RateReport> Rates, IReadOnlyList<BudgetReport> Budgets);

/// <summary>What it is answered, in the order of the request.</summary>
/// <param name="Gateways">Those heard of lately, this one among them.</param>
/// <param name="Rates">Grants of limits.</param>
/// <param name="Budgets">Grants of budgets.</param>
public sealed record LeaseReply(int Gateways, IReadOnlyList<RateGrant> Rates, IReadOnlyList<BudgetGrant> Budgets);

/// <summary>
/// Deals limits and budgets out to the gateways that share them: what one is given is taken from the whole before it is used. Every method throws <see cref="TenancyStoreException"/>
/// where the store cannot be used. Nothing of it is called on the path of a request.
/// </summary>
public interface ILeaseStore : IAsyncDisposable
{
    /// <summary>Takes what a gateway says and gives it its parts. Calls of one gateway come one after another.</summary>
    Task<LeaseReply> ShareAsync(LeaseRequest request, CancellationToken cancellation);

    /// <summary>Says what was spent of a budget's period before any lease; the first who says it counts.</summary>
    Task SeedAsync(string sheet, decimal spent, CancellationToken cancellation);

    /// <summary>True for the first of all gateways that asks for this name.</summary>
    Task<bool> TryTellAsync(string alert, CancellationToken cancellation);

    /// <summary>The gateway stops: what it holds of limits is free once it no longer counts.</summary>
    Task LeaveAsync(TimeSpan lately, CancellationToken cancellation);
}
