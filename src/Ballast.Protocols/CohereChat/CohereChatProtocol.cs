using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.CohereChat;

/// <summary>Cohere's chat, version 2, <c>POST /v2/chat</c> (https://docs.cohere.com/reference/chat).</summary>
public sealed class CohereChatProtocol : Protocol
{
    internal const string ProtocolName = "cohere-chat";

    internal static JsonWriterOptions WriterOptions { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public override string Name => ProtocolName;

    public override string RequestIdHeader => "x-request-id";

    public override IReadOnlyList<string> RequestHeaders { get; } = ["x-client-name"];

    public override RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default) => BodyFields.Peek(body, fields => Make(body, fields));

    private static RequestEnvelope Make(ReadOnlyMemory<byte> body, BodyFields fields)
    {
        fields.ExpectArray("messages");
        bool stream = fields.Flag("stream", otherwise: false);
        return new RequestEnvelope
        {
            Body = body,
            Model = fields.Text("model"),
            ModelValue = fields.Find("model"),
            Stream = stream,
            StreamUsage = stream,
            MaxOutputTokens = fields.Limit("max_tokens"),
            AsksJsonSchema = CohereChatRequest.AsksSchema(fields),
            HasForeignThinking = ForeignThinking.IsIn(body.Span),
        };
    }

    public override ChatRequest ReadRequest(ReadOnlyMemory<byte> body, RequestAddress address = default)
    {
        if (!JsonText.IsUnicode(body.Span))
        {
            throw ProtocolException.Invalid("A string of the request body is not valid Unicode text.");
        }

        try
        {
            return CohereChatRequest.Read(body);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
        {
            throw ProtocolException.Invalid("The request body is not valid JSON.");
        }
    }

    public override void WriteRequest(ChatRequest request, RequestTarget target, LossReport losses, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        new CohereChatRequestWriter(FunctionTools.Of(request, losses), target, losses, json).Write();
    }

    public override void SpliceRequest(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output) =>
        BodyFields.SpliceModel(envelope, target.Model, output);

    public override ResponseReader OpenReader(ReaderOptions options) =>
        FreeTextReader.Of(options, options.Stream ? new CohereChatStreamReader(options) : new CohereChatResponseReader(options));

    public override ResponseWriter OpenWriter(WriterOptions options) =>
        options.Stream ? new CohereChatStreamWriter(options) : new CohereChatResponseWriter(options);

    public override ChatError ReadError(int status, ReadOnlyMemory<byte> body) => CohereChatError.Read(status, body);

    public override int StatusOf(ChatError error) => CohereChatError.StatusOf(error);

    public override void WriteError(ChatError error, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, WriterOptions);
        CohereChatError.Write(error, json);
    }

    public override bool TrySpliceError(ReadOnlyMemory<byte> body, string requestId, IBufferWriter<byte> output) =>
        CohereChatError.TrySplice(body, requestId, output);

    /// <summary>An end of the message that says it is none.</summary>
    public override void WriteStreamError(ChatError error, IBufferWriter<byte> output)
    {
        output.Write("event: message-end\ndata: "u8);
        using (Utf8JsonWriter json = new(output, WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "message-end"u8);
            json.WriteStartObject("delta"u8);
            json.WriteString("error"u8, CohereChatError.TextOf(error));
            json.WriteString("finish_reason"u8, CohereChatFinish.ErrorWord);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        output.Write("\n\n"u8);
    }

    public override void WriteStreamEnd(IBufferWriter<byte> output) => output.Write("data: [DONE]\n\n"u8);

    /// <summary>Trial keys have a limit of calls a minute; production keys are told nothing.</summary>
    public override RateLimits ReadRateLimits(Func<string, string?> header, DateTimeOffset now) =>
        new(new RateLimit(CohereChatError.Count(header("x-trial-endpoint-call-limit")), CohereChatError.Count(header("x-trial-endpoint-call-remaining")), null), default, default, default);

    public override void WriteRateLimits(RateLimits limits, DateTimeOffset now, Action<string, string> header)
    {
        if (limits.Requests.Limit is long limit)
        {
            header("x-trial-endpoint-call-limit", limit.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        if (limits.Requests.Remaining is long remaining)
        {
            header("x-trial-endpoint-call-remaining", remaining.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    public override void WriteModels(IReadOnlyList<ModelDescription> models, Func<string, string?> query, IBufferWriter<byte> output)
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
        json.WriteString("name"u8, model.Name);
        json.WriteStartArray("endpoints"u8);
        json.WriteStringValue("chat"u8);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
