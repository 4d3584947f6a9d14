using System.Buffers;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols;

/// <summary>How the events of a stream are told apart on the wire.</summary>
public enum StreamFraming
{
    /// <summary>Lines of text (<c>text/event-stream</c>, WHATWG HTML 9.2).</summary>
    ServerSentEvents,

    /// <summary>None that Ballast knows of: bytes are passed on as they come.</summary>
    None,

    /// <summary>Binary messages with checksums (<c>application/vnd.amazon.eventstream</c>).</summary>
    EventStream,

    /// <summary>A JSON object in each line (<c>application/x-ndjson</c>).</summary>
    JsonLines,
}

/// <summary>
/// How bytes look: one wire format, in and out. Stateless, one instance for the process (<c>ProtocolList</c>). Where the bytes go and how they are signed is
/// a provider's affair. All methods that read throw <see cref="ProtocolException"/> for input that breaks the protocol, and nothing else.
/// </summary>
public abstract class Protocol
{
    /// <summary>Stable name used in configuration, ledger and tests, for example <c>openai-chat</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What it is for.</summary>
    public virtual ProtocolFamily Family => ProtocolFamily.Chat;

    /// <summary>The vendor whose thinking signatures are native here, or null.</summary>
    public virtual string? NativeIssuer => null;

    /// <summary>The code by which a vendor refuses reasoning that the account asked cannot decrypt; null where no reasoning is bound to an account.</summary>
    public virtual string? UnreadableReasoningCode => null;

    /// <summary>The words in which its requests ask for searches of the web; null where they cannot. Asked once in the process: <see cref="SearchBound"/>.</summary>
    public virtual SearchWords? SearchWords => null;

    /// <summary>Response header that carries the request id in this protocol (<c>x-request-id</c>, <c>request-id</c>).</summary>
    public abstract string RequestIdHeader { get; }

    /// <summary>Request headers that the protocol defines beside the key's, lower-case: they may go on to the same protocol, no others may.</summary>
    public virtual IReadOnlyList<string> RequestHeaders => [];

    /// <summary>Query parameter in which its callers may send their key; null where it has none.</summary>
    public virtual string? KeyParameter => null;

    /// <summary>A header of its streams beside their content type, which its clients look at; null where there is none.</summary>
    public virtual (string Name, string Value)? StreamHeader => null;

    /// <summary>How its streams are framed on the wire.</summary>
    public virtual StreamFraming Framing => StreamFraming.ServerSentEvents;

    /// <summary>
    /// Looks at a request just closely enough to route it: the whole body is checked for well-formed JSON (UTF-8, depth, no duplicate top-level keys, types of the
    /// fields it reads), nothing is copied.
    /// </summary>
    /// <param name="body">The request's body.</param>
    /// <param name="address">What path and query said; protocols that have all in the body ignore it.</param>
    public abstract RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default);

    /// <summary>Reads a whole request into the neutral form. Checks what it reads: wrong types are refused with the field's name in <see cref="ChatError.Param"/>.</summary>
    public abstract ChatRequest ReadRequest(ReadOnlyMemory<byte> body, RequestAddress address = default);

    /// <summary>Writes a neutral request in this protocol; every field that cannot cross is added to <paramref name="losses"/> by its JSON pointer.</summary>
    public abstract void WriteRequest(ChatRequest request, RequestTarget target, LossReport losses, IBufferWriter<byte> output);

    /// <summary>
    /// Same protocol on both sides: the caller's own bytes with only those values replaced that must be (model name, usage in streams, a missing output limit).
    /// </summary>
    public abstract void SpliceRequest(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output);

    /// <summary>False where a caller's own bytes hold what this endpoint of the protocol refuses: then the request is written anew.</summary>
    public virtual bool CanSplice(ReadOnlySpan<byte> body, RequestTarget target) => true;

    /// <summary>
    /// True where a request that was written anew within the protocol is answered as the caller's own bytes would have been, so that the answer's bytes can go on. False
    /// where what was written anew shows in the answer.
    /// </summary>
    public virtual bool AnswersRewrittenAlike => false;

    /// <summary>The protocol has an operation that counts a request's tokens; without it the methods below are never called.</summary>
    public virtual bool CountsTokens => false;

    /// <summary>A caller's own count request for another deployment of the same protocol, as <see cref="SpliceRequest"/>.</summary>
    public virtual void SpliceTokenCount(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>Reads the answer to a count: input tokens.</summary>
    public virtual long ReadTokenCount(ReadOnlyMemory<byte> body) => throw new NotSupportedException();

    /// <summary>Writes the answer to a count.</summary>
    public virtual void WriteTokenCount(long inputTokens, IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>A caller's own request to make a conversation shorter, for another deployment of the same protocol, as <see cref="SpliceRequest"/>.</summary>
    public virtual void SpliceCompaction(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output) => throw new NotSupportedException();

    public abstract ResponseReader OpenReader(ReaderOptions options);

    public abstract ResponseWriter OpenWriter(WriterOptions options);

    /// <summary>Reads an error body (any bytes: JSON, HTML, nothing) of the given status. Never throws; never passes HTML on.</summary>
    public abstract ChatError ReadError(int status, ReadOnlyMemory<byte> body);

    /// <summary>A response header that tells an error's type, lower-case; null where the body says it all.</summary>
    public virtual string? ErrorTypeHeader => null;

    /// <summary>What <see cref="ErrorTypeHeader"/> says of an error; asked only of protocols that have one.</summary>
    public virtual string ErrorTypeOf(ChatError error) => throw new NotSupportedException($"Errors of '{Name}' have no header for their type.");

    /// <summary>The same with what <see cref="ErrorTypeHeader"/> said.</summary>
    public virtual ChatError ReadError(int status, ReadOnlyMemory<byte> body, string? type) => ReadError(status, body);

    /// <summary>The HTTP status with which this protocol reports the error.</summary>
    public abstract int StatusOf(ChatError error);

    /// <summary>Writes an error as a whole body.</summary>
    public abstract void WriteError(ChatError error, IBufferWriter<byte> output);

    /// <summary>
    /// Passes a vendor's own error body on to a caller of this protocol, with the caller's request id in place of the vendor's. False, and nothing is written, where
    /// it is not a whole error in this protocol's form (half a body, another server's habits): then the error must be written anew.
    /// </summary>
    public abstract bool TrySpliceError(ReadOnlyMemory<byte> body, string requestId, IBufferWriter<byte> output);

    /// <summary>Writes an error as the last frame of a stream that was already committed. No terminal mark of success follows.</summary>
    public abstract void WriteStreamError(ChatError error, IBufferWriter<byte> output);

    /// <summary>An answer that breaks off after its first bytes has no place for an error: its connection is cut, so that no client takes it for whole.</summary>
    public virtual bool CutsBrokenStreams => false;

    /// <summary>Writes the terminal mark of a stream, for an upstream that finished its answer and left the mark out.</summary>
    public abstract void WriteStreamEnd(IBufferWriter<byte> output);

    /// <summary>Reads rate limits from response headers; <paramref name="header"/> gives a header's value or null.</summary>
    public abstract RateLimits ReadRateLimits(Func<string, string?> header, DateTimeOffset now);

    /// <summary>Gives rate limits as this protocol's headers.</summary>
    public abstract void WriteRateLimits(RateLimits limits, DateTimeOffset now, Action<string, string> header);

    /// <summary>Writes the answer to a list of models: all of it, or the page that the address asks for where this vendor's lists have pages.</summary>
    /// <param name="models">All that the caller may ask for.</param>
    /// <param name="query">Gives a parameter of the address, or null.</param>
    /// <param name="output">Where the answer is written.</param>
    /// <exception cref="ProtocolException">There is no such page.</exception>
    public abstract void WriteModels(IReadOnlyList<ModelDescription> models, Func<string, string?> query, IBufferWriter<byte> output);

    /// <summary>Writes one model of that list by itself.</summary>
    public abstract void WriteModel(ModelDescription model, IBufferWriter<byte> output);

    /// <summary>Tells which version of its vendor's server is spoken, where that vendor's clients ask for one.</summary>
    public virtual void WriteVersion(IBufferWriter<byte> output) => throw new NotSupportedException($"Clients of '{Name}' ask for no version.");
}
