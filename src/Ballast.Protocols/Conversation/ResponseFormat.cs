namespace Ballast.Protocols.Conversation;

/// <summary>What form the answer's text must have.</summary>
public enum ResponseFormatKind
{
    Text,
    JsonObject,
    JsonSchema,
}

/// <summary>Structured output: the form asked for and, for <see cref="ResponseFormatKind.JsonSchema"/>, its schema.</summary>
public sealed record ResponseFormat(ResponseFormatKind Kind, string Pointer)
{
    public string? Name { get; init; }
    public string? Description { get; init; }
    public RawJson Schema { get; init; }

    /// <summary>The same schema as its caller wrote it, where the protocol has a form of its own for schemas: goes back to that protocol alone.</summary>
    public RawJson OwnSchema { get; init; }
    public bool? Strict { get; init; }
}
