using Ballast.Catalog;
using Ballast.Configuration.Policies;
using Ballast.Ledger;
using Ballast.Protocols.Conversation;
using Ballast.Routing.Shares;

namespace Ballast.Balance;

/// <summary>How a limit was kept since its policy is in force.</summary>
public enum LimitState
{
    /// <summary>Nothing of its scope was answered.</summary>
    NoTraffic,
    Held,

    /// <summary>It was exceeded, and said to be: the rule was suspended.</summary>
    Suspended,

    /// <summary>It was exceeded without a suspension.</summary>
    Breached,
}

/// <summary>One cap or floor held against what was answered.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Share">Of its scope's traffic, in the policy's unit, since the policy is in force; null without traffic.</param>
/// <param name="Day">The day with the share that is worst for the rule; null without traffic.</param>
/// <param name="DayShare">That day's share.</param>
/// <param name="Suspensions">Of this rule, in the time looked at.</param>
/// <param name="State">What came of it.</param>
public sealed record LimitCheck(ShareRule Rule, double? Share, DateOnly? Day, double? DayShare, IReadOnlyList<Relaxation> Suspensions, LimitState State)
{
    /// <summary>How long the stretches of <c>cells</c> are.</summary>
    public static TimeSpan Stretch => TimeSpan.FromDays(1);

    /// <param name="policy">In force.</param>
    /// <param name="catalog">Today's.</param>
    /// <param name="cells">What was answered since it is in force, by days. Money is told from the mean request of a cell: prices that rise with a request's length are taken at that.</param>
    /// <param name="relaxations">In the same time.</param>
    public static IReadOnlyList<LimitCheck> Of(SharePolicy policy, CatalogSnapshot catalog, IEnumerable<DemandCell> cells, IReadOnlyList<Relaxation> relaxations)
    {
        Dictionary<string, ApiKey> keys = catalog.Keys.ToDictionary(static key => key.Id, StringComparer.Ordinal);
        int count = policy.Book.Rules.Count;
        SortedDictionary<DateOnly, (double[] Group, double[] Total)> days = [];
        foreach (DemandCell cell in cells)
        {
            if (!keys.TryGetValue(cell.Label.KeyId, out ApiKey? key) || catalog.FindModel(cell.Label.RequestedModel) is not { } model
                || !catalog.Deployments.TryGetValue(cell.Label.Deployment, out Deployment? served))
            {
                continue;
            }

            DateOnly day = DateOnly.FromDateTime(cell.From.UtcDateTime);
            if (!days.TryGetValue(day, out (double[] Group, double[] Total) sums))
            {
                days[day] = sums = (new double[count], new double[count]);
            }

            policy.AddAsServed(served, model, key, UnitsOf(policy, served, cell), sums.Group, sums.Total);
        }

        return [.. policy.Book.Rules.Select((rule, index) => Judge(rule, index, days, [.. relaxations.Where(one => one.Rule == rule.Id && one.PolicyName == policy.Options.Name)]))];
    }

    private static double UnitsOf(SharePolicy policy, Deployment served, DemandCell cell) => policy.Options.Unit switch
    {
        ShareUnit.Requests => cell.Requests,
        ShareUnit.Tokens => cell.Tokens,
        _ => cell.Requests * policy.Units(served, MeanOf(cell), cell.From),
    };

    private static Usage MeanOf(DemandCell cell) => new()
    {
        InputTokens = cell.Usage.InputTokens / cell.Requests,
        CacheReadTokens = cell.Usage.CacheReadTokens / cell.Requests,
        CacheWriteTokens = cell.Usage.CacheWriteTokens / cell.Requests,
        CacheWriteLongTokens = cell.Usage.CacheWriteLongTokens / cell.Requests,
        OutputTokens = cell.Usage.OutputTokens / cell.Requests,
    };

    private static LimitCheck Judge(ShareRule rule, int index, SortedDictionary<DateOnly, (double[] Group, double[] Total)> days, Relaxation[] suspensions)
    {
        double group = days.Values.Sum(day => day.Group[index]);
        double total = days.Values.Sum(day => day.Total[index]);
        if (total <= 0)
        {
            return new LimitCheck(rule, null, null, null, suspensions, LimitState.NoTraffic);
        }

        // What the proof allows over any time: see docs/balance.md. A floor is a cap on all others.
        bool isOver = days.Values.Any(day => Over(day.Group[index], day.Total[index])) || Over(group, total);
        (DateOnly day, double share) = days.Where(day => day.Value.Total[index] > 0).Select(day => (day.Key, day.Value.Group[index] / day.Value.Total[index])).MaxBy(static day => day.Item2);
        return new LimitCheck(
            rule, Shown(group / total), day, Shown(share), suspensions,
            !isOver ? LimitState.Held : suspensions.Length > 0 ? LimitState.Suspended : LimitState.Breached);

        bool Over(double part, double whole) => part - (rule.Cap * whole) > 3 * rule.Burst;

        double Shown(double share) => rule.IsFloor ? 1 - share : share;
    }
}
