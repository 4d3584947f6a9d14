using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OllamaChat;

/// <summary>Ollama's own chat, <c>POST /api/chat</c> (https://docs.ollama.com/api/chat): streams are lines of JSON, and an answer is one unless the request says otherwise.</summary>
public sealed class OllamaChatProtocol : Protocol
{
    internal const string ProtocolName = "ollama-chat";

    internal static JsonWriterOptions WriterOptions { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public override string Name => ProtocolName;

    public override string RequestIdHeader => "x-request-id";

    public override StreamFraming Framing => StreamFraming.JsonLines;

    public override RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default) => OllamaChatEnvelope.Peek(body);

    public override ChatRequest ReadRequest(ReadOnlyMemory<byte> body, RequestAddress address = default)
    {
        if (!JsonText.IsUnicode(body.Span))
        {
            throw ProtocolException.Invalid("A string of the request body is not valid Unicode text.");
        }

        try
        {
            return OllamaChatRequest.Read(body);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
        {
            throw ProtocolException.Invalid("The request body is not valid JSON.");
        }
    }

    public override void WriteRequest(ChatRequest request, RequestTarget target, LossReport losses, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        new OllamaChatRequestWriter(FunctionTools.Of(request, losses), target, losses, json).Write();
    }

    public override void SpliceRequest(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output) =>
        BodyFields.SpliceModel(envelope, target.Model, output);

    public override ResponseReader OpenReader(ReaderOptions options) =>
        FreeTextReader.Of(options, options.Stream ? new OllamaChatStreamReader(options) : new OllamaChatResponseReader(options));

    public override ResponseWriter OpenWriter(WriterOptions options) =>
        options.Stream ? new OllamaChatStreamWriter(options) : new OllamaChatResponseWriter(options);

    public override ChatError ReadError(int status, ReadOnlyMemory<byte> body) => OllamaChatError.Read(status, body);

    public override int StatusOf(ChatError error) => OllamaChatError.StatusOf(error);

    public override void WriteError(ChatError error, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        OllamaChatError.Write(error, json);
    }

    public override bool TrySpliceError(ReadOnlyMemory<byte> body, string requestId, IBufferWriter<byte> output)
    {
        if (!OllamaChatError.IsOwn(body))
        {
            return false;
        }

        output.Write(body.Span); // This protocol has the request id in a header alone.
        return true;
    }

    public override void WriteStreamError(ChatError error, IBufferWriter<byte> output)
    {
        WriteError(error, output);
        output.Write("\n"u8);
    }

    public override void WriteStreamEnd(IBufferWriter<byte> output) =>
        output.Write("{\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\"}\n"u8);

    /// <summary>Ollama limits nothing.</summary>
    public override RateLimits ReadRateLimits(Func<string, string?> header, DateTimeOffset now) => new(default, default, default, default);

    public override void WriteRateLimits(RateLimits limits, DateTimeOffset now, Action<string, string> header)
    {
    }

    /// <summary>The answer of <c>/api/tags</c>.</summary>
    public override void WriteModels(IReadOnlyList<ModelDescription> models, Func<string, string?> query, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        json.WriteStartObject();
        json.WriteStartArray("models"u8);
        foreach (ModelDescription model in models)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, model.Name);
            json.WriteString("model"u8, model.Name);
            json.WriteString("modified_at"u8, OllamaChatWriting.Instant(model.CreatedUnixSeconds));
            json.WriteNumber("size"u8, 0);
            json.WriteString("digest"u8, ""u8);
            WriteDetails(model, json);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The answer of <c>/api/show</c>: clients look into it for what the model can do.</summary>
    public override void WriteModel(ModelDescription model, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        json.WriteStartObject();
        json.WriteString("modified_at"u8, OllamaChatWriting.Instant(model.CreatedUnixSeconds));
        WriteDetails(model, json);
        json.WriteStartObject("model_info"u8);
        json.WriteEndObject();
        json.WriteStartArray("capabilities"u8);
        json.WriteStringValue("completion"u8);
        json.WriteStringValue("tools"u8);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The answer of <c>/api/version</c>.</summary>
    public override void WriteVersion(IBufferWriter<byte> output) => output.Write("{\"version\":\"0.12.6\"}"u8);

    private static void WriteDetails(ModelDescription model, Utf8JsonWriter json)
    {
        json.WriteStartObject("details"u8);
        json.WriteString("parent_model"u8, ""u8);
        json.WriteString("format"u8, ""u8);
        json.WriteString("family"u8, model.Owner);
        json.WriteStartArray("families"u8);
        json.WriteStringValue(model.Owner);
        json.WriteEndArray();
        json.WriteString("parameter_size"u8, ""u8);
        json.WriteString("quantization_level"u8, ""u8);
        json.WriteEndObject();
    }
}
