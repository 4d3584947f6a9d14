using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Google;

/// <summary>generativelanguage.googleapis.com with an API key: generateContent, counts, embeddings and models (https://ai.google.dev/api).</summary>
internal sealed class GeminiSimulator(SandboxServices services) : PlatformSimulator
{
    private const string Collection = "/models";

    private readonly GeminiDesk _desk = new(services, "gemini");

    public override string Name => "gemini";

    public override string ApiKey => "sandbox-gemini-key";

    public override IReadOnlyList<SandboxModel> Models { get; } = [.. GeminiModel.All.Select(static model => model.Describe())];

    public override LatencyProfile Latency { get; } = new(0.5, 150);

    public override long MaxBodyBytes => 20L * 1024 * 1024;

    public override VendorError TooLarge => new(413, GoogleErrors.InvalidArgument, "Request payload size exceeds the limit: 20971520 bytes.");

    public override string NewRequestId(ref Dice dice) => dice.NextId(22);

    /// <summary>Google names a request only within its answer.</summary>
    public override void WriteHeaders(Visit visit)
    {
        IHeaderDictionary headers = visit.Http.Response.Headers;
        headers.Server = "scaffolding on HTTPServer2";
        headers.Vary = "Origin, X-Origin, Referer";
        headers["x-content-type-options"] = "nosniff";
        headers["x-gemini-service-tier"] = "standard";
    }

    public override void CheckKey(HttpRequest request)
    {
        string? key = request.Headers["x-goog-api-key"].FirstOrDefault() ?? request.Query["key"].FirstOrDefault();
        if (key is null)
        {
            throw new VendorErrorException(new VendorError(
                403,
                "PERMISSION_DENIED",
                "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."));
        }

        if (key != ApiKey)
        {
            throw new VendorErrorException(new VendorError(400, GoogleErrors.InvalidArgument, "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"));
        }
    }

    public override string? ModelOf(Visit visit, JsonElement? body) => PathOf(visit).Model;

    public override bool IsStream(Visit visit, JsonElement? body) => PathOf(visit).Method == "streamGenerateContent";

    public override StreamFraming FramingOf(Visit visit) => GeminiDesk.FramingOf(visit);

    public override Task AnswerAsync(Visit visit)
    {
        (string? name, string? method) = PathOf(visit);
        return (visit.Http.Request.Method, name, method) switch
        {
            ("GET", "", null) => ListAsync(visit),
            ("GET", { Length: > 0 }, null) => AnswerPlayer.SendAsync(visit, 200, Describe(Find(name, "getModel"))),
            ("POST", { }, "generateContent" or "streamGenerateContent") =>
                _desk.GenerateAsync(visit, Find(name, "generateContent"), method == "streamGenerateContent", ErrorEvent(visit)),
            ("POST", { }, "countTokens") => _desk.CountAsync(visit, Find(name, method)),
            ("POST", { }, "embedContent") => GeminiEmbedding.EmbedAsync(visit, Find(name, method), _desk.IsLenient),
            ("POST", { }, "batchEmbedContents") => GeminiEmbedding.EmbedBatchAsync(visit, Find(name, "embedContent"), _desk.IsLenient),
            _ => throw GoogleErrors.NotFound("Requested entity was not found."),
        };
    }

    public override JsonNode ErrorBody(VendorError error, Visit visit) =>
        FramingOf(visit) is GeminiArrayFraming && IsStream(visit, null) ? new JsonArray(GoogleErrors.Body(error)) : GoogleErrors.Body(error);

    public override StreamEvent ErrorEvent(Visit visit) =>
        new(GoogleErrors.Body(GoogleErrors.OfFault(FaultKind.Overloaded529)).ToJsonString(RelaxedJson.Options));

    public override VendorError FaultError(FaultKind kind, Visit visit) => GoogleErrors.OfFault(kind);

    public override void WriteErrorHeaders(VendorError error, IHeaderDictionary headers) => headers.Remove("Retry-After");

    private static (string? Model, string? Method) PathOf(Visit visit)
    {
        string path = visit.Path;
        string? rest = path.StartsWith("/v1beta" + Collection, StringComparison.Ordinal) ? path[("/v1beta" + Collection).Length..]
            : path.StartsWith("/v1" + Collection, StringComparison.Ordinal) ? path[("/v1" + Collection).Length..]
            : null;
        if (rest is null || (rest.Length > 0 && rest[0] != '/'))
        {
            return (null, null);
        }

        rest = rest.TrimStart('/');
        int colon = rest.LastIndexOf(':');
        return colon < 0 ? (rest, null) : (rest[..colon], rest[(colon + 1)..]);
    }

    private static GeminiModel Find(string name, string method) =>
        GeminiModel.All.FirstOrDefault(model => model.Name == name && (method == "getModel" || model.Methods.Contains(method)))
        ?? throw GoogleErrors.NotFound(
            $"models/{name} is not found for API version v1beta, or is not supported for {method}. Call ModelService.ListModels to see the list of available models and their "
            + "supported methods.");

    private static Task ListAsync(Visit visit) => AnswerPlayer.SendAsync(
        visit, 200, new JsonObject { ["models"] = new JsonArray([.. GeminiModel.All.Select(Describe)]) });

    private static JsonNode Describe(GeminiModel model) => new JsonObject
    {
        ["name"] = "models/" + model.Name,
        ["version"] = "001",
        ["displayName"] = model.Title,
        ["inputTokenLimit"] = GeminiModel.InputTokensMax,
        ["outputTokenLimit"] = GeminiModel.OutputTokensMax,
        ["supportedGenerationMethods"] = new JsonArray([.. model.Methods.Select(static method => (JsonNode)method)]),
        ["thinking"] = !model.Embeds,
    };
}
