using System.Buffers;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols;

/// <summary>How much a reader takes out of an answer.</summary>
public enum ReadDepth
{
    /// <summary>Usage, finish, errors and whether there was content; the bytes themselves are passed on. Allocates nothing for a frame of content.</summary>
    UsageOnly,

    /// <summary>Every event.</summary>
    Everything,
}

/// <summary>How an answer is to be read.</summary>
public sealed record ReaderOptions
{
    public required bool Stream { get; init; }
    public required ReadDepth Depth { get; init; }

    /// <summary>The answer's media type without parameters, where its head tells it: what is only passed on is read by it.</summary>
    public string? MediaType { get; init; }

    /// <summary>Maker of the model: the issuer of signatures in this answer.</summary>
    public required string Vendor { get; init; }

    /// <summary>The account that was asked (<see cref="RequestTarget.Account"/>); empty where it is not known.</summary>
    public string Account { get; init; } = "";

    /// <summary>Another account of the vendor may be asked next time: encrypted reasoning is marked with its issuer also where the answer is passed on.</summary>
    public bool MarksReasoning { get; init; }

    /// <summary>Ballast asked for usage, the caller did not: the frame that holds nothing else is marked <see cref="FrameSignals.Withhold"/>.</summary>
    public bool WithholdUsage { get; init; }

    /// <summary>Structured output is emulated (<see cref="StructuredOutput"/>): the tool call that carries it is read as text.</summary>
    public bool UnwrapStructuredOutput { get; init; }

    /// <summary>The caller asked for reasoning, or has a place for all that comes with it: what is only of use to a model that reasons on is told as well.</summary>
    public bool WantsReasoning { get; init; } = true;

    /// <summary>The tools of a request that was translated: a call of one that had to take another name is read under the caller's own.</summary>
    public IReadOnlyList<Tool> Tools { get; init; } = [];

    /// <summary>The caller's name of the tool that the upstream calls <paramref name="called"/>, where names may be so long.</summary>
    internal string ToolName(string called, int lengthMax) =>
        Tools.Any(tool => tool.Name == called) ? called : Tools.FirstOrDefault(tool => LegalName.Of(tool.Name, lengthMax) == called)?.Name ?? called;

    /// <summary>The tool that was declared in a group, which the upstream names beside it; null where none was.</summary>
    internal Tool? ToolIn(string? group, string called) => Tools.FirstOrDefault(tool => tool.Place is { } place && place.Group == group && place.Name == called);

    public LossReport Losses
    {
        get => field ??= new LossReport();
        init;
    }

    /// <summary>State that Ballast keeps for an answer that is passed on: its frames tell of it, and its end fills it. Null where there is none.</summary>
    public AnswerState? State { get; init; }
}

/// <summary>What one frame of an answer meant.</summary>
[Flags]
public enum FrameSignals
{
    None = 0,
    Started = 1,

    /// <summary>Text, thinking, refusal or a piece of a tool call: sending it commits the answer.</summary>
    Content = 1 << 1,
    Usage = 1 << 2,
    Finished = 1 << 3,
    Failed = 1 << 4,

    /// <summary>The protocol's terminal mark, or a whole body.</summary>
    Ended = 1 << 5,

    /// <summary>The caller did not ask for this frame: do not pass it on.</summary>
    Withhold = 1 << 6,
}

/// <summary>
/// Reads one answer, frame by frame: the unit in which bytes are passed on and judged. One instance for each attempt; not thread-safe.
/// The results may not depend on how the bytes were cut.
/// </summary>
public abstract class ResponseReader(ReaderOptions options)
{
    protected ReaderOptions Options { get; } = options;

    /// <summary>Events of the frame read last (depth <see cref="ReadDepth.Everything"/>); the caller clears nothing, the next read does.</summary>
    public List<ChatEvent> Events { get; } = [];

    public string? ResponseId { get; protected set; }

    /// <summary>The model that the vendor says it served.</summary>
    public string? ServedModel { get; protected set; }

    /// <summary>The tokens so far. Where every frame tells them anew, they are put together when they are asked for.</summary>
    public virtual Usage? Usage { get; protected set; }
    public FinishReason? Finish { get; protected set; }
    public ChatError? Error { get; protected set; }

    /// <summary>The terminal mark was read: whatever follows is not part of the answer.</summary>
    public bool IsEnded { get; protected set; }

    /// <summary>Bytes of content seen so far, as written in JSON, for an estimate where the vendor reports no usage.</summary>
    public long ContentLength { get; protected set; }

    /// <summary>
    /// Takes one whole frame from the front of <paramref name="buffer"/> and advances it past the frame; false where more bytes are needed.
    /// </summary>
    /// <param name="buffer">Unread bytes; on true it begins after the frame.</param>
    /// <param name="isCompleted">No more bytes will come.</param>
    /// <param name="frame">The frame's own bytes, valid as long as the buffer.</param>
    /// <param name="signals">What it meant.</param>
    /// <exception cref="ProtocolException">The bytes break the protocol or a named limit.</exception>
    public abstract bool TryReadFrame(
        ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals);
}
