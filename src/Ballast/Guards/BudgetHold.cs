namespace Ballast.Guards;

/// <summary>
/// What was reserved before this process began and is settled by it. Budgets that several gateways share keep such amounts among their parts, where they count as spent already:
/// of those nothing is held or booked again.
/// </summary>
public sealed class BudgetHold
{
    private readonly BudgetMeter[] _budgets;
    private readonly decimal _usd;
    private readonly long _tokens;
    private readonly long _atTicks;

    /// <summary>Reserves it again, whatever is left: it was within its budgets when it was taken.</summary>
    /// <param name="meters">Of the process.</param>
    /// <param name="budgets">Names; those that are no more are left out.</param>
    /// <param name="usd">Of each budget in money.</param>
    /// <param name="tokens">Of each budget in tokens.</param>
    /// <param name="since">When it was taken.</param>
    public BudgetHold(MeterBook meters, IEnumerable<string> budgets, decimal usd, long tokens, DateTimeOffset since)
    {
        _budgets = [.. budgets.Select(meters.Budget).OfType<BudgetMeter>().Where(static budget => !budget.IsShared)];
        (_usd, _tokens, _atTicks) = (usd, tokens, since.UtcTicks);
        foreach (BudgetMeter budget in _budgets)
        {
            budget.Hold(budget.IsMoney ? usd : tokens, _atTicks);
        }
    }

    /// <summary>The most that it was taken for.</summary>
    public Spending Most => new(_usd, _tokens, 0, 0);

    /// <summary>Gives it back and books what was spent. Once.</summary>
    public void Settle(in Spending spent)
    {
        foreach (BudgetMeter budget in _budgets)
        {
            budget.Settle(budget.IsMoney ? _usd : _tokens, budget.IsMoney ? spent.Usd : spent.Tokens, _atTicks);
        }
    }
}
