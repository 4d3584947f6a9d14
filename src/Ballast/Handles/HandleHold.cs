namespace Ballast.Handles;

/// <summary>What budgets hold for a batch until its results are read: the most that all its answers may cost.</summary>
/// <param name="Budgets">Their names.</param>
/// <param name="Usd">US dollars, of each budget in money.</param>
/// <param name="Tokens">Tokens, of each budget in tokens.</param>
/// <param name="Since">When it was taken; it belongs to the period of that moment.</param>
public sealed record HandleHold(IReadOnlyList<string> Budgets, decimal Usd, long Tokens, DateTimeOffset Since);
