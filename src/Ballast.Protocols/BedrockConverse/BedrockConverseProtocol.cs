using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>
/// AWS Bedrock's Converse API (https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html): <c>POST /model/{id}/converse</c> and
/// <c>/converse-stream</c>. Model and streaming are in the path.
/// </summary>
public sealed class BedrockConverseProtocol : Protocol
{
    /// <summary>Its name in configuration, ledger and tests.</summary>
    public const string ProtocolName = "bedrock-converse";

    public override string Name => ProtocolName;

    public override string NativeIssuer => BedrockConverseParts.NativeIssuer;

    public override string RequestIdHeader => "x-amzn-RequestId";

    public override StreamFraming Framing => StreamFraming.EventStream;

    public override RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default) => BedrockConversePeek.Read(body, address);

    public override ChatRequest ReadRequest(ReadOnlyMemory<byte> body, RequestAddress address = default) => BedrockConverseRequest.Read(body, address);

    public override void WriteRequest(ChatRequest request, RequestTarget target, LossReport losses, IBufferWriter<byte> output) =>
        new BedrockConverseRequestWriter(FunctionTools.Of(request, losses), target, losses).Write(output);

    /// <summary>The body holds nothing that depends on the deployment.</summary>
    public override void SpliceRequest(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output) => output.Write(envelope.Body.Span);

    public override bool CountsTokens => true;

    public override void SpliceTokenCount(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        output.Write("{\"input\":{\"converse\":"u8);
        SpliceRequest(envelope, target, output);
        output.Write("}}"u8);
    }

    public override long ReadTokenCount(ReadOnlyMemory<byte> body)
    {
        try
        {
            Utf8JsonReader json = new(body.Span);
            json.Read();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isCount = json.ValueTextEquals("inputTokens"u8);
                json.Read();
                if (isCount && json.TokenType == JsonTokenType.Number && json.TryGetInt64(out long count) && count >= 0)
                {
                    return count;
                }

                json.Skip();
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // Told below.
        }

        throw ProtocolException.Invalid("The answer is no count of tokens.");
    }

    public override void WriteTokenCount(long inputTokens, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, JsonFields.WriterOptions);
        json.WriteStartObject();
        json.WriteNumber("inputTokens"u8, inputTokens);
        json.WriteEndObject();
    }

    public override ResponseReader OpenReader(ReaderOptions options) =>
        FreeTextReader.Of(options, options.Stream ? new BedrockConverseStreamReader(options) : new BedrockConverseResponseReader(options));

    public override ResponseWriter OpenWriter(WriterOptions options) =>
        options.Stream ? new BedrockConverseStreamWriter(options) : new BedrockConverseResponseWriter(options);

    public override ChatError ReadError(int status, ReadOnlyMemory<byte> body) => BedrockConverseError.Read(status, body);

    public override string ErrorTypeHeader => "x-amzn-errortype";

    public override string ErrorTypeOf(ChatError error) => BedrockConverseError.TypeOf(error);

    public override ChatError ReadError(int status, ReadOnlyMemory<byte> body, string? type) => BedrockConverseError.Read(status, body, type);

    public override int StatusOf(ChatError error) => BedrockConverseError.StatusOf(error);

    public override void WriteError(ChatError error, IBufferWriter<byte> output) => BedrockConverseError.Write(error, output);

    public override bool TrySpliceError(ReadOnlyMemory<byte> body, string requestId, IBufferWriter<byte> output)
    {
        if (!BedrockConverseError.IsOwn(body))
        {
            return false;
        }

        output.Write(body.Span);
        return true;
    }

    public override void WriteStreamError(ChatError error, IBufferWriter<byte> output) => BedrockConverseError.WriteException(error, output);

    public override void WriteStreamEnd(IBufferWriter<byte> output)
    {
        // A stream without its metadata is an end nevertheless: there is no other mark, and no usage to tell.
    }

    /// <summary>The platform tells none.</summary>
    public override RateLimits ReadRateLimits(Func<string, string?> header, DateTimeOffset now) => new(default, default, default, default);

    public override void WriteRateLimits(RateLimits limits, DateTimeOffset now, Action<string, string> header)
    {
    }

    public override void WriteModels(IReadOnlyList<ModelDescription> models, Func<string, string?> query, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, JsonFields.WriterOptions);
        json.WriteStartObject();
        json.WriteStartArray("modelSummaries"u8);
        foreach (ModelDescription model in models)
        {
            WriteModel(model, json);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    public override void WriteModel(ModelDescription model, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, JsonFields.WriterOptions);
        json.WriteStartObject();
        json.WritePropertyName("modelDetails"u8);
        WriteModel(model, json);
        json.WriteEndObject();
    }

    private static void WriteModel(ModelDescription model, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("modelId"u8, model.Name);
        json.WriteString("modelName"u8, model.Name);
        json.WriteString("providerName"u8, model.Owner);
        json.WriteBoolean("responseStreamingSupported"u8, true);
        json.WriteEndObject();
    }
}
