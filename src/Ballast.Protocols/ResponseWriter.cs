using System.Buffers;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols;

/// <summary>How an answer is to be written.</summary>
public sealed record WriterOptions
{
    public required bool Stream { get; init; }

    /// <summary>Id used where the upstream's answer has none.</summary>
    public required string FallbackId { get; init; }

    /// <summary>Model name used until and unless the upstream tells the one it served.</summary>
    public required string Model { get; init; }
    public required long CreatedUnixSeconds { get; init; }

    /// <summary>Maker of the model: the issuer of reasoning that came without a signature (<see cref="ForeignThinking"/>).</summary>
    public string Vendor { get; init; } = "";

    /// <summary>The caller asked for usage inside the stream.</summary>
    public bool StreamUsage { get; init; }

    /// <summary>Input tokens known before the answer, for a protocol that states them first (Anthropic's <c>message_start</c>); an estimate.</summary>
    public long InputTokensEstimate { get; init; }

    /// <summary>Vectors are wanted as base64 of little-endian floats.</summary>
    public bool IsBase64 { get; init; }

    /// <summary>The caller's request, for a protocol whose answers repeat what was asked; empty where it is not at hand.</summary>
    public ReadOnlyMemory<byte> Request { get; init; }

    /// <summary>State that Ballast keeps for this answer, which its end fills; null where there is none.</summary>
    public AnswerState? State { get; init; }
    public LossReport Losses { get; init; } = new();
}

/// <summary>
/// Writes one answer from events. A streaming writer writes frames at once; a whole-body writer gathers and writes on <see cref="ResponseEnded"/>.
/// One instance for each exchange; not thread-safe. <see cref="Failed"/> is never given to a writer: the relay decides what an error becomes.
/// </summary>
public abstract class ResponseWriter(WriterOptions options)
{
    protected WriterOptions Options { get; } = options;

    /// <summary>Names what has no place in this answer.</summary>
    protected void Lose(AnswerTold told) => Options.Losses.AddInResponse(
        told.Pointer, told.Fact == AnswerFact.ServiceTier ? "There is no place or word for this service tier." : "There is no place for where the answer was worked out.");

    public abstract void Write(ChatEvent chatEvent, IBufferWriter<byte> output);
}
