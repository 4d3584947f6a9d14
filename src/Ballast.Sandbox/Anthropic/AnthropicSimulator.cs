using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Anthropic;

/// <summary>api.anthropic.com: Messages, count_tokens and models (https://docs.claude.com/en/api/messages).</summary>
internal sealed class AnthropicSimulator(SandboxServices services) : PlatformSimulator
{
    private const long ContextTokens = 200_000;
    private const string ModelsPath = "/v1/models";

    private static readonly (string Name, string Dated, string Title, string Created)[] Catalog =
    [
        ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", "2025-09-29T00:00:00Z"),
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001", "Claude Haiku 4.5", "2025-10-15T00:00:00Z"),
        ("claude-opus-4-5", "claude-opus-4-5-20251101", "Claude Opus 4.5", "2025-11-24T00:00:00Z"),
    ];

    private static readonly AnswerStyle Style = new("toolu_01", 22, RefusesInText: false);

    private readonly MessagesCache _cache = new(services.Time);
    private readonly ThinkingSignature _signature = new("anthropic", services.Options.ReplaysRecordings);
    private readonly RateMeter _input = new(services.Time, 4_000, 2_000_000);
    private readonly RateMeter _output = new(services.Time, 4_000, 400_000);

    public override string Name => "anthropic";

    public override string ApiKey => "sandbox-anthropic-key";

    public override IReadOnlyList<SandboxModel> Models { get; } =
    [
        .. Catalog.Select(entry => new SandboxModel(
            entry.Name, Chat: true, Tools: true, JsonSchema: true, Images: true, Streaming: true, Thinking: true, Embeddings: false)),
    ];

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
        WriteRate(headers, 0, 0);
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
            ("POST", "/v1/messages") => AnswerMessagesAsync(visit),
            ("POST", "/v1/messages/count_tokens") => CountAsync(visit),
            ("GET", ModelsPath) => ListModelsAsync(visit),
            ("GET", { } path) when path.StartsWith(ModelsPath + "/", StringComparison.Ordinal) =>
                ShowModelAsync(visit, path[(ModelsPath.Length + 1)..]),
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
        FaultKind.Error503 => new VendorError(503, "api_error", "Service temporarily unavailable"),
        FaultKind.Overloaded529 => new VendorError(529, "overloaded_error", "Overloaded"),
        _ => new VendorError(500, "api_error", "Internal server error"),
    };

    public override void WriteErrorHeaders(VendorError error, IHeaderDictionary headers) =>
        headers["x-should-retry"] = error.Status is 408 or 409 or 429 or >= 500 ? "true" : "false";

    private static (string Name, string Dated, string Title, string Created) FindModel(string name)
    {
        foreach ((string Name, string Dated, string Title, string Created) entry in Catalog)
        {
            if (entry.Name == name || entry.Dated == name)
            {
                return entry;
            }
        }

        throw new VendorErrorException(new VendorError(404, "not_found_error", "model: " + name));
    }

    private async Task AnswerMessagesAsync(Visit visit)
    {
        using JsonDocument document = visit.ParseBody() ?? throw MessagesErrors.Malformed();
        (string name, string dated, _, _) = ReadModel(document.RootElement);
        MessagesRequest request = MessagesRequestReader.Read(document.RootElement, Name, name, _signature, countsOnly: false);
        CheckLength(request);
        Answer answer = services.Author.Write(request.Prompt, Style);
        Dice dice = visit.Dice;
        MessagesReply reply = new(request, answer, _cache.Use(name, request.Blocks), _signature)
        {
            Id = "msg_01" + dice.NextId(22),
            ServedModel = dated,
            OmitsUsage = visit.HasFault(FaultKind.MissingUsage),
        };
        visit.Billing.CacheReadTokens = reply.Cache.Read;
        visit.Billing.CacheWriteTokens = reply.Cache.Written;
        visit.Billing.InputTokens = reply.FreshTokens;
        WriteRate(visit.Http.Response.Headers, request.InputTokens, answer.OutputTokens);
        visit.Pace = visit.Pace.For(answer.OutputTokens);
        await (request.Stream
            ? AnswerPlayer.StreamAsync(visit, new MessagesStreamWriter(reply, dice).Events(), ErrorEvent(visit))
            : AnswerPlayer.WholeAsync(visit, MessagesWholeWriter.Write(reply), answer.Pieces)).ConfigureAwait(false);
        visit.Billing.Finish = visit.EndedWell ? reply.StopReason : null;
    }

    private async Task CountAsync(Visit visit)
    {
        using JsonDocument document = visit.ParseBody() ?? throw MessagesErrors.Malformed();
        (string name, _, _, _) = ReadModel(document.RootElement);
        MessagesRequest request = MessagesRequestReader.Read(document.RootElement, Name, name, _signature, countsOnly: true);
        await AnswerPlayer.SendAsync(visit, 200, new JsonObject { ["input_tokens"] = request.InputTokens }).ConfigureAwait(false);
    }

    private static (string Name, string Dated, string Title, string Created) ReadModel(JsonElement body) =>
        body.ValueKind == JsonValueKind.Object
            ? FindModel(MessagesFields.RequiredText(body, "model", "model"))
            : throw MessagesErrors.Malformed();

    private static void CheckLength(MessagesRequest request)
    {
        if (request.InputTokens > ContextTokens)
        {
            throw MessagesErrors.Invalid($"prompt is too long: {request.InputTokens} tokens > {ContextTokens} maximum");
        }
    }

    private static async Task ListModelsAsync(Visit visit)
    {
        IQueryCollection query = visit.Http.Request.Query;
        int limit = int.TryParse(query["limit"].FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out int asked)
            ? Math.Clamp(asked, 1, 1000)
            : 20;
        string? after = query["after_id"].FirstOrDefault();
        int start = after is null ? 0 : Array.FindIndex(Catalog, entry => entry.Name == after) + 1;
        (string Name, string Dated, string Title, string Created)[] page = [.. Catalog.Skip(start).Take(limit)];
        await AnswerPlayer.SendAsync(visit, 200, new JsonObject
        {
            ["data"] = new JsonArray([.. page.Select(Describe)]),
            ["has_more"] = start + page.Length < Catalog.Length,
            ["first_id"] = page.Length > 0 ? page[0].Name : null,
            ["last_id"] = page.Length > 0 ? page[^1].Name : null,
        }).ConfigureAwait(false);
    }

    private static Task ShowModelAsync(Visit visit, string name) => AnswerPlayer.SendAsync(visit, 200, Describe(FindModel(name)));

    private static JsonNode Describe((string Name, string Dated, string Title, string Created) entry) => new JsonObject
    {
        ["type"] = "model",
        ["id"] = entry.Name,
        ["display_name"] = entry.Title,
        ["created_at"] = entry.Created,
    };

    private void WriteRate(IHeaderDictionary headers, long inputTokens, long outputTokens)
    {
        RateReading input = _input.Count(inputTokens);
        RateReading output = _output.Count(outputTokens);
        Write(headers, "requests", input.RequestLimit, input.RequestsLeft, input.Now + input.RequestsReset);
        Write(headers, "input-tokens", input.TokenLimit, input.TokensLeft, input.Now + input.TokensReset);
        Write(headers, "output-tokens", output.TokenLimit, output.TokensLeft, output.Now + output.TokensReset);
        Write(headers, "tokens", input.TokenLimit + output.TokenLimit, input.TokensLeft + output.TokensLeft, input.Now + input.TokensReset);
    }

    private static void Write(IHeaderDictionary headers, string what, long limit, long left, DateTimeOffset reset)
    {
        string prefix = "anthropic-ratelimit-" + what;
        headers[prefix + "-limit"] = limit.ToString(CultureInfo.InvariantCulture);
        headers[prefix + "-remaining"] = left.ToString(CultureInfo.InvariantCulture);
        headers[prefix + "-reset"] = reset.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }
}
