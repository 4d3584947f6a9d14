namespace Ballast.Sandbox;

/// <summary>Something that stood on one side and not on the other.</summary>
/// <param name="Pointer">RFC 6901 pointer into the side that had it; empty for the whole.</param>
/// <param name="What">A short sentence for people.</param>
public sealed record WireDifference(string Pointer, string What)
{
    /// <summary>Pointers above it, the nearest first, of which nothing at all is left on the other side.</summary>
    public IReadOnlyList<string> VanishedWhole { get; init; } = [];
}
