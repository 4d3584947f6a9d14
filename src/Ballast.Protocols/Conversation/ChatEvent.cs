namespace Ballast.Protocols.Conversation;

/// <summary>
/// The unit of every response. A whole answer is a short sequence of them, a stream a long one. <c>Part</c> numbers the pieces of the answer from 0
/// in order of appearance; deltas of different tool calls may interleave (OpenAI), all others end before the next begins.
/// Order: <see cref="ResponseStarted"/>, deltas, <see cref="Finished"/> and <see cref="UsageReported"/> in any order, <see cref="ResponseEnded"/> or <see cref="Failed"/>.
/// </summary>
public abstract record ChatEvent
{
    private protected ChatEvent()
    {
    }
}

/// <summary>The vendor began to answer; not yet content. <paramref name="CreatedUnixSeconds"/> is null where the protocol has no such field.</summary>
public sealed record ResponseStarted(string? Id, string? Model, long? CreatedUnixSeconds) : ChatEvent;

/// <summary>More text.</summary>
public sealed record TextDelta(int Part, string Text) : ChatEvent;

/// <summary>More text of a refusal (OpenAI's <c>refusal</c> field).</summary>
public sealed record RefusalDelta(int Part, string Text) : ChatEvent;

/// <summary>More reasoning.</summary>
public sealed record ThinkingDelta(int Part, string Text) : ChatEvent;

/// <summary>The signature over a reasoning part, as its issuer (a vendor's name) made it.</summary>
public sealed record ThinkingSigned(int Part, string Signature, string Issuer) : ChatEvent;

/// <summary>Reasoning that its issuer has encrypted.</summary>
public sealed record ThinkingRedacted(int Part, string Data, string Issuer) : ChatEvent;

/// <summary>A tool call began.</summary>
public sealed record ToolCallStarted(int Part, string Id, string Name) : ChatEvent
{
    /// <summary>The tool takes free text (<see cref="Tool.FreeText"/>): what follows as arguments is that text.</summary>
    public bool IsFreeText { get; init; }

    /// <summary>Where it stood in the vendor's answer, so that a loss can be named exactly.</summary>
    public string Pointer { get; init; } = "";
}

/// <summary>A fragment of a tool call's argument text.</summary>
public sealed record ToolCallDelta(int Part, string Arguments) : ChatEvent;

/// <summary>A part is complete. Optional: a new part or the end completes one as well.</summary>
public sealed record PartEnded(int Part) : ChatEvent;

/// <summary>A reference for a part's text to a source (Anthropic citations, OpenAI annotations); offsets are in UTF-16 code units of the part, null where unknown.</summary>
public sealed record Cited(int Part, string? Url, string? Title, string? QuotedText, int? Start, int? End) : ChatEvent
{
    /// <summary>Where that of it stood which a reference to a whole part cannot hold: its offsets and fields of one vendor.</summary>
    public IReadOnlyList<string> RestPointers { get; init; } = [];

    /// <summary>Where it stood in the vendor's answer, so that a loss can be named exactly.</summary>
    public string Pointer { get; init; } = "";
}

/// <summary>The model stopped; <paramref name="StopSequence"/> is the one that was met, where the vendor tells.</summary>
public sealed record Finished(FinishReason Reason, string? StopSequence) : ChatEvent
{
    /// <summary>Where the reason stood in the vendor's answer, so that a loss can be named exactly.</summary>
    public string Pointer { get; init; } = "";
}

/// <summary>The tokens so far; the last one counts, they are never summed.</summary>
public sealed record UsageReported(Usage Usage) : ChatEvent;

/// <summary>What else is said of an answer as a whole. It may come at any time before the end, and more than once; a writer that has no word for it, or has it too late, names it as lost.</summary>
/// <param name="Fact">What is told.</param>
/// <param name="Word">A tier by its name in <see cref="ServiceTierWord"/>; a place in its vendor's word.</param>
/// <param name="Pointer">Where the answer says so.</param>
public sealed record AnswerTold(AnswerFact Fact, string Word, string Pointer) : ChatEvent;

/// <summary>What an <see cref="AnswerTold"/> tells.</summary>
public enum AnswerFact
{
    /// <summary>How soon it was given.</summary>
    ServiceTier,

    /// <summary>Where it was worked out.</summary>
    InferenceGeo,
}

/// <summary>The vendor reported an error inside a 200 answer.</summary>
public sealed record Failed(ChatError Error) : ChatEvent;

/// <summary>A sign of life without content.</summary>
public sealed record Ping : ChatEvent
{
    public static Ping Instance { get; } = new();
}

/// <summary>The protocol's own terminal mark was read (<c>[DONE]</c>, <c>message_stop</c>, end of a whole body).</summary>
public sealed record ResponseEnded : ChatEvent
{
    public static ResponseEnded Instance { get; } = new();
}
