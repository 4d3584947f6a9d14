using System.Buffers;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Clouds;

/// <summary>
/// Anthropic's Messages as AWS Bedrock takes them (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html):
/// <c>POST /model/{id}/invoke</c> and <c>/invoke-with-response-stream</c>. Model and streaming are in the path, the body names its own version, and the events of a
/// stream come in binary messages. The conversation is the vendor's, errors are the platform's.
/// </summary>
/// <param name="messages">The vendor's protocol.</param>
/// <param name="platform">One of the platform's own.</param>
public sealed class BedrockInvoke(Protocol messages, Protocol platform) : Protocol
{
    /// <summary>Its name in configuration, ledger and tests.</summary>
    public const string ProtocolName = "bedrock-invoke";

    public override string Name => ProtocolName;

    public override string? NativeIssuer => messages.NativeIssuer;

    public override SearchWords? SearchWords => messages.SearchWords;

    public override string RequestIdHeader => platform.RequestIdHeader;

    public override StreamFraming Framing => StreamFraming.EventStream;

    /// <summary>What the messages hold.</summary>
    public override (string Name, string Value)? StreamHeader => ("X-Amzn-Bedrock-Content-Type", "application/json");

    public override RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default)
    {
        if (string.IsNullOrEmpty(address.Model))
        {
            throw ProtocolException.Invalid("modelId: is required in the path.", "modelId");
        }

        bool isStream = address.Stream == StreamForm.Events;
        byte[] rented = ArrayPool<byte>.Shared.Rent(BedrockInvokeBody.LengthWithModel(body, address));
        try
        {
            RequestEnvelope inside = PeekInside(BedrockInvokeBody.WithModel(body, address, rented));
            return new RequestEnvelope
            {
                Body = body,
                Address = address,
                Model = address.Model,
                Stream = isStream,
                StreamUsage = isStream,
                MaxOutputTokens = inside.MaxOutputTokens,
                AsksJsonSchema = inside.AsksJsonSchema,
                AsksThread = inside.AsksThread,
                HasForeignThinking = inside.HasForeignThinking,
            };
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Each vendor's models have bodies of their own here. One without messages is most likely another vendor's.</summary>
    private RequestEnvelope PeekInside(ReadOnlyMemory<byte> body)
    {
        try
        {
            return messages.Peek(body);
        }
        catch (ProtocolException refused) when (refused.Error is { Param: "messages", Hint: null })
        {
            throw new ProtocolException(refused.Error with { Hint = "InvokeModel takes bodies of Claude's Messages, whichever model answers; Converse takes one form for all models." });
        }
    }

    public override ChatRequest ReadRequest(ReadOnlyMemory<byte> body, RequestAddress address = default)
    {
        if (string.IsNullOrEmpty(address.Model))
        {
            throw ProtocolException.Invalid("modelId: is required in the path.", "modelId");
        }

        // What is kept raw points into these bytes: they are not rented.
        byte[] whole = new byte[BedrockInvokeBody.LengthWithModel(body, address)];
        ChatRequest request = messages.ReadRequest(BedrockInvokeBody.WithModel(body, address, whole));
        return request with { Extras = [.. request.Extras.Where(static extra => extra.Pointer != BedrockInvokeBody.VersionPointer)] };
    }

    public override void WriteRequest(ChatRequest request, RequestTarget target, LossReport losses, IBufferWriter<byte> output)
    {
        ArrayBufferWriter<byte> plain = new();
        messages.WriteRequest(request, target, losses, plain);
        BedrockInvokeBody.WriteWithoutModel(plain.WrittenSpan, output);
    }

    /// <summary>The body holds nothing that depends on the deployment but beta features.</summary>
    public override void SpliceRequest(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        if (target.Betas is { } betas)
        {
            BetaField.Replace(envelope.Body.Span, betas, output);
        }
        else
        {
            output.Write(envelope.Body.Span);
        }
    }

    public override bool CountsTokens => true;

    public override void SpliceTokenCount(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        ArrayBufferWriter<byte> plain = new(envelope.Body.Length + 256);
        SpliceRequest(envelope, target, plain);
        output.Write("{\"input\":{\"invokeModel\":{\"body\":"u8);
        output.Write(BedrockTokenCount.Encode(plain.WrittenSpan));
        output.Write("}}}"u8);
    }

    public override long ReadTokenCount(ReadOnlyMemory<byte> body) => platform.ReadTokenCount(body);

    public override void WriteTokenCount(long inputTokens, IBufferWriter<byte> output) => platform.WriteTokenCount(inputTokens, output);

    public override ResponseReader OpenReader(ReaderOptions options) =>
        options.Stream ? new BedrockInvokeReader(options, messages.OpenReader(options), platform) : messages.OpenReader(options);

    public override ResponseWriter OpenWriter(WriterOptions options) =>
        options.Stream ? new BedrockInvokeWriter(options, messages.OpenWriter(options)) : messages.OpenWriter(options);

    public override ChatError ReadError(int status, ReadOnlyMemory<byte> body) => platform.ReadError(status, body);

    public override string? ErrorTypeHeader => platform.ErrorTypeHeader;

    public override string ErrorTypeOf(ChatError error) => platform.ErrorTypeOf(error);

    public override ChatError ReadError(int status, ReadOnlyMemory<byte> body, string? type) => platform.ReadError(status, body, type);

    public override int StatusOf(ChatError error) => platform.StatusOf(error);

    public override void WriteError(ChatError error, IBufferWriter<byte> output) => platform.WriteError(error, output);

    public override bool TrySpliceError(ReadOnlyMemory<byte> body, string requestId, IBufferWriter<byte> output) => platform.TrySpliceError(body, requestId, output);

    public override void WriteStreamError(ChatError error, IBufferWriter<byte> output) => platform.WriteStreamError(error, output);

    public override void WriteStreamEnd(IBufferWriter<byte> output)
    {
        ArrayBufferWriter<byte> events = new();
        messages.WriteStreamEnd(events);
        BedrockInvokeWriter.Wrap(events.WrittenMemory, output);
    }

    public override RateLimits ReadRateLimits(Func<string, string?> header, DateTimeOffset now) => platform.ReadRateLimits(header, now);

    public override void WriteRateLimits(RateLimits limits, DateTimeOffset now, Action<string, string> header) => platform.WriteRateLimits(limits, now, header);

    public override void WriteModels(IReadOnlyList<ModelDescription> models, Func<string, string?> query, IBufferWriter<byte> output) => platform.WriteModels(models, query, output);

    public override void WriteModel(ModelDescription model, IBufferWriter<byte> output) => platform.WriteModel(model, output);
}
