using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// Google's generateContent, as the Gemini API and Vertex AI speak it (https://ai.google.dev/api/generate-content): model and streaming are in the address, streams are
/// server-sent events, each a whole answer with a piece of the content.
/// </summary>
public sealed class GeminiProtocol : Protocol
{
    /// <summary>Its name in configuration, ledger and tests.</summary>
    public const string ProtocolName = "gemini";

    internal static JsonWriterOptions WriterOptions { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public override string Name => ProtocolName;

    public override string NativeIssuer => GeminiSignatures.NativeIssuer;

    public override string RequestIdHeader => "x-request-id";

    /// <summary>Its own search has many names that begin alike, in either of the spellings that Google takes.</summary>
    public override SearchWords SearchWords { get; } = new("google", "enterpriseWebSearch", "enterprise_web_search");

    public override string KeyParameter => "key";

    public override RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default) => GeminiEnvelope.Peek(body, address);

    public override ChatRequest ReadRequest(ReadOnlyMemory<byte> body, RequestAddress address = default)
    {
        if (!JsonText.IsUnicode(body.Span))
        {
            throw ProtocolException.Invalid("A string of the request body is not valid Unicode text.");
        }

        try
        {
            return GeminiRequest.Read(body, address);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
        {
            throw ProtocolException.Invalid("The request body is not valid JSON.");
        }
    }

    public override void WriteRequest(ChatRequest request, RequestTarget target, LossReport losses, IBufferWriter<byte> output) =>
        new GeminiRequestWriter(FunctionTools.Of(request, losses), target, losses).Write(output);

    /// <summary>The caller's bytes: the model is in the address. Where the body names one too, it is made the same.</summary>
    public override void SpliceRequest(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        if (envelope.ModelValue.IsPresent)
        {
            JsonSplice.Write(envelope.Body.Span, [new JsonEdit(envelope.ModelValue, GeminiEnvelope.Replacement(target.Model))], output);
        }
        else
        {
            output.Write(envelope.Body.Span);
        }
    }

    public override bool CountsTokens => true;

    public override void SpliceTokenCount(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output) =>
        GeminiEnvelope.SpliceCount(envelope, target, output);

    public override long ReadTokenCount(ReadOnlyMemory<byte> body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("totalTokens"u8, out JsonElement total)
                && total.ValueKind == JsonValueKind.Number && total.TryGetInt64(out long tokens) && tokens >= 0)
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
        json.WriteNumber("totalTokens"u8, inputTokens);
        json.WriteEndObject();
    }

    public override ResponseReader OpenReader(ReaderOptions options) =>
        FreeTextReader.Of(options, options.Stream ? new GeminiStreamReader(options) : new GeminiResponseReader(options));

    public override ResponseWriter OpenWriter(WriterOptions options) =>
        options.Stream ? new GeminiStreamWriter(options) : new GeminiResponseWriter(options);

    public override ChatError ReadError(int status, ReadOnlyMemory<byte> body) => GeminiError.Read(status, body);

    public override int StatusOf(ChatError error) => GeminiError.StatusOf(error);

    public override void WriteError(ChatError error, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        GeminiError.Write(error, json);
    }

    public override bool TrySpliceError(ReadOnlyMemory<byte> body, string requestId, IBufferWriter<byte> output)
    {
        if (!GeminiError.IsOwn(body))
        {
            return false;
        }

        using JsonDocument document = JsonDocument.Parse(body);
        using Utf8JsonWriter json = new(output, WriterOptions);
        GeminiError.WriteOwn(document.RootElement, requestId, json);
        return true;
    }

    public override void WriteStreamError(ChatError error, IBufferWriter<byte> output)
    {
        output.Write("data: "u8);
        WriteError(error, output);
        output.Write("\n\n"u8);
    }

    /// <summary>Nothing: a stream of this protocol ends where it closes.</summary>
    public override void WriteStreamEnd(IBufferWriter<byte> output)
    {
    }

    /// <summary>Google tells no limits in headers.</summary>
    public override RateLimits ReadRateLimits(Func<string, string?> header, DateTimeOffset now) => new(default, default, default, default);

    public override void WriteRateLimits(RateLimits limits, DateTimeOffset now, Action<string, string> header)
    {
    }

    public override void WriteModels(IReadOnlyList<ModelDescription> models, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        json.WriteStartObject();
        json.WriteStartArray("models"u8);
        foreach (ModelDescription model in models)
        {
            WriteModel(model, json);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    public override void WriteModel(ModelDescription model, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        WriteModel(model, json);
    }

    private static void WriteModel(ModelDescription model, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, GeminiEnvelope.ModelPrefix + model.Name);
        json.WriteString("displayName"u8, model.Name);
        json.WriteStartArray("supportedGenerationMethods"u8);
        json.WriteStringValue("generateContent"u8);
        json.WriteStringValue("streamGenerateContent"u8);
        json.WriteStringValue("countTokens"u8);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
