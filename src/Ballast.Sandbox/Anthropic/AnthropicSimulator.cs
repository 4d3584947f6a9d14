using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Anthropic;

/// <summary>api.anthropic.com: Messages, count_tokens and models (https://docs.claude.com/en/api/messages).</summary>
internal sealed class AnthropicSimulator : PlatformSimulator
{
    private const string ModelsPath = "/v1/models";

    private readonly MessagesDesk _desk;
    private readonly MessageBatches _batches;

    public AnthropicSimulator(SandboxServices services)
    {
        _desk = new MessagesDesk(services, "anthropic", tellsRates: true);
        _batches = new MessageBatches(_desk, services.Billing);
    }

    public override string Name => "anthropic";

    public override string ApiKey => "sandbox-anthropic-key";

    public override IReadOnlyList<SandboxModel> Models => MessagesDesk.Models;

    public override LatencyProfile Latency { get; } = new(0.7, 80);

    public override long MaxBodyBytes => 32L * 1024 * 1024;

    public override VendorError TooLarge => new(413, "request_too_large", "Request exceeds the maximum size");

    public override string NewRequestId(ref Dice dice) => "req_011C" + dice.NextId(20);

    public override void WriteHeaders(Visit visit)
    {
        IHeaderDictionary headers = visit.Http.Response.Headers;
        headers["request-id"] = visit.RequestId;
        headers["anthropic-organization-id"] = "5a4db000-0000-4000-8000-000000000001";
        headers.Server = "cloudflare";
        _desk.WriteRate(headers, 0, 0);
    }

    public override void CheckKey(HttpRequest request)
    {
        string? bearer = request.Headers.Authorization.FirstOrDefault();
        string? key = request.Headers["x-api-key"].FirstOrDefault()
            ?? (bearer?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true ? bearer["Bearer ".Length..].Trim() : null);
        if (key != ApiKey)
        {
            throw new VendorErrorException(new VendorError(
                401, "authentication_error", key is null ? "x-api-key header is required" : "invalid x-api-key"));
        }
    }

    public override Task AnswerAsync(Visit visit)
    {
        if (visit.Http.Request.Headers["anthropic-version"].Count == 0)
        {
            throw MessagesErrors.Invalid("anthropic-version", "header is required");
        }

        return (visit.Http.Request.Method, visit.Path) switch
        {
            ("POST", "/v1/messages") => _desk.AnswerAsync(visit, default, ErrorEvent(visit)),
            ("POST", "/v1/messages/count_tokens") => _desk.CountAsync(visit, default),
            (_, { } path) when path.StartsWith(MessageBatches.Path, StringComparison.Ordinal) => _batches.AnswerAsync(visit),
            ("GET", ModelsPath) => MessagesDesk.ListModelsAsync(visit),
            ("GET", { } path) when path.StartsWith(ModelsPath + "/", StringComparison.Ordinal) =>
                MessagesDesk.ShowModelAsync(visit, path[(ModelsPath.Length + 1)..]),
            _ => throw new VendorErrorException(new VendorError(404, "not_found_error", "Not Found")),
        };
    }

    public override JsonNode ErrorBody(VendorError error, Visit visit) => new JsonObject
    {
        ["type"] = "error",
        ["error"] = new JsonObject { ["type"] = error.Type, ["message"] = error.Message },
        ["request_id"] = visit.RequestId,
    };

    public override StreamEvent ErrorEvent(Visit visit) => new(
        ErrorBody(FaultError(FaultKind.Overloaded529, visit), visit).ToJsonString(RelaxedJson.Options), "error");

    public override VendorError FaultError(FaultKind kind, Visit visit) => kind switch
    {
        FaultKind.RateLimit => new VendorError(
            429,
            "rate_limit_error",
            "This request would exceed the rate limit for your organization of 2,000,000 input tokens per minute. For details, refer to: "
            + "https://docs.claude.com/en/api/rate-limits. You can see the response headers for current usage."),
        FaultKind.Quota => new VendorError(
            402,
            "billing_error",
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."),
        FaultKind.Forbidden403 => new VendorError(403, "permission_error", "Your API key does not have permission to use the specified resource."),
        FaultKind.Error503 => new VendorError(503, "api_error", "Service temporarily unavailable"),
        FaultKind.Overloaded529 => new VendorError(529, "overloaded_error", "Overloaded"),
        _ => new VendorError(500, "api_error", "Internal server error"),
    };

    public override void WriteErrorHeaders(VendorError error, IHeaderDictionary headers) =>
        headers["x-should-retry"] = error.Status is 408 or 409 or 429 or >= 500 ? "true" : "false";
}
