using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Anthropic;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;
using Ballast.Sandbox.Responses;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Platforms;

/// <summary>
/// Azure OpenAI: <c>/openai/v1/…</c> and <c>/openai/deployments/{deployment}/…?api-version=</c>
/// (https://learn.microsoft.com/azure/ai-foundry/openai/reference), and AI Foundry's Claude models under <c>/anthropic/v1/…</c>. Deployments are named as the models they serve.
/// </summary>
internal sealed class AzureSimulator : OpenAIShapedSimulator
{
    private const string Deployments = "/openai/deployments/";
    private const string ClaudePrefix = "/anthropic/v1/";
    private const string Region = "Sweden Central";

    private readonly FileCabinet _files = new();
    private readonly RateMeter _meter;
    private readonly MessagesDesk _claude;
    private readonly ResponsesDesk _responses;

    public AzureSimulator(SandboxServices services)
        : base(services)
    {
        _meter = new RateMeter(services.Time, 2_500, 250_000);
        _claude = new MessagesDesk(services, "azure", tellsRates: false);
        _responses = OpenResponses(_files);
    }

    public override string Name => "azure";

    public override string ApiKey => "sandbox-azure-key";

    public override IReadOnlyList<SandboxModel> Models { get; } =
    [
        new("gpt-5.2", Chat: true, Tools: true, JsonSchema: true, Images: true, Streaming: true, Thinking: true, Embeddings: false),
        new("gpt-5-mini", Chat: true, Tools: true, JsonSchema: true, Images: true, Streaming: true, Thinking: true, Embeddings: false),
        new("text-embedding-3-small", false, false, false, false, false, false, Embeddings: true),
    ];

    public override LatencyProfile Latency { get; } = new(0.6, 95);

    protected override long ContextTokens => 400_000;

    protected override ChatDialect Dialect { get; } = new(new AnswerStyle("call_", 24, RefusesInText: false))
    {
        FiltersContent = true,
        Obfuscates = true,
        ServiceTier = "default",
        CachesPrefixes = true,
    };

    public override string NewRequestId(ref Dice dice) => dice.NextGuid().ToString();

    public override string? ModelOf(Visit visit, JsonElement? body) => DeploymentOf(visit.Path)?.Name ?? base.ModelOf(visit, body);

    public override void WriteHeaders(Visit visit)
    {
        IHeaderDictionary headers = visit.Http.Response.Headers;
        headers["apim-request-id"] = visit.RequestId;
        headers["x-request-id"] = visit.RequestId;
        headers["x-ms-region"] = Region;
        headers["strict-transport-security"] = "max-age=31536000; includeSubDomains; preload";
        headers["x-content-type-options"] = "nosniff";
        if (IsClaude(visit.Path))
        {
            headers["request-id"] = visit.RequestId;
        }
    }

    public override void CheckKey(HttpRequest request)
    {
        string? bearer = request.Headers.Authorization.FirstOrDefault();
        string? key = request.Headers["api-key"].FirstOrDefault()
            ?? (IsClaude(request.Path) ? request.Headers["x-api-key"].FirstOrDefault() : null)
            ?? (bearer?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true ? bearer["Bearer ".Length..].Trim() : null);
        if (key is not null && key != ApiKey && !request.Headers.ContainsKey("api-key") && !request.Headers.ContainsKey("x-api-key") && key.Count(static c => c == '.') == 2)
        {
            CheckToken(key);
        }
        else if (key != ApiKey)
        {
            throw new VendorErrorException(new VendorError(
                401,
                "",
                "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active "
                + "subscription and use a correct regional API endpoint for your resource.",
                "401"));
        }
    }

    /// <exception cref="VendorErrorException">It was not issued here, or not for this, or has expired.</exception>
    private void CheckToken(string token)
    {
        if (!Services.Tokens.IsGood(token))
        {
            throw new VendorErrorException(new VendorError(
                401,
                "",
                "Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired.",
                "401"));
        }
    }

    public override Task AnswerAsync(Visit visit)
    {
        string method = visit.Http.Request.Method;
        if (DeploymentOf(visit.Path) is { } deployment)
        {
            return AnswerDeploymentAsync(visit, method, deployment.Name, deployment.Operation);
        }

        if (IsClaude(visit.Path) && visit.Http.Request.Headers["anthropic-version"].Count == 0)
        {
            throw MessagesErrors.Invalid("anthropic-version", "header is required");
        }

        return (method, visit.Path) switch
        {
            ("POST", ClaudePrefix + "messages") => _claude.AnswerAsync(visit, default, ErrorEvent(visit)),
            ("POST", ClaudePrefix + "messages/count_tokens") => _claude.CountAsync(visit, default),
            ("POST", "/openai/v1/chat/completions") => ChatAsync(visit),
            ("POST", "/openai/v1/embeddings") => EmbedAsync(visit),
            ("GET", "/openai/v1/models") => ListModelsAsync(visit),
            ("GET", "/openai/models") when HasVersion(visit) => ListModelsAsync(visit),
            ("GET", { } path) when path.StartsWith("/openai/v1/models/", StringComparison.Ordinal) =>
                ShowModelAsync(visit, path["/openai/v1/models/".Length..]),
            (_, { } path) when ResponsesDesk.Steps(path, "/openai/v1") is { } steps => _responses.AnswerAsync(visit, steps),
            (_, { } path) when ResponsesDesk.Steps(path, "/openai") is { } steps && HasVersion(visit) => _responses.AnswerAsync(visit, steps),
            (_, { } path) when FilesEndpoint.IsOne(path, "/openai/v1") => FilesEndpoint.AnswerAsync(visit, path["/openai/v1".Length..], _files, AnswerInBatch),
            (_, { } path) when FilesEndpoint.IsOne(path, "/openai") && HasVersion(visit) => FilesEndpoint.AnswerAsync(visit, path["/openai".Length..], _files, AnswerInBatch),
            _ => throw NotFound(),
        };
    }

    public override StreamEvent ErrorEvent(Visit visit) => IsClaude(visit.Path)
        ? new StreamEvent(ErrorBody(FaultError(FaultKind.Overloaded529, visit), visit).ToJsonString(RelaxedJson.Options), "error")
        : base.ErrorEvent(visit);

    public override JsonNode ErrorBody(VendorError error, Visit visit)
    {
        if (IsClaude(visit.Path) && error.Status != 401)
        {
            return new JsonObject
            {
                ["type"] = "error",
                ["error"] = new JsonObject { ["type"] = error.Type.Length > 0 ? error.Type : "api_error", ["message"] = error.Message },
                ["request_id"] = visit.RequestId,
            };
        }

        if (error.Type.Length == 0)
        {
            return new JsonObject { ["error"] = new JsonObject { ["code"] = error.Code, ["message"] = error.Message } };
        }

        JsonObject envelope = Envelope(error);
        if (error.Code == "content_filter")
        {
            JsonNode inner = envelope["error"]!;
            inner["type"] = null;
            inner["status"] = error.Status;
            inner["innererror"] = ContentFilter.InnerError();
        }

        return envelope;
    }

    public override VendorError FaultError(FaultKind kind, Visit visit) => kind switch
    {
        FaultKind.RateLimit when IsClaude(visit.Path) => new VendorError(429, "rate_limit_error", "This deployment's rate limit is exceeded."),
        FaultKind.Forbidden403 when IsClaude(visit.Path) => new VendorError(403, "permission_error", "This principal does not have access to this deployment."),
        FaultKind.Forbidden403 => new VendorError(
            403, "", "Access denied due to Virtual Network/Firewall rules.", "403"),
        FaultKind.Overloaded529 when IsClaude(visit.Path) => new VendorError(529, "overloaded_error", "Overloaded"),
        FaultKind.RateLimit => new VendorError(
            429,
            "",
            $"Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded rate limit of your current OpenAI S0 "
            + "pricing tier. Please retry after the time told. Please go here: https://aka.ms/oai/quotaincrease if you would like to "
            + "further increase the default rate limit.",
            "429"),
        FaultKind.Quota => new VendorError(
            429,
            "insufficient_quota",
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota"),
        FaultKind.Error503 => new VendorError(
            503, "", "The service is temporarily unable to process your request. Please try again later.", "503"),
        FaultKind.Overloaded529 => new VendorError(529, "", "The service is overloaded. Please try again later.", "529"),
        _ => new VendorError(
            500, "server_error", "The server had an error while processing your request. Sorry about that!", "InternalServerError"),
    };

    public override void WriteErrorHeaders(VendorError error, IHeaderDictionary headers)
    {
        if (error.RetryAfter is { } wait)
        {
            headers["retry-after-ms"] = ((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        }
    }

    protected override string ServedName(string model) => model switch
    {
        "gpt-5.2" => "gpt-5.2-2025-12-11",
        "gpt-5-mini" => "gpt-5-mini-2025-08-07",
        _ => model,
    };

    protected override VendorError UnknownModel(string model) => new(
        404,
        "invalid_request_error",
        "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
        + "please wait a moment and try again.",
        "DeploymentNotFound");

    protected override VendorError UnknownInResponses(string model) => UnknownModel(model);

    protected override void CheckPolicy(Prompt prompt)
    {
        if (Author.IsRefused(prompt))
        {
            throw ChatErrors.Refused(
                "prompt",
                "content_filter",
                "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify "
                + "your prompt and retry. To learn more about our content filtering policies please read our documentation: "
                + "https://go.microsoft.com/fwlink/?linkid=2198766");
        }
    }

    protected override void WriteRate(Visit visit, long tokens)
    {
        RateReading rate = _meter.Count(tokens);
        IHeaderDictionary headers = visit.Http.Response.Headers;
        headers["x-ms-deployment-name"] = visit.Billing.Model;
        headers["x-ms-rai-invoked"] = "true";
        headers["azure-openai-deployment-utilization"] =
            ((double)(rate.TokenLimit - rate.TokensLeft) / rate.TokenLimit).ToString("0.0%", CultureInfo.InvariantCulture);
        headers["x-ratelimit-limit-requests"] = rate.RequestLimit.ToString(CultureInfo.InvariantCulture);
        headers["x-ratelimit-limit-tokens"] = rate.TokenLimit.ToString(CultureInfo.InvariantCulture);
        headers["x-ratelimit-remaining-requests"] = rate.RequestsLeft.ToString(CultureInfo.InvariantCulture);
        headers["x-ratelimit-remaining-tokens"] = rate.TokensLeft.ToString(CultureInfo.InvariantCulture);
        headers["x-ratelimit-reset-requests"] = "0";
        headers["x-ratelimit-reset-tokens"] = "0";
    }

    private static (string Name, string Operation)? DeploymentOf(string path)
    {
        if (!path.StartsWith(Deployments, StringComparison.Ordinal))
        {
            return null;
        }

        string rest = path[Deployments.Length..];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..]);
    }

    private static bool IsClaude(PathString path) => path.StartsWithSegments(ClaudePrefix.TrimEnd('/'), StringComparison.Ordinal);

    private static bool HasVersion(Visit visit) => visit.Http.Request.Query["api-version"].FirstOrDefault() is { Length: > 0 };

    private static VendorErrorException NotFound() => new(new VendorError(404, "", "Resource not found", "404"));

    private Task AnswerDeploymentAsync(Visit visit, string method, string deployment, string operation)
    {
        // Azure answers a missing api-version as if the path did not exist.
        if (!HasVersion(visit))
        {
            throw NotFound();
        }

        return (method, operation) switch
        {
            ("POST", "chat/completions") => ChatAsync(visit, deployment),
            ("POST", "embeddings") => EmbedAsync(visit, deployment),
            _ => throw NotFound(),
        };
    }
}
