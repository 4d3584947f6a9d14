using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>OpenAI's Responses API, as OpenAI, Azure and others speak it (https://platform.openai.com/docs/api-reference/responses).</summary>
public sealed class OpenAIResponsesProtocol : Protocol
{
    /// <summary>Its name in configuration, ledger and tests.</summary>
    public const string ProtocolName = "openai-responses";

    /// <summary>Whose encrypted reasoning stands here without a mark.</summary>
    internal const string Issuer = "openai";

    internal static JsonWriterOptions WriterOptions { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public override string Name => ProtocolName;

    public override string NativeIssuer => Issuer;

    public override string UnreadableReasoningCode => "invalid_encrypted_content";

    public override SearchWords SearchWords { get; } = new("web_search") { RequestLimit = "max_tool_calls" };

    /// <summary>What is written anew was only freed of marks, or of what another issuer encrypted.</summary>
    public override bool AnswersRewrittenAlike => true;

    public override string RequestIdHeader => "x-request-id";

    public override RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default) => OpenAIResponsesPeek.Read(body);

    public override ChatRequest ReadRequest(ReadOnlyMemory<byte> body, RequestAddress address = default)
    {
        if (!JsonText.IsUnicode(body.Span))
        {
            throw ProtocolException.Invalid("A string of the request body is not valid Unicode text.");
        }

        try
        {
            return OpenAIResponsesRequest.Read(body);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
        {
            throw ProtocolException.Invalid("The request body is not valid JSON.");
        }
    }

    public override void WriteRequest(ChatRequest request, RequestTarget target, LossReport losses, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        OpenAIResponsesRequest.Write(request, target, losses, json);
    }

    public override void SpliceRequest(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output) =>
        OpenAIResponsesSplice.Write(envelope, target, output);

    public override bool CountsTokens => true;

    /// <summary>That endpoint takes no more of a request than what counts: what asks for an answer's form, or for state, is left out.</summary>
    public override void SpliceTokenCount(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output) =>
        OpenAIResponsesSplice.WriteCount(envelope, target, output);

    public override void SpliceCompaction(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output) =>
        OpenAIResponsesSplice.WriteCompaction(envelope, target, output);

    public override long ReadTokenCount(ReadOnlyMemory<byte> body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("input_tokens"u8, out JsonElement count)
                && count.ValueKind == JsonValueKind.Number && count.TryGetInt64(out long tokens) && tokens >= 0)
            {
                return tokens;
            }
        }
        catch (JsonException)
        {
            // Reported below, like every other answer without a count.
        }

        throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "The upstream's token count could not be read."));
    }

    public override void WriteTokenCount(long inputTokens, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        json.WriteStartObject();
        json.WriteString("object"u8, "response.input_tokens"u8);
        json.WriteNumber("input_tokens"u8, inputTokens);
        json.WriteEndObject();
    }

    public override ResponseReader OpenReader(ReaderOptions options) =>
        FreeTextReader.Of(options, options.Stream ? new OpenAIResponsesStreamReader(options) : new OpenAIResponsesResponseReader(options));

    public override ResponseWriter OpenWriter(WriterOptions options) =>
        options.Stream ? new OpenAIResponsesStreamWriter(options) : new OpenAIResponsesResponseWriter(options);

    public override ChatError ReadError(int status, ReadOnlyMemory<byte> body) => OpenAIResponsesError.Read(status, body);

    public override int StatusOf(ChatError error) => OpenAIResponsesError.StatusOf(error);

    public override void WriteError(ChatError error, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        OpenAIResponsesError.Write(error, json);
    }

    public override bool TrySpliceError(ReadOnlyMemory<byte> body, string requestId, IBufferWriter<byte> output)
    {
        if (!OpenAIResponsesError.IsOwn(body))
        {
            return false;
        }

        output.Write(body.Span); // This protocol has the request id in a header alone.
        return true;
    }

    public override void WriteStreamError(ChatError error, IBufferWriter<byte> output)
    {
        output.Write("event: error\ndata: "u8);
        using (Utf8JsonWriter json = new(output, WriterOptions))
        {
            OpenAIResponsesError.WriteEvent(error, json);
        }

        output.Write("\n\n"u8);
    }

    /// <summary>The terminal event holds the whole answer: one that its server left out cannot be made up here, and a stream without it is cut.</summary>
    public override void WriteStreamEnd(IBufferWriter<byte> output)
    {
    }

    public override RateLimits ReadRateLimits(Func<string, string?> header, DateTimeOffset now) => OpenAIRateLimits.Read(header, now);

    public override void WriteRateLimits(RateLimits limits, DateTimeOffset now, Action<string, string> header) => OpenAIRateLimits.Write(limits, header);

    public override void WriteModels(IReadOnlyList<ModelDescription> models, Func<string, string?> query, IBufferWriter<byte> output) => OpenAIModels.Write(models, output);

    public override void WriteModel(ModelDescription model, IBufferWriter<byte> output) => OpenAIModels.Write(model, output);
}
