namespace Ballast.Protocols;

/// <summary>The words in which requests of a protocol ask for searches of the web, and say how many there may be.</summary>
/// <param name="names">What fields, types or tools that ask for a search begin with.</param>
public sealed class SearchWords(params string[] names)
{
    /// <summary>What fields, types or tools that ask for a search begin with.</summary>
    public IReadOnlyList<string> Names => names;

    /// <summary>The field of a tool that limits its own searches; null where there is none.</summary>
    public string? ToolLimit { get; init; }

    /// <summary>The request's field that limits the calls of all its tools; null where there is none.</summary>
    public string? RequestLimit { get; init; }
}
