using System.Globalization;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;
using Ballast.Sandbox.Responses;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Platforms;

/// <summary>api.openai.com: Chat Completions, Responses, embeddings, models, and what else it does (https://platform.openai.com/docs/api-reference).</summary>
internal sealed class OpenAISimulator : OpenAIShapedSimulator
{
    private readonly FileCabinet _files = new();
    private readonly RateMeter _meter;
    private readonly ResponsesDesk _responses;

    public OpenAISimulator(SandboxServices services)
        : base(services)
    {
        _meter = new RateMeter(services.Time, 10_000, 30_000_000);
        _responses = OpenResponses(_files);
    }

    public override string Name => "openai";

    public override string ApiKey => "sandbox-openai-key";

    public override IReadOnlyList<SandboxModel> Models { get; } =
    [
        new("gpt-5.2", Chat: true, Tools: true, JsonSchema: true, Images: true, Streaming: true, Thinking: true, Embeddings: false),
        new("gpt-5-mini", Chat: true, Tools: true, JsonSchema: true, Images: true, Streaming: true, Thinking: true, Embeddings: false),
        new("gpt-4o-mini", Chat: true, Tools: true, JsonSchema: true, Images: true, Streaming: true, Thinking: false, Embeddings: false),
        new("text-embedding-3-small", false, false, false, false, false, false, Embeddings: true),
    ];

    public override LatencyProfile Latency { get; } = new(0.45, 110);

    protected override long ContextTokens => 400_000;

    protected override ChatDialect Dialect { get; } = new(new AnswerStyle("call_", 24, RefusesInText: false))
    {
        Obfuscates = true,
        ServiceTier = "default",
        CachesPrefixes = true,
    };

    public override string NewRequestId(ref Dice dice) => "req_" + dice.NextHex(32);

    public override void WriteHeaders(Visit visit)
    {
        IHeaderDictionary headers = visit.Http.Response.Headers;
        headers["x-request-id"] = visit.RequestId;
        headers["openai-version"] = "2020-10-01";
        headers["openai-organization"] = "org-sandbox";
        headers["openai-project"] = "proj_sandbox";
        headers["openai-processing-ms"] = ((int)visit.Pace.FirstToken.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        headers.Server = "cloudflare";
        WriteRate(headers, _meter.Count(0));
    }

    public override void CheckKey(HttpRequest request)
    {
        string? header = request.Headers.Authorization.FirstOrDefault();
        if (header is null || !header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            throw new VendorErrorException(new VendorError(
                401,
                "invalid_request_error",
                "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
                + "(i.e. Authorization: Bearer YOUR_KEY)."));
        }

        string key = header["Bearer ".Length..].Trim();
        if (key != ApiKey)
        {
            throw new VendorErrorException(new VendorError(
                401,
                "invalid_request_error",
                $"Incorrect API key provided: {Mask(key)}. You can find your API key at https://platform.openai.com/account/api-keys.",
                "invalid_api_key"));
        }
    }

    public override Task AnswerAsync(Visit visit) => (visit.Http.Request.Method, visit.Path) switch
    {
        ("POST", "/v1/chat/completions") => ChatAsync(visit),
        ("POST", "/v1/embeddings") => EmbedAsync(visit),
        ("GET", "/v1/models") => ListModelsAsync(visit),
        ("GET", { } path) when path.StartsWith("/v1/models/", StringComparison.Ordinal) =>
            ShowModelAsync(visit, path["/v1/models/".Length..]),
        (_, { } path) when ResponsesDesk.Steps(path, "/v1") is { } steps => _responses.AnswerAsync(visit, steps),
        (_, { } path) when FilesEndpoint.IsOne(path, "/v1") => FilesEndpoint.AnswerAsync(visit, path["/v1".Length..], _files, AnswerInBatch),
        (var method, var path) => OtherEndpoints.Answer(visit) ?? throw UnknownPath(method, path),
    };

    public override JsonNode ErrorBody(VendorError error, Visit visit) => Envelope(error);

    public override VendorError FaultError(FaultKind kind, Visit visit) => kind switch
    {
        FaultKind.RateLimit => new VendorError(
            429,
            "requests",
            $"Rate limit reached for {visit.Billing.Model} in organization org-sandbox on requests per min (RPM): Limit 10000, Used 10000, "
            + "Requested 1. Please try again in 6ms. Visit https://platform.openai.com/account/rate-limits to learn more.",
            "rate_limit_exceeded"),
        FaultKind.Quota => new VendorError(
            429,
            "insufficient_quota",
            "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
            + "read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
            "insufficient_quota"),
        FaultKind.Forbidden403 => new VendorError(
            403, "request_forbidden", "Country, region, or territory not supported", "unsupported_country_region_territory"),
        FaultKind.Error503 => new VendorError(
            503, "server_error", "The server is currently overloaded with other requests. Sorry about that!"),
        FaultKind.Overloaded529 => new VendorError(529, "server_error", "The engine is currently overloaded, please try again later"),
        _ => new VendorError(500, "server_error", "The server had an error while processing your request. Sorry about that!"),
    };

    protected override string ServedName(string model) => model switch
    {
        "gpt-5.2" => "gpt-5.2-2025-12-11",
        "gpt-5-mini" => "gpt-5-mini-2025-08-07",
        "gpt-4o-mini" => "gpt-4o-mini-2024-07-18",
        _ => model,
    };

    protected override VendorError UnknownModel(string model) => new(
        404, "invalid_request_error", $"The model `{model}` does not exist or you do not have access to it.", "model_not_found");

    protected override void WriteRate(Visit visit, long tokens) => WriteRate(visit.Http.Response.Headers, _meter.Count(tokens));

    private static void WriteRate(IHeaderDictionary headers, RateReading rate)
    {
        headers["x-ratelimit-limit-requests"] = rate.RequestLimit.ToString(CultureInfo.InvariantCulture);
        headers["x-ratelimit-limit-tokens"] = rate.TokenLimit.ToString(CultureInfo.InvariantCulture);
        headers["x-ratelimit-remaining-requests"] = rate.RequestsLeft.ToString(CultureInfo.InvariantCulture);
        headers["x-ratelimit-remaining-tokens"] = rate.TokensLeft.ToString(CultureInfo.InvariantCulture);
        headers["x-ratelimit-reset-requests"] = Duration(rate.RequestsReset);
        headers["x-ratelimit-reset-tokens"] = Duration(rate.TokensReset);
    }

    private static string Mask(string key) =>
        key.Length <= 12 ? new string('*', key.Length) : key[..8] + new string('*', key.Length - 12) + key[^4..];
}
