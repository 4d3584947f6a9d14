namespace Ballast.Protocols.Conversation;

/// <summary>One piece of a message's content.</summary>
public abstract record Part(string Pointer)
{
    /// <summary>The caller asked to cache the prompt up to and including this part.</summary>
    public CacheControl? CacheControl { get; init; }
    public IReadOnlyList<Extra> Extras { get; init; } = [];
}

/// <summary>A cache breakpoint; <paramref name="Ttl"/> is the lifetime as written (<c>5m</c>, <c>1h</c>) or null for the default.</summary>
public sealed record CacheControl(string Pointer, string? Ttl);

/// <summary>Plain text. Pointer leads to the text itself or to the part that holds it.</summary>
public sealed record TextPart(string Text, string Pointer) : Part(Pointer);

/// <summary>The model's refusal, kept apart from its text (OpenAI).</summary>
public sealed record RefusalPart(string Text, string Pointer) : Part(Pointer);

/// <summary>Where binary content comes from: base64 data with a media type, or a URL, or a file id of the vendor; exactly one of the three.</summary>
public sealed record MediaSource
{
    public string? MediaType { get; init; }

    /// <summary>Where the media type stood; null where it was no field of its own.</summary>
    public string? MediaTypePointer { get; init; }

    /// <summary>Base64, as it arrived (not decoded).</summary>
    public string? Base64 { get; init; }
    public string? Url { get; init; }

    /// <summary>Handle of a file stored at one vendor: never leaves for another one.</summary>
    public string? FileId { get; init; }
}

/// <summary>A picture; <paramref name="Detail"/> is OpenAI's low, high or auto.</summary>
public sealed record ImagePart(MediaSource Source, string? Detail, string Pointer) : Part(Pointer);

/// <summary>A document such as a PDF or a text file.</summary>
public sealed record DocumentPart(MediaSource Source, string? Name, string Pointer) : Part(Pointer)
{
    /// <summary>The document's text, where it was sent as text rather than as a file.</summary>
    public string? Text { get; init; }
}

/// <summary>Sound; <paramref name="Format"/> is wav, mp3 ….</summary>
public sealed record AudioPart(string Base64, string Format, string Pointer) : Part(Pointer);

/// <summary>
/// Earlier reasoning sent back. <see cref="Signature"/> may go only to <see cref="Issuer"/> (a vendor's name); an unsigned one has neither.
/// </summary>
public sealed record ThinkingPart(string Text, string Pointer) : Part(Pointer)
{
    public string? Signature { get; init; }
    public string? Issuer { get; init; }
}

/// <summary>Reasoning that its issuer has encrypted.</summary>
public sealed record RedactedThinkingPart(string Data, string? Issuer, string Pointer) : Part(Pointer);

/// <summary>The model calls a tool. <paramref name="Arguments"/> is the argument text exactly as it was sent; it may be invalid JSON where a model wrote it so.</summary>
public sealed record ToolCallPart(string Id, string Name, string Arguments, string Pointer) : Part(Pointer)
{
    /// <summary>The tool takes free text, which is what stands in <see cref="Arguments"/>.</summary>
    public bool IsFreeText { get; init; }
}

/// <summary>What the tool answered.</summary>
public sealed record ToolResultPart(string CallId, IReadOnlyList<Part> Content, string Pointer) : Part(Pointer)
{
    public bool IsError { get; init; }

    /// <summary>The tool's name, where the protocol says it again with the result.</summary>
    public string? Name { get; init; }

    /// <summary>The same result as its caller wrote it, where the protocol demands an object: goes back to that protocol alone.</summary>
    public RawJson OwnResult { get; init; }
}

/// <summary>A part that only the source protocol knows (server tools, search results …): written back to it, reported as a loss to others.</summary>
public sealed record OpaquePart(string Type, RawJson Value, string Pointer) : Part(Pointer)
{
    /// <summary>What of it is text that a model can read; null where nothing is. It goes where the part itself cannot.</summary>
    public string? Text { get; init; }
}
