using System.Buffers;
using System.Buffers.Text;
using System.Text;
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

    /// <summary>As many models as Google's own list has on a page where its caller does not say.</summary>
    private const int ModelPageSize = 50;

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

    public override void WriteModels(IReadOnlyList<ModelDescription> models, Func<string, string?> query, IBufferWriter<byte> output)
    {
        ModelPage page = PageOf(models, query);
        using Utf8JsonWriter json = new(output, WriterOptions);
        json.WriteStartObject();
        json.WriteStartArray("models"u8);
        foreach (ModelDescription model in page.Models)
        {
            WriteModel(model, json);
        }

        json.WriteEndArray();
        if (page.HasMore)
        {
            json.WriteString("nextPageToken"u8, Base64Url.EncodeToString(Encoding.UTF8.GetBytes(page.Models[^1].Name)));
        }

        json.WriteEndObject();
    }

    private static ModelPage PageOf(IReadOnlyList<ModelDescription> models, Func<string, string?> query)
    {
        int size = query("pageSize") is { } asked ? ModelPage.Size(asked) ?? -1 : 0;
        if (size < 0)
        {
            throw ProtocolException.Invalid("pageSize must be a whole number and not negative", "pageSize");
        }

        // As in all of Google's lists: nothing and 0 say nothing, and too much is as much as there is.
        string? last = query("pageToken") is { Length: > 0 } token ? NameIn(token) : null;
        return ModelPage.After(models, last, size == 0 ? ModelPageSize : Math.Min(size, ModelPage.SizeMax)) ?? throw NoSuchPage();
    }

    private static string NameIn(string token) => Base64Url.IsValid(token) ? Encoding.UTF8.GetString(Base64Url.DecodeFromChars(token)) : throw NoSuchPage();

    private static ProtocolException NoSuchPage() => ProtocolException.Invalid("pageToken is none that a list of models gave out", "pageToken");

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
