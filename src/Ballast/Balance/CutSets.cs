using Ballast.Catalog;

namespace Ballast.Balance;

/// <summary>Components that together leave a model without any deployment, and none of which could be left out.</summary>
public sealed record CutSet(IReadOnlyList<Component> Components)
{
    public override string ToString() => string.Join(" + ", Components);
}

/// <summary>
/// Minimal cut sets of a fault tree: a deployment fails when one of its components does, a model when all its deployments do. (Not a cut of a graph: paths that mix
/// two deployments would make it look more resilient than it is.)
/// </summary>
public static class CutSets
{
    /// <summary>Components that disappear at once.</summary>
    public const int SizeMax = 3;

    /// <summary>Components looked at for one model: those that take most deployments with them.</summary>
    public const int ComponentsMax = 192;

    /// <summary>What stops a model with these deployments; the smallest sets first. At most 64 deployments are looked at.</summary>
    /// <param name="deployments">The model's lawful deployments.</param>
    /// <param name="components">The graph.</param>
    /// <param name="sizeMax">Up to <see cref="SizeMax"/>.</param>
    public static IReadOnlyList<CutSet> Of(IReadOnlyList<Deployment> deployments, ComponentMap components, int sizeMax = SizeMax)
    {
        Dictionary<Component, ulong> gone = [];
        int count = Math.Min(deployments.Count, 64);
        for (int index = 0; index < count; index++)
        {
            foreach (ComponentEdge edge in components.Of(deployments[index]).Where(static edge => edge.Component.Kind != ComponentKind.Deployment))
            {
                gone[edge.Component] = gone.GetValueOrDefault(edge.Component) | (1UL << index);
            }
        }

        (Component Component, ulong Gone)[] all =
        [
            .. gone.Select(static pair => (pair.Key, pair.Value)).OrderByDescending(static pair => ulong.PopCount(pair.Value)).ThenBy(static pair => pair.Key.Kind)
                .ThenBy(static pair => pair.Key.Name, StringComparer.Ordinal).Take(ComponentsMax),
        ];
        return count == 0 ? [] : [.. Find([.. all.Select(static one => one.Gone)], ulong.MaxValue >> (64 - count), sizeMax).Select(set => new CutSet([.. set.Select(index => all[index].Component)]))];
    }

    /// <summary>Sets of indexes whose masks cover everything, minimal, the smallest first.</summary>
    public static IReadOnlyList<int[]> Find(IReadOnlyList<ulong> gone, ulong all, int sizeMax = SizeMax)
    {
        List<int[]> found = [];
        for (int one = 0; one < gone.Count && sizeMax >= 1; one++)
        {
            if (gone[one] == all)
            {
                found.Add([one]);
            }
        }

        for (int one = 0; one < gone.Count && sizeMax >= 2; one++)
        {
            for (int two = one + 1; two < gone.Count && gone[one] != all; two++)
            {
                if (gone[two] != all && (gone[one] | gone[two]) == all)
                {
                    found.Add([one, two]);
                }
            }
        }

        for (int one = 0; one < gone.Count && sizeMax >= 3; one++)
        {
            for (int two = one + 1; two < gone.Count; two++)
            {
                ulong both = gone[one] | gone[two];
                for (int three = two + 1; three < gone.Count && both != all; three++)
                {
                    // Minimal: no two of them are enough. (One of them alone would make two enough.)
                    if ((both | gone[three]) == all && (gone[one] | gone[three]) != all && (gone[two] | gone[three]) != all)
                    {
                        found.Add([one, two, three]);
                    }
                }
            }
        }

        return found;
    }
}
