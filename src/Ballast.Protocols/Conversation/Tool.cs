namespace Ballast.Protocols.Conversation;

/// <summary>A tool on offer. A tool that the vendor itself runs (web search …) has <see cref="Native"/> and can go to its own protocol only.</summary>
public sealed record Tool(string Name, string Pointer)
{
    public string? Description { get; init; }

    /// <summary>JSON Schema of the arguments; empty where the caller gave none.</summary>
    public RawJson Parameters { get; init; }

    /// <summary>The same schema as its caller wrote it, where the protocol has a form of its own for schemas: goes back to that protocol alone.</summary>
    public RawJson OwnParameters { get; init; }
    public bool? Strict { get; init; }
    public CacheControl? CacheControl { get; init; }
    public RawJson Native { get; init; }
    public IReadOnlyList<Extra> Extras { get; init; } = [];
}

/// <summary>Whether tools may, must or must not be called.</summary>
public enum ToolChoiceMode
{
    Auto,
    None,
    Required,
    Named,
}

/// <summary>The caller's choice; <paramref name="Name"/> is set for <see cref="ToolChoiceMode.Named"/> only.</summary>
public sealed record ToolChoice(ToolChoiceMode Mode, string? Name, string Pointer);
