namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>
/// Which pairs of target and case of an SDK are tried: all of them in the long tier. Otherwise each case once, at the target that has had the fewest yet, so that the targets
/// take turns; one that no turn has reached has its first case.
/// </summary>
internal static class SdkTier
{
    public static bool IsLong { get; } = LongFactAttribute.Reason is null;

    public static TheoryData<string, string> Kept(TheoryData<string, string> rows)
    {
        HashSet<(string, string)> kept = Kept(rows.Select(static row => (row.Data.Item1, row.Data.Item2)));
        return [.. rows.Where(row => kept.Contains((row.Data.Item1, row.Data.Item2)))];
    }

    /// <summary>The targets with the cases that are kept, in their order.</summary>
    public static IReadOnlyList<SdkTarget> Kept(IReadOnlyList<SdkTarget> targets)
    {
        HashSet<(string, string)> kept = Kept(targets.SelectMany(static target => target.Cases.Select(name => (target.Name, name))));
        return [.. targets.Select(target => target with { Cases = [.. target.Cases.Where(name => kept.Contains((target.Name, name)))] })];
    }

    public static HashSet<(string Target, string Case)> Kept(IEnumerable<(string Target, string Case)> pairs)
    {
        (string Target, string Case)[] all = [.. pairs];
        if (IsLong)
        {
            return [.. all];
        }

        Dictionary<string, int> turns = all.Select(static pair => pair.Target).Distinct().ToDictionary(static target => target, static _ => 0);
        HashSet<(string, string)> kept = [];
        foreach (IGrouping<string, string> one in all.GroupBy(static pair => pair.Case, static pair => pair.Target))
        {
            string target = one.MinBy(target => turns[target])!;
            turns[target]++;
            kept.Add((target, one.Key));
        }

        kept.UnionWith(turns.Where(static turn => turn.Value == 0).Select(turn => all.First(pair => pair.Target == turn.Key)));
        return kept;
    }
}
