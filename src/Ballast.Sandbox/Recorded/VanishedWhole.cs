namespace Ballast.Sandbox.Recorded;

/// <summary>Finds, for each difference, the values above it of which nothing is left: one loss may name such a value as a whole.</summary>
internal static class VanishedWhole
{
    public static IReadOnlyList<WireDifference> Mark(IReadOnlyList<WireDifference> differences, IEnumerable<string> pointers)
    {
        HashSet<string> gone = [.. differences.Select(difference => difference.Pointer)];
        HashSet<string> partlyThere = [];
        foreach (string pointer in pointers.Where(pointer => !gone.Contains(pointer)))
        {
            for (string above = pointer; above.Length > 0; above = Parent(above))
            {
                partlyThere.Add(above);
            }
        }

        return [.. differences.Select(difference => difference with { VanishedWhole = Above(difference.Pointer, partlyThere) })];
    }

    private static List<string> Above(string pointer, HashSet<string> partlyThere)
    {
        List<string> above = [];
        for (string next = pointer.Length == 0 ? "" : Parent(pointer); next.Length > 0 && !partlyThere.Contains(next); next = Parent(next))
        {
            above.Add(next);
        }

        return above;
    }

    private static string Parent(string pointer) => pointer[..Math.Max(0, pointer.LastIndexOf('/'))];
}
