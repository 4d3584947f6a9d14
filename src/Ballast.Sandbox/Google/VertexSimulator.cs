using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Anthropic;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Google;

/// <summary>
/// Vertex AI: Google's models and Claude, each under its publisher, with a token of the simulated token endpoint, or Google's models without a project with an API key
/// (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference).
/// </summary>
internal sealed class VertexSimulator(SandboxServices services) : PlatformSimulator
{
    private const string ClaudeVersion = "vertex-2023-10-16";
    private const string CountModel = "count-tokens";

    private readonly GeminiDesk _gemini = new(services, "vertex");
    private readonly MessagesDesk _claude = new(services, "vertex", tellsRates: false);

    public override string Name => "vertex";

    public override string ApiKey => "sandbox-vertex-key";

    public override IReadOnlyList<SandboxModel> Models { get; } = [.. GeminiModel.All.Select(static model => model.Describe()), .. MessagesDesk.Models];

    public override LatencyProfile Latency { get; } = new(0.6, 130);

    public override long MaxBodyBytes => 30L * 1024 * 1024;

    public override VendorError TooLarge => new(413, GoogleErrors.InvalidArgument, "Request payload size exceeds the limit: 31457280 bytes.");

    public override string NewRequestId(ref Dice dice) => dice.NextId(22);

    public override void WriteHeaders(Visit visit)
    {
        IHeaderDictionary headers = visit.Http.Response.Headers;
        headers.Server = "scaffolding on HTTPServer2";
        headers.Vary = "Origin, X-Origin, Referer";
        if (VertexPath.Of(visit.Path) is { Publisher: "anthropic" })
        {
            headers["request-id"] = "req_vrtx_" + visit.RequestId;
        }
    }

    public override void CheckKey(HttpRequest request)
    {
        string? bearer = request.Headers.Authorization.FirstOrDefault();
        string? key = request.Headers["x-goog-api-key"].FirstOrDefault() ?? request.Query["key"].FirstOrDefault();
        bool hasProject = VertexPath.Of(request.Path.Value ?? "/") is { Project: not null };
        if (bearer?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true)
        {
            if (!services.Google.Issuer.IsGood(bearer["Bearer ".Length..].Trim()))
            {
                throw Unauthenticated(
                    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.", "ACCESS_TOKEN_TYPE_UNSUPPORTED");
            }
        }
        else if (key is null)
        {
            throw Unauthenticated("Request is missing required authentication credential. Expected OAuth 2 access token.", "CREDENTIALS_MISSING");
        }
        else if (hasProject)
        {
            throw Unauthenticated(
                "API keys are not supported by this API. Expected OAuth2 access token or other authentication credentials that assert a principal.", "CREDENTIALS_MISSING");
        }
        else if (key != ApiKey)
        {
            throw new VendorErrorException(new VendorError(400, GoogleErrors.InvalidArgument, "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"));
        }
    }

    public override string? ModelOf(Visit visit, JsonElement? body) =>
        VertexPath.Of(visit.Path) is { } path && path.Model != CountModel ? path.Model : base.ModelOf(visit, body);

    public override bool IsStream(Visit visit, JsonElement? body) => VertexPath.Of(visit.Path) is { Method: "streamGenerateContent" or "streamRawPredict" };

    public override StreamFraming FramingOf(Visit visit) =>
        VertexPath.Of(visit.Path) is { Publisher: "anthropic" } ? StreamFraming.Events : GeminiDesk.FramingOf(visit);

    public override Task AnswerAsync(Visit visit)
    {
        VertexPath path = VertexPath.Of(visit.Path) is { } known && visit.Http.Request.Method == "POST"
            ? known
            : throw GoogleErrors.NotFound("Requested entity was not found.");
        if (path.Project is { } project && project != SandboxGoogle.ProjectId)
        {
            throw new VendorErrorException(new VendorError(
                403,
                "PERMISSION_DENIED",
                $"Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/projects/{project}/locations/{path.Location}' (or it may not exist).",
                "IAM_PERMISSION_DENIED"));
        }

        if (path.Publisher == "anthropic")
        {
            ClaudeBetaHeader.Check(visit.Http.Request, isCount: path.Model == CountModel);
        }

        return path switch
        {
            { Publisher: "google", Method: "generateContent" or "streamGenerateContent" } =>
                _gemini.GenerateAsync(visit, Find(path), path.Method == "streamGenerateContent", ErrorEvent(visit)),
            { Publisher: "google", Method: "countTokens" } => _gemini.CountAsync(visit, Find(path)),
            { Publisher: "google", Method: "embedContent" } when Find(path) is { TellsEmbeddingUsage: true } model => GeminiEmbedding.EmbedAsync(visit, model, _gemini.IsLenient),
            { Publisher: "google", Method: "predict" } when Find(path) is { Embeds: true, TellsEmbeddingUsage: false } => GeminiEmbedding.PredictAsync(visit, _gemini.IsLenient),
            { Publisher: "anthropic", Method: "rawPredict", Model: CountModel } => _claude.CountAsync(visit, new ClaudePath(null, false, ClaudeVersion, TakesModel: true, TakesDates: true)),
            { Publisher: "anthropic", Method: "rawPredict" or "streamRawPredict" } => _claude.AnswerAsync(
                visit,
                new ClaudePath(path.Model.Replace('@', '-'), path.Method == "streamRawPredict", ClaudeVersion, TakesStream: true, TakesDates: true),
                ErrorEvent(visit)),
            _ => throw GoogleErrors.NotFound($"Publisher Model `{path.Name}` is not servable by {path.Method}."),
        };
    }

    /// <summary>What Claude's server itself refuses has its own shape.</summary>
    public override JsonNode ErrorBody(VendorError error, Visit visit) => char.IsAsciiLetterLower(error.Type[0])
        ? new JsonObject
        {
            ["type"] = "error",
            ["error"] = new JsonObject { ["type"] = error.Type, ["message"] = error.Message },
            ["request_id"] = "req_vrtx_" + visit.RequestId,
        }
        : FramingOf(visit) is GeminiArrayFraming && IsStream(visit, null) ? new JsonArray(GoogleErrors.Body(error))
        : GoogleErrors.Body(error);

    public override StreamEvent ErrorEvent(Visit visit)
    {
        string text = ErrorBody(FaultError(FaultKind.Overloaded529, visit), visit) is JsonArray list ? list[0]!.ToJsonString(RelaxedJson.Options)
            : ErrorBody(FaultError(FaultKind.Overloaded529, visit), visit).ToJsonString(RelaxedJson.Options);
        return new StreamEvent(text, VertexPath.Of(visit.Path) is { Publisher: "anthropic" } ? "error" : null);
    }

    public override VendorError FaultError(FaultKind kind, Visit visit) =>
        kind == FaultKind.Overloaded529 && VertexPath.Of(visit.Path) is { Publisher: "anthropic" }
            ? new VendorError(529, "overloaded_error", "Overloaded")
            : GoogleErrors.OfFault(kind);

    public override void WriteErrorHeaders(VendorError error, IHeaderDictionary headers) => headers.Remove("Retry-After");

    private static GeminiModel Find(VertexPath path) => GeminiModel.All.FirstOrDefault(model => model.Name == path.Model)
        ?? throw GoogleErrors.NotFound($"Publisher Model `{path.Name}` was not found or your project does not have access to it.");

    private static VendorErrorException Unauthenticated(string message, string reason) => new(new VendorError(401, "UNAUTHENTICATED", message, reason));
}
