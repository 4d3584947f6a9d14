namespace Ballast.Protocols;

/// <summary>A place in a body: where the bytes of one JSON value lie, quotes included. An absent value has a length of 0.</summary>
public readonly record struct JsonSpan(int Start, int Length)
{
    public bool IsPresent => Length > 0;
    public int End => Start + Length;
}

/// <summary>What is known of a request before it is parsed in full: enough to admit, route and forward it. Positions are byte offsets into <see cref="Body"/>.</summary>
public sealed class RequestEnvelope
{
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>What path and query said.</summary>
    public RequestAddress Address { get; init; }
    public required string Model { get; init; }

    /// <summary>Absent where the address names the model.</summary>
    public JsonSpan ModelValue { get; init; }
    public bool Stream { get; init; }

    /// <summary>The caller asked for usage inside the stream.</summary>
    public bool StreamUsage { get; init; }

    /// <summary>OpenAI's <c>stream_options</c>, where present.</summary>
    public JsonSpan StreamOptionsValue { get; init; }

    /// <summary>The output limit asked for, in tokens, and null where there is none.</summary>
    public long? MaxOutputTokens { get; init; }

    /// <summary>How many answers are wanted.</summary>
    public int ChoiceCount { get; init; } = 1;

    /// <summary>The answer must fit a JSON schema: an endpoint that has no such thing needs the request rewritten.</summary>
    public bool AsksJsonSchema { get; init; }

    /// <summary>
    /// The body holds a mark (<see cref="ForeignThinking.Mark"/>) of reasoning that another vendor issued, or lacks reasoning where its protocol demands it because
    /// another vendor gave the turn: it must be parsed and rewritten, never spliced.
    /// </summary>
    public bool HasForeignThinking { get; init; }

    /// <summary>
    /// The caller wants its vendor to hold the conversation from here on. That is never passed on: what is held at one vendor no other can go on from, and no bound on
    /// its tokens is known here. The request is rewritten without it.
    /// </summary>
    public bool AsksThread { get; init; }

    /// <summary>What the request says of stored state; null where its protocol knows none.</summary>
    public StateWish? State { get; init; }
}
