using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Platforms;

/// <summary>
/// A self-hosted server such as vLLM or llama.cpp: OpenAI's shape with their habits — a tool call comes whole in one chunk, reasoning
/// shows as <c>reasoning_content</c>, and no header tells of rates.
/// </summary>
internal sealed class LocalSimulator(SandboxServices services) : OpenAIShapedSimulator(services)
{
    public override string Name => "local";

    public override string ApiKey => "sandbox-local-key";

    public override IReadOnlyList<SandboxModel> Models { get; } =
    [
        new("llama-4-scout", Chat: true, Tools: true, JsonSchema: true, Images: true, Streaming: true, Thinking: true, Embeddings: false),
        new("llama-3.3-70b", Chat: true, Tools: true, JsonSchema: true, Images: false, Streaming: true, Thinking: false, Embeddings: false),
    ];

    public override LatencyProfile Latency { get; } = new(0.25, 70);

    protected override long ContextTokens => 131_072;

    protected override ChatDialect Dialect { get; } = new(new AnswerStyle("chatcmpl-tool-", 24, RefusesInText: true))
    {
        WholeToolCalls = true,
        ShowsReasoning = true,
    };

    public override bool IsFree(string path) => path == "/health";

    public override string NewRequestId(ref Dice dice) => dice.NextHex(32);

    public override void WriteHeaders(Visit visit)
    {
        visit.Http.Response.Headers["x-request-id"] = visit.RequestId;
        visit.Http.Response.Headers.Server = "uvicorn";
    }

    public override void CheckKey(HttpRequest request)
    {
        if (request.Headers.Authorization.FirstOrDefault() != "Bearer " + ApiKey)
        {
            throw new VendorErrorException(new VendorError(401, "Unauthorized", "Unauthorized"));
        }
    }

    public override Task AnswerAsync(Visit visit) => (visit.Http.Request.Method, visit.Path) switch
    {
        ("POST", "/v1/chat/completions") => ChatAsync(visit),
        ("GET", "/v1/models") => ListModelsAsync(visit),
        ("GET", { } path) when path.StartsWith("/v1/models/", StringComparison.Ordinal) =>
            ShowModelAsync(visit, path["/v1/models/".Length..]),
        ("GET", "/health") => Task.CompletedTask,
        _ => throw new VendorErrorException(new VendorError(404, "NotFound", "Not Found")),
    };

    public override JsonNode ErrorBody(VendorError error, Visit visit) => error.Type switch
    {
        "Unauthorized" => new JsonObject { ["error"] = error.Message },
        "NotFound" => new JsonObject { ["detail"] = error.Message },
        _ => new JsonObject
        {
            ["error"] = new JsonObject
            {
                ["message"] = error.Message,
                ["type"] = error.Status == 400 ? "BadRequestError" : error.Type,
                ["param"] = error.Param,
                ["code"] = error.Status,
            },
        },
    };

    /// <summary>It has pictures and sound for content, and no files.</summary>
    protected override void CheckPolicy(Prompt prompt)
    {
        if (prompt.Turns.Any(static turn => turn.Images.Any(static one => one.IsDocument)))
        {
            throw new VendorErrorException(new VendorError(400, "BadRequestError", "Unknown part type: file"));
        }
    }

    public override VendorError FaultError(FaultKind kind, Visit visit) => kind switch
    {
        FaultKind.RateLimit => new VendorError(429, "RateLimitError", "Too many requests are waiting. Please try again later."),
        FaultKind.Quota => new VendorError(429, "insufficient_quota", "The quota of this key is used up."),
        FaultKind.Forbidden403 => new VendorError(403, "PermissionDeniedError", "This key may not use that model."),
        FaultKind.Error503 => new VendorError(503, "ServiceUnavailableError", "Loading model"),
        FaultKind.Overloaded529 => new VendorError(529, "ServiceUnavailableError", "The server is overloaded."),
        _ => new VendorError(500, "InternalServerError", "EngineCore encountered an issue. See stack trace (above) for the root cause."),
    };

    protected override VendorError UnknownModel(string model) =>
        new(404, "NotFoundError", $"The model `{model}` does not exist.", Param: "model");

    protected override void WriteRate(Visit visit, long tokens)
    {
    }

    protected override JsonObject DescribeModel(string model) => new()
    {
        ["id"] = model,
        ["object"] = "model",
        ["created"] = 1_764_000_000,
        ["owned_by"] = "vllm",
        ["root"] = model,
        ["parent"] = null,
        ["max_model_len"] = ContextTokens,
    };
}
