using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>Anthropic's Messages API (https://docs.anthropic.com/en/api/messages): <c>POST /v1/messages</c> and <c>/v1/messages/count_tokens</c>.</summary>
public sealed class AnthropicMessagesProtocol : Protocol
{
    /// <summary>Its name in configuration, ledger and tests.</summary>
    public const string ProtocolName = "anthropic-messages";

    /// <summary>As many models as Anthropic's own list has on a page where its caller does not say.</summary>
    private const int ModelPageSize = 20;

    public override string Name => ProtocolName;

    public override string NativeIssuer => AnthropicMessagesParts.NativeIssuer;

    public override IReadOnlyList<string> RequestHeaders { get; } = ["anthropic-version", "anthropic-beta"];

    public override string RequestIdHeader => "request-id";

    public override SearchWords SearchWords { get; } = new("web_search") { ToolLimit = "max_uses" };

    public override RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default) => AnthropicMessagesPeek.Read(body, address);

    public override ChatRequest ReadRequest(ReadOnlyMemory<byte> body, RequestAddress address = default) => AnthropicMessagesRequest.Read(body, address);

    public override void WriteRequest(ChatRequest request, RequestTarget target, LossReport losses, IBufferWriter<byte> output) =>
        new AnthropicMessagesRequestWriter(FunctionTools.Of(request, losses), target, losses).Write(output);

    public override void SpliceRequest(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        if (target.VersionInBody is not null || envelope.Address.Model is not null)
        {
            AnthropicMessagesCloudBody.Write(envelope, target, isCount: false, output);
            return;
        }

        JsonEdit model = ModelEdit(envelope, target);
        if (envelope.MaxOutputTokens is not null)
        {
            JsonSplice.Write(envelope.Body.Span, [model], output);
            return;
        }

        // The field may stand there as null: a second one beside it would be a duplicate key.
        JsonSpan written = AnthropicMessagesPeek.FindField(envelope.Body, "max_tokens"u8);
        string limit = target.DefaultMaxOutputTokens.ToString(CultureInfo.InvariantCulture);
        JsonEdit maxTokens = written.IsPresent
            ? new JsonEdit(written, Encoding.UTF8.GetBytes(limit))
            : new JsonEdit(new JsonSpan(envelope.ModelValue.End, 0), Encoding.UTF8.GetBytes($",\"max_tokens\":{limit}"));
        bool modelFirst = model.Span.Start < maxTokens.Span.Start;
        JsonSplice.Write(envelope.Body.Span, modelFirst ? [model, maxTokens] : [maxTokens, model], output);
    }

    public override bool CountsTokens => true;

    /// <summary>A <c>count_tokens</c> body with the model replaced; that endpoint refuses <c>max_tokens</c>.</summary>
    public override void SpliceTokenCount(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        if (target.VersionInBody is not null || envelope.Address.Stream != StreamForm.InBody)
        {
            AnthropicMessagesCloudBody.Write(envelope, target, isCount: true, output);
        }
        else
        {
            JsonSplice.Write(envelope.Body.Span, [ModelEdit(envelope, target)], output);
        }
    }

    public override void WriteTokenCount(long inputTokens, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, JsonFields.WriterOptions);
        json.WriteStartObject();
        json.WriteNumber("input_tokens"u8, inputTokens);
        json.WriteEndObject();
    }

    public override long ReadTokenCount(ReadOnlyMemory<byte> body)
    {
        try
        {
            JsonSpan span = AnthropicMessagesPeek.FindField(body, "input_tokens"u8);
            if (span.IsPresent
                && Utf8Parser.TryParse(body.Span.Slice(span.Start, span.Length), out long tokens, out int consumed)
                && consumed == span.Length
                && tokens >= 0)
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

    public override ResponseReader OpenReader(ReaderOptions options) =>
        FreeTextReader.Of(options, options.Stream ? new AnthropicMessagesStreamReader(options) : new AnthropicMessagesResponseReader(options));

    public override ResponseWriter OpenWriter(WriterOptions options) =>
        options.Stream ? new AnthropicMessagesStreamWriter(options) : new AnthropicMessagesResponseWriter(options);

    public override ChatError ReadError(int status, ReadOnlyMemory<byte> body) => AnthropicMessagesError.Read(status, body);

    public override int StatusOf(ChatError error) => AnthropicMessagesError.StatusOf(error);

    public override void WriteError(ChatError error, IBufferWriter<byte> output) => AnthropicMessagesError.Write(error, output);

    public override bool TrySpliceError(ReadOnlyMemory<byte> body, string requestId, IBufferWriter<byte> output) =>
        AnthropicMessagesError.TrySplice(body, requestId, output);

    public override void WriteStreamError(ChatError error, IBufferWriter<byte> output)
    {
        output.Write("event: error\ndata: "u8);
        AnthropicMessagesError.Write(error, output);
        output.Write("\n\n"u8);
    }

    public override void WriteStreamEnd(IBufferWriter<byte> output) => output.Write("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"u8);

    public override RateLimits ReadRateLimits(Func<string, string?> header, DateTimeOffset now) => AnthropicMessagesRateLimits.Read(header, now);

    public override void WriteRateLimits(RateLimits limits, DateTimeOffset now, Action<string, string> header) =>
        AnthropicMessagesRateLimits.Write(limits, now, header);

    public override void WriteModels(IReadOnlyList<ModelDescription> models, Func<string, string?> query, IBufferWriter<byte> output)
    {
        ModelPage page = PageOf(models, query);
        using Utf8JsonWriter json = new(output, JsonFields.WriterOptions);
        json.WriteStartObject();
        json.WriteStartArray("data"u8);
        foreach (ModelDescription model in page.Models)
        {
            WriteModel(model, json);
        }

        json.WriteEndArray();
        json.WriteBoolean("has_more"u8, page.HasMore);
        json.WriteString("first_id"u8, page.Models.Count == 0 ? null : page.Models[0].Name);
        json.WriteString("last_id"u8, page.Models.Count == 0 ? null : page.Models[^1].Name);
        json.WriteEndObject();
    }

    private static ModelPage PageOf(IReadOnlyList<ModelDescription> models, Func<string, string?> query)
    {
        int size = query("limit") is { } limit ? ModelPage.Size(limit) ?? 0 : ModelPageSize;
        if (size is < 1 or > ModelPage.SizeMax)
        {
            throw ProtocolException.Invalid($"limit: a whole number from 1 to {ModelPage.SizeMax}", "limit");
        }

        string? after = query("after_id");
        return query("before_id") is not { } before ? ModelPage.After(models, after, size) ?? throw ProtocolException.Invalid("after_id: there is no such model", "after_id")
            : after is null ? ModelPage.Before(models, before, size) ?? throw ProtocolException.Invalid("before_id: there is no such model", "before_id")
            : throw ProtocolException.Invalid("before_id: not together with after_id", "before_id");
    }

    public override void WriteModel(ModelDescription model, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, JsonFields.WriterOptions);
        WriteModel(model, json);
    }

    private static void WriteModel(ModelDescription model, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "model"u8);
        json.WriteString("id"u8, model.Name);
        json.WriteString("display_name"u8, model.Name);
        json.WriteString("created_at"u8, AnthropicMessagesRateLimits.Instant(DateTimeOffset.FromUnixTimeSeconds(model.CreatedUnixSeconds)));
        json.WriteEndObject();
    }

    private static JsonEdit ModelEdit(RequestEnvelope envelope, RequestTarget target) =>
        new(envelope.ModelValue, target.ModelJson);
}
