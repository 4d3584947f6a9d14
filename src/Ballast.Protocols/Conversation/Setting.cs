namespace Ballast.Protocols.Conversation;

/// <summary>A value of a request together with the JSON pointer (RFC 6901) at which the caller wrote it, so that a loss can be named exactly.</summary>
public sealed record Setting<T>(T Value, string Pointer);

/// <summary>A field that only the protocol it was read from knows: written back to that protocol, reported as a loss to any other.</summary>
public sealed record Extra(string Name, string Pointer, RawJson Value)
{
    /// <summary>What is written back to its own protocol says it already, so that it is there for the report of losses alone.</summary>
    public bool IsSaid { get; init; }
}
