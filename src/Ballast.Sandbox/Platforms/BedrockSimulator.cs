using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Aws;
using Ballast.Sandbox.Bedrock;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Platforms;

/// <summary>
/// AWS Bedrock on one port: Converse and InvokeModel under <c>/model/…</c>, OpenAI-shaped <c>/v1/…</c> as bedrock-mantle has it and <c>/openai/v1/…</c> as
/// bedrock-runtime does (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html). A Bedrock API key opens it, or a signature.
/// </summary>
internal sealed class BedrockSimulator(SandboxServices services) : OpenAIShapedSimulator(services)
{
    private const string Runtime = "/openai";

    private static readonly AnswerStyle OpenAIStyle = new("call_", 24, RefusesInText: false);

    private static readonly AnswerStyle OtherStyle = new("chatcmpl-tool-", 24, RefusesInText: true);

    private static readonly string[] s_services = ["bedrock", "bedrock-mantle"];

    private readonly BedrockRuntime _runtime = new(services, "bedrock");
    private readonly SignatureCheck _signature = new(services.AwsKeys);

    public override string Name => "bedrock";

    public override string ApiKey => "sandbox-bedrock-key";

    public override IReadOnlyList<SandboxModel> Models { get; } =
    [
        new("openai.gpt-5.2", Chat: true, Tools: true, JsonSchema: true, Images: true, Streaming: true, Thinking: true, Embeddings: false),
        new("openai.gpt-5-mini", true, true, true, true, Streaming: true, Thinking: true, Embeddings: false),
        new("meta.llama4-maverick-17b-instruct", true, true, true, true, true, Thinking: false, Embeddings: false),
    ];

    public override LatencyProfile Latency { get; } = new(0.55, 100);

    protected override long ContextTokens => 400_000;

    protected override ChatDialect Dialect { get; } = new(OpenAIStyle)
    {
        UuidMessageIds = true,
        ServiceTier = "default",
        CachesPrefixes = true,
    };

    public override string NewRequestId(ref Dice dice) => dice.NextGuid().ToString();

    public override void WriteHeaders(Visit visit)
    {
        IHeaderDictionary headers = visit.Http.Response.Headers;
        headers["x-amzn-requestid"] = visit.RequestId;
        headers["x-request-id"] = visit.RequestId;

        // By its own clock: callers whose clock differs learn the time here.
        headers.Date = Services.AwsKeys.Now.ToString("r");
    }

    public override string? ModelOf(Visit visit, JsonElement? body) => RuntimePath.Of(visit.Http)?.Model ?? base.ModelOf(visit, body);

    public override bool IsStream(Visit visit, JsonElement? body) => RuntimePath.Of(visit.Http)?.IsStream ?? base.IsStream(visit, body);

    public override StreamFraming FramingOf(Visit visit) => RuntimePath.Of(visit.Http) switch
    {
        null => StreamFraming.Events,
        { IsInvoke: true } => BinaryFraming.Wrapped,
        _ => BinaryFraming.Plain,
    };

    public override void CheckKey(HttpRequest request)
    {
        string? header = request.Headers.Authorization.FirstOrDefault();
        if (header is null)
        {
            throw new VendorErrorException(new VendorError(403, AwsTypes.AccessDenied, "Missing Authentication Token"));
        }

        if (SignatureCheck.IsSigned(request))
        {
            return; // what is signed is checked with its body
        }

        if (!header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) || header["Bearer ".Length..].Trim() != ApiKey)
        {
            throw new VendorErrorException(new VendorError(
                403, AwsTypes.AccessDenied, "Authentication failed: Please make sure your API Key is valid."));
        }
    }

    public override Task AnswerAsync(Visit visit)
    {
        if (SignatureCheck.IsSigned(visit.Http.Request))
        {
            _signature.Check(visit.Http.Request, visit.Body, SandboxAws.Region, s_services);
        }

        if (RuntimePath.Of(visit.Http) is { } runtime)
        {
            return _runtime.AnswerAsync(visit, runtime);
        }

        string path = visit.Path.StartsWith(Runtime + "/", StringComparison.Ordinal) ? visit.Path[Runtime.Length..] : visit.Path;
        return (visit.Http.Request.Method, path) switch
        {
            ("POST", "/v1/chat/completions") => ChatAsync(visit),
            ("GET", "/v1/models") => ListModelsAsync(visit),
            ("GET", { } named) when named.StartsWith("/v1/models/", StringComparison.Ordinal) =>
                ShowModelAsync(visit, named["/v1/models/".Length..]),
            _ => throw new VendorErrorException(new VendorError(404, AwsTypes.UnknownOperation, "Unknown operation")),
        };
    }

    /// <summary>What AWS's front door refuses has AWS's own shape; what the endpoint itself refuses has OpenAI's.</summary>
    public override JsonNode ErrorBody(VendorError error, Visit visit) => AwsTypes.IsAws(error.Type)
        ? new JsonObject { [RuntimePath.Of(visit.Http) is null ? "Message" : "message"] = error.Message }
        : Envelope(error);

    public override StreamEvent ErrorEvent(Visit visit) => RuntimePath.Of(visit.Http) is null ? base.ErrorEvent(visit) : BedrockRuntime.ErrorEvent(visit);

    public override void WriteErrorHeaders(VendorError error, IHeaderDictionary headers)
    {
        if (AwsTypes.IsAws(error.Type))
        {
            headers["x-amzn-errortype"] = error.Type + ":http://internal.amazon.com/coral/com.amazon.bedrock/";
        }
    }

    public override VendorError FaultError(FaultKind kind, Visit visit) => RuntimePath.Of(visit.Http) is not null ? BedrockRuntime.FaultError(kind) : kind switch
    {
        FaultKind.RateLimit => new VendorError(
            429, "rate_limit_error", "Too many requests, please wait before trying again.", "rate_limit_exceeded"),
        FaultKind.Quota => new VendorError(
            429, "insufficient_quota", "Too many tokens per day, please wait before trying again.", "insufficient_quota"),
        FaultKind.Forbidden403 => new VendorError(403, "permission_error", "You don't have access to the model with the specified model ID.", "access_denied"),
        FaultKind.Error503 => new VendorError(503, AwsTypes.Unavailable, "Bedrock is unable to process your request."),
        FaultKind.Overloaded529 => new VendorError(529, "server_error", "The model is overloaded. Please try again later."),
        _ => new VendorError(
            500,
            "server_error",
            "The system encountered an unexpected error during processing. Try your request again.",
            "internal_server_error"),
    };

    protected override VendorError UnknownModel(string model) => new(
        404, "invalid_request_error", $"The model '{model}' does not exist or you do not have access to it.", "model_not_found");

    protected override AnswerStyle StyleFor(string model) =>
        model.StartsWith("openai.", StringComparison.Ordinal) ? OpenAIStyle : OtherStyle;

    /// <summary>Bedrock tells no rates in its headers.</summary>
    protected override void WriteRate(Visit visit, long tokens)
    {
    }

    protected override JsonObject DescribeModel(string model)
    {
        JsonObject described = base.DescribeModel(model);
        described["status"] = "available";
        described["data_retention"] = new JsonObject
        {
            ["allowed_modes"] = new JsonArray("default", "none", "provider_data_share"),
            ["mode"] = "default",
            ["source"] = "model_default",
        };
        return described;
    }

    /// <summary>Error types of AWS's front door.</summary>
    private static class AwsTypes
    {
        public const string AccessDenied = "AccessDeniedException";
        public const string UnknownOperation = "UnknownOperationException";
        public const string Unavailable = "ServiceUnavailableException";

        public static bool IsAws(string type) => type.EndsWith("Exception", StringComparison.Ordinal);
    }
}
