using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>OpenAI's Chat Completions, as OpenAI, Azure and the many compatible servers speak it (https://platform.openai.com/docs/api-reference/chat).</summary>
public sealed class OpenAIChatProtocol : Protocol
{
    internal const string ProtocolName = "openai-chat";

    internal static JsonWriterOptions WriterOptions { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public override string Name => ProtocolName;

    public override string RequestIdHeader => "x-request-id";

    /// <summary>OpenAI's, and xAI's of the same protocol.</summary>
    public override SearchWords SearchWords { get; } = new("web_search", "search_parameters");

    public override RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default) => OpenAIChatEnvelope.Peek(body, address.Model);

    public override ChatRequest ReadRequest(ReadOnlyMemory<byte> body, RequestAddress address = default)
    {
        if (!JsonText.IsUnicode(body.Span))
        {
            throw ProtocolException.Invalid("A string of the request body is not valid Unicode text.");
        }

        try
        {
            return OpenAIChatRequest.Read(body);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
        {
            throw ProtocolException.Invalid("The request body is not valid JSON.");
        }
    }

    public override void WriteRequest(ChatRequest request, RequestTarget target, LossReport losses, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        OpenAIChatRequest.Write(request, target, losses, json);
    }

    public override void SpliceRequest(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output) =>
        OpenAIChatEnvelope.Splice(envelope, target, output);

    public override bool CanSplice(ReadOnlySpan<byte> body, RequestTarget target) => OpenAIChatEnvelope.CanSplice(body, target);

    public override ResponseReader OpenReader(ReaderOptions options) =>
        FreeTextReader.Of(options, options.Stream ? new OpenAIChatStreamReader(options) : new OpenAIChatResponseReader(options));

    public override ResponseWriter OpenWriter(WriterOptions options) =>
        options.Stream ? new OpenAIChatStreamWriter(options) : new OpenAIChatResponseWriter(options);

    public override ChatError ReadError(int status, ReadOnlyMemory<byte> body) => OpenAIChatError.Read(status, body);

    public override int StatusOf(ChatError error) => OpenAIChatError.StatusOf(error);

    public override void WriteError(ChatError error, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        OpenAIChatError.Write(error, json);
    }

    public override bool TrySpliceError(ReadOnlyMemory<byte> body, string requestId, IBufferWriter<byte> output)
    {
        if (!OpenAIChatError.IsOwn(body))
        {
            return false;
        }

        output.Write(body.Span); // This protocol has the request id in a header alone.
        return true;
    }

    public override void WriteStreamError(ChatError error, IBufferWriter<byte> output)
    {
        output.Write("data: "u8);
        WriteError(error, output);
        output.Write("\n\n"u8);
    }

    public override void WriteStreamEnd(IBufferWriter<byte> output) => output.Write("data: [DONE]\n\n"u8);

    public override RateLimits ReadRateLimits(Func<string, string?> header, DateTimeOffset now) => OpenAIRateLimits.Read(header, now);

    public override void WriteRateLimits(RateLimits limits, DateTimeOffset now, Action<string, string> header) => OpenAIRateLimits.Write(limits, header);

    public override void WriteModels(IReadOnlyList<ModelDescription> models, Func<string, string?> query, IBufferWriter<byte> output) => OpenAIModels.Write(models, output);

    public override void WriteModel(ModelDescription model, IBufferWriter<byte> output) => OpenAIModels.Write(model, output);
}
