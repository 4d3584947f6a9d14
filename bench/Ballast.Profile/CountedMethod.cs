namespace Ballast.Profile;

/// <summary>What the runtime counted in one method while it ran.</summary>
/// <param name="Type">Its type, as the runtime writes it: full name, instantiation in brackets.</param>
/// <param name="Name">Its name.</param>
/// <param name="Signature">As the runtime writes it.</param>
/// <param name="CodeBytes">Length of its IL.</param>
/// <param name="Counts">One for each place that was looked at.</param>
internal sealed record CountedMethod(string Type, string Name, string Signature, int CodeBytes, IReadOnlyList<Count> Counts)
{
    public bool IsGeneric => Signature.StartsWith("generic", StringComparison.Ordinal) || Signature.Contains(" generic ", StringComparison.Ordinal);

    /// <summary>Both runs together; where they were counted at different places, the one that says more.</summary>
    public CountedMethod With(CountedMethod other) => Counts.Count == other.Counts.Count && Counts.Zip(other.Counts).All(static pair => pair.First.IsAt(pair.Second))
        ? this with { Counts = [.. Counts.Zip(other.Counts, static (one, two) => one.With(two))] }
        : Weight >= other.Weight ? this : other;

    /// <summary>How often its busiest edge was gone along: what its place among the others goes by.</summary>
    public long Weight => Counts.Where(count => !count.IsOfNames).SelectMany(count => count.Numbers).DefaultIfEmpty().Max();
}

/// <summary>One place of a method: how often an edge was gone along, or which types were seen there.</summary>
/// <param name="Kind">The runtime's number for what is counted.</param>
/// <param name="At">Offset in the IL.</param>
/// <param name="Other">What else the kind says: where an edge ends, flags.</param>
/// <param name="Numbers">Of counters.</param>
/// <param name="Names">Assembly-qualified names of types; null where there was none.</param>
internal sealed record Count(int Kind, int At, int Other, IReadOnlyList<long> Numbers, IReadOnlyList<string?> Names)
{
    private const int MarshalMask = 15;
    private const int TypeHandle = 3;

    public bool IsOfNames => (Kind & MarshalMask) >= TypeHandle;

    /// <summary>Targets of delegates: the compiler ahead of time has no use for them.</summary>
    public bool IsOfMethods => (Kind & MarshalMask) > TypeHandle;

    public bool IsAt(Count other) => (Kind, At, Other, Length) == (other.Kind, other.At, other.Other, other.Length);

    /// <summary>Types are a sample of those seen: the first that has any is as good.</summary>
    public Count With(Count other) => this with
    {
        Numbers = [.. Numbers.Zip(other.Numbers, static (one, two) => one + two)],
        Names = Names.Any(static name => name is not null) ? Names : other.Names,
    };

    public int Length => IsOfNames ? Names.Count : Numbers.Count;
}
