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

    /// <summary>It takes free text instead of arguments by a schema (OpenAI's <c>custom</c> tools); null where it is a function.</summary>
    public FreeText? FreeText { get; init; }

    /// <summary>The group it was declared in, and its name there (Responses' <c>namespace</c>): <see cref="Name"/> is one name made of both. Null where it stands alone.</summary>
    public ToolPlace? Place { get; init; }
    public CacheControl? CacheControl { get; init; }
    public RawJson Native { get; init; }
    public IReadOnlyList<Extra> Extras { get; init; } = [];
}

/// <summary>The text that a tool takes; without a grammar any. <paramref name="Pointer"/> leads to where its form is described.</summary>
public sealed record FreeText(string Pointer)
{
    /// <summary>What the grammar is written in: <c>lark</c> or <c>regex</c>; null where there is none.</summary>
    public string? Syntax { get; init; }

    /// <summary>The grammar that the text must follow; null where there is none.</summary>
    public string? Definition { get; init; }

    /// <summary>The same as its caller wrote it: goes back to that protocol alone.</summary>
    public RawJson OwnForm { get; init; }
}

/// <summary>Where a tool was declared: the name of a group of tools, and the tool's name in it. <paramref name="Pointer"/> leads to the group.</summary>
public sealed record ToolPlace(string Group, string Name, string Pointer)
{
    /// <summary>What the group is for, where its caller said so.</summary>
    public string? Description { get; init; }
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
public sealed record ToolChoice(ToolChoiceMode Mode, string? Name, string Pointer)
{
    /// <summary>The names of those tools that the model may call, where it is not all of them (OpenAI's <c>allowed_tools</c>); else null.</summary>
    public IReadOnlyList<string>? Allowed { get; init; }
}
