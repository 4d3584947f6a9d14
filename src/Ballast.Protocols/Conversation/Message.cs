namespace Ballast.Protocols.Conversation;

/// <summary>Who speaks.</summary>
public enum Role
{
    System,
    Developer,
    User,
    Assistant,

    /// <summary>Carries only <see cref="ToolResultPart"/>s (OpenAI's <c>role: tool</c>). Anthropic keeps tool results in user turns; readers leave them there.</summary>
    Tool,
}

/// <summary>One turn of the conversation.</summary>
public sealed record Message(Role Role, IReadOnlyList<Part> Parts, string Pointer)
{
    /// <summary>The speaker's name, where the protocol has one.</summary>
    public Setting<string>? Name { get; init; }
    public IReadOnlyList<Extra> Extras { get; init; } = [];
}
