using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Anthropic;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Bedrock;

/// <summary>
/// The Bedrock runtime: Converse and InvokeModel, whole and streamed, and counting (https://docs.aws.amazon.com/bedrock/latest/APIReference/). InvokeModel takes
/// Claude's bodies.
/// </summary>
internal sealed class BedrockRuntime(SandboxServices services, string platform)
{
    private const long ContextTokens = 200_000;
    private const string ClaudeVersion = "bedrock-2023-05-31";

    /// <summary>Anthropic's own versions are dates; its SDK for Bedrock sends one of them.</summary>
    private const int DateLength = 10;

    private static readonly AnswerStyle s_claude = new("tooluse_", 22, RefusesInText: false);
    private static readonly AnswerStyle s_other = new("tooluse_", 22, RefusesInText: true);

    private readonly MessagesCache _cache = new(services.Time);
    private readonly ThinkingSignature _signature = new("anthropic", services.Options.ReplaysRecordings);
    private readonly MessagesDesk _claude = new(services, platform, tellsRates: false);

    public async Task AnswerAsync(Visit visit, RuntimePath path)
    {
        if (visit.Http.Request.Method != "POST")
        {
            throw new VendorErrorException(new VendorError(405, "UnsupportedOperationException", "The operation is not supported."));
        }

        BedrockModel model = BedrockModels.Find(path.Model) ?? throw BedrockErrors.UnknownModel();
        using JsonDocument body = visit.ParseBody() ?? throw new VendorErrorException(new VendorError(400, "SerializationException", "The body is not valid JSON."));
        switch (path.Operation)
        {
            case "converse" or "converse-stream":
                await ConverseAsync(visit, body.RootElement, model, path.IsStream).ConfigureAwait(false);
                break;
            case "invoke" or "invoke-with-response-stream":
                if (path.IsStream)
                {
                    visit.Http.Response.Headers["X-Amzn-Bedrock-Content-Type"] = "application/json";
                }

                await InvokeAsync(visit, body.RootElement, model, path.IsStream).ConfigureAwait(false);
                break;
            case "count-tokens":
                await CountAsync(visit, body.RootElement, model).ConfigureAwait(false);
                break;
            default:
                throw new VendorErrorException(new VendorError(404, "UnknownOperationException", "Unknown operation"));
        }
    }

    /// <summary>An exception within a stream: the one that the fault names, else the usual one.</summary>
    public static StreamEvent ErrorEvent(Visit visit)
    {
        string name = visit.Fault?.Error ?? "internalServerException";
        JsonObject data = new() { ["message"] = Sentence(name) };
        if (name == "modelStreamErrorException")
        {
            data["originalMessage"] = "The model ended its stream.";
            data["originalStatusCode"] = 500;
        }

        return new StreamEvent(data.ToJsonString(RelaxedJson.Options), name);
    }

    public static VendorError FaultError(FaultKind kind) => kind switch
    {
        FaultKind.RateLimit => new VendorError(429, BedrockErrors.Throttling, "Too many requests, please wait before trying again."),
        FaultKind.Quota => new VendorError(400, BedrockErrors.Quota, "Too many tokens per day, please wait before trying again."),
        FaultKind.Forbidden403 => new VendorError(403, BedrockErrors.AccessDenied, "You don't have access to the model with the specified model ID."),
        FaultKind.Error503 => new VendorError(503, BedrockErrors.Unavailable, "Service capacity limit has been reached. Please try again later."),
        FaultKind.Overloaded529 => new VendorError(429, "ModelNotReadyException", "The model is not ready to serve inference requests. Please try again later."),
        _ => new VendorError(500, BedrockErrors.Internal, "The system encountered an unexpected error during processing. Try your request again."),
    };

    private async Task ConverseAsync(Visit visit, JsonElement body, BedrockModel model, bool stream)
    {
        ConverseRequest request = ConverseRequest.Read(body, platform, model, _signature);
        if (request.InputTokens > ContextTokens)
        {
            throw BedrockErrors.ByModel($"prompt is too long: {request.InputTokens} tokens > {ContextTokens} maximum");
        }

        Answer answer = services.Author.Write(request.Prompt, model.Claude is null ? s_other : s_claude);
        CacheUse cache = model.CachesPrompts ? _cache.Use(model.Id, request.Blocks) : default;
        ConverseReply reply = new(request, answer, cache, _signature, visit.HasFault(FaultKind.MissingUsage));
        visit.Billing.CacheReadTokens = cache.Read;
        visit.Billing.CacheWriteTokens = cache.Written;
        visit.Billing.InputTokens = reply.FreshTokens;
        visit.Pace = visit.Pace.For(answer.OutputTokens);
        await (stream
            ? AnswerPlayer.StreamAsync(visit, new ConverseStreamWriter(reply, visit.Dice).Events(), ErrorEvent(visit))
            : AnswerPlayer.WholeAsync(visit, reply.Whole(), answer.Pieces)).ConfigureAwait(false);
        visit.Billing.Finish = visit.EndedWell ? reply.StopReason : null;
    }

    private async Task InvokeAsync(Visit visit, JsonElement body, BedrockModel model, bool stream)
    {
        ClaudePath path = PathOf(model, stream, body);
        ClaudeBetas.Check(body);
        try
        {
            await _claude.AnswerAsync(visit, path, ErrorEvent(visit)).ConfigureAwait(false);
        }
        catch (VendorErrorException refused) when (refused.Error.Type == MessagesErrors.InvalidRequest)
        {
            throw refused.Error.Message.EndsWith("Extra inputs are not permitted", StringComparison.Ordinal)
                ? BedrockErrors.Malformed($"#: extraneous key [{refused.Error.Message.Split(':')[0]}] is not permitted")
                : BedrockErrors.Invalid(refused.Error.Message);
        }
    }

    private async Task CountAsync(Visit visit, JsonElement body, BedrockModel model)
    {
        JsonProperty input = ConverseFields.OnlyMember(ConverseFields.RequiredObject(body, "input", "input"), "input");
        if (model.Claude is null)
        {
            throw BedrockErrors.Invalid("The provided model doesn't support counting tokens.");
        }

        switch (input.Name)
        {
            case "converse":
                long tokens = ConverseRequest.Read(input.Value, platform, model, _signature).InputTokens;
                await AnswerPlayer.SendAsync(visit, 200, new JsonObject { ["inputTokens"] = tokens }).ConfigureAwait(false);
                break;
            case "invokeModel":
                byte[] inner = ConverseFields.Find(input.Value, "body")?.TryGetBytesFromBase64(out byte[]? bytes) == true ? bytes : throw ConverseFields.Wrong();
                await CountInvokeAsync(visit, inner, model).ConfigureAwait(false);
                break;
            default:
                throw ConverseFields.Wrong();
        }
    }

    private async Task CountInvokeAsync(Visit visit, byte[] inner, BedrockModel model)
    {
        try
        {
            using JsonDocument body = JsonDocument.Parse(inner);
            long tokens = MessagesRequestReader.Read(body.RootElement, platform, model.Claude!, _signature, countsOnly: true, PathOf(model, stream: false, body.RootElement)).InputTokens;
            await AnswerPlayer.SendAsync(visit, 200, new JsonObject { ["inputTokens"] = tokens }).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            throw ConverseFields.Wrong();
        }
        catch (VendorErrorException refused) when (refused.Error.Type == MessagesErrors.InvalidRequest)
        {
            throw BedrockErrors.Invalid(refused.Error.Message);
        }
    }

    private static ClaudePath PathOf(BedrockModel model, bool stream, JsonElement body)
    {
        string told = ConverseFields.Text(body, "anthropic_version") ?? "";
        bool isDate = told.Length == DateLength && told.All(static letter => char.IsAsciiDigit(letter) || letter == '-');
        return model.Claude is { } name
            ? new ClaudePath(name, stream, isDate ? told : ClaudeVersion)
            : throw BedrockErrors.Malformed("#: the simulated runtime takes Claude's bodies only");
    }

    private static string Sentence(string exception) => exception switch
    {
        "throttlingException" => "Too many tokens, please wait before trying again.",
        "modelStreamErrorException" => "The model stream ended unexpectedly. Try your request again.",
        "serviceUnavailableException" => "Bedrock is unable to process your request.",
        "validationException" => "The model returned the following errors: the request turned out to be invalid.",
        "modelTimeoutException" => "The request took too long to process. Processing time exceeded the model timeout length.",
        _ => "The system encountered an unexpected error during processing. Try your request again.",
    };
}
