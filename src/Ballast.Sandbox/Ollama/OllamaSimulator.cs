using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Ollama;

/// <summary>
/// A server of Ollama's (https://docs.ollama.com/api): its own chat, completions, embeddings and models below <c>/api</c>, and OpenAI's shape below <c>/v1</c>. Like the real
/// one it asks for no key; a key that is sent must be the right one, as in Ollama's cloud.
/// </summary>
internal sealed class OllamaSimulator(SandboxServices services) : OpenAIShapedSimulator(services)
{
    private const string Version = "0.12.6";
    private const int Dimensions = 768;

    public override string Name => "ollama";

    public override string ApiKey => "sandbox-ollama-key";

    public override IReadOnlyList<SandboxModel> Models { get; } =
    [
        new("qwen3:8b", Chat: true, Tools: true, JsonSchema: true, Images: true, Streaming: true, Thinking: true, Embeddings: false),
        new("gemma3:4b", Chat: true, Tools: false, JsonSchema: true, Images: true, Streaming: true, Thinking: false, Embeddings: false),
        new("nomic-embed-text:latest", false, false, false, false, false, false, Embeddings: true),
    ];

    public override LatencyProfile Latency { get; } = new(0.2, 60);

    protected override long ContextTokens => 40_960;

    protected override ChatDialect Dialect { get; } = new(new AnswerStyle("call_", 8, RefusesInText: true))
    {
        WholeToolCalls = true,
        ShowsReasoning = true,
        ReasoningField = "reasoning",
        IgnoresToolChoice = true,
        Fingerprint = "fp_ollama",
    };

    public override bool IsFree(string path) => path is "/" or "/api/version" or "/api/tags" or "/api/ps" or "/api/show";

    public override string? ModelOf(Visit visit, JsonElement? body) => base.ModelOf(visit, body) is { } name ? Find(name)?.Name ?? name : null;

    public override bool IsStream(Visit visit, JsonElement? body) => IsOwn(visit)
        ? body is { ValueKind: JsonValueKind.Object } request && visit.Path is "/api/chat" or "/api/generate"
            && !(body.Value.TryGetProperty("stream", out JsonElement stream) && stream.ValueKind == JsonValueKind.False)
        : base.IsStream(visit, body);

    public override StreamFraming FramingOf(Visit visit) => IsOwn(visit) ? OllamaFraming.Instance : base.FramingOf(visit);

    public override string NewRequestId(ref Dice dice) => dice.NextHex(32);

    public override void WriteHeaders(Visit visit)
    {
    }

    public override void CheckKey(HttpRequest request)
    {
        if (request.Headers.Authorization.FirstOrDefault() is { Length: > 0 } header && header != "Bearer " + ApiKey)
        {
            throw new VendorErrorException(new VendorError(401, "api_error", "unauthorized"));
        }
    }

    public override Task AnswerAsync(Visit visit) => (visit.Http.Request.Method, visit.Path) switch
    {
        ("POST", "/api/chat") => TalkAsync(visit, isChat: true),
        ("POST", "/api/generate") => TalkAsync(visit, isChat: false),
        ("POST", "/api/embed") => EmbedOwnAsync(visit),
        ("POST", "/api/show") => ShowAsync(visit),
        ("GET", "/api/tags") => AnswerPlayer.SendAsync(visit, 200, new JsonObject { ["models"] = new JsonArray([.. Models.Select(static model => (JsonNode)Describe(model))]) }),
        ("GET", "/api/ps") => AnswerPlayer.SendAsync(visit, 200, new JsonObject { ["models"] = new JsonArray() }),
        ("GET", "/api/version") => AnswerPlayer.SendAsync(visit, 200, new JsonObject { ["version"] = Version }),
        ("GET", "/") => visit.Http.Response.WriteAsync("Ollama is running", visit.Http.RequestAborted),
        ("POST", "/v1/chat/completions") => ChatAsync(visit),
        ("POST", "/v1/embeddings") => EmbedAsync(visit),
        ("GET", "/v1/models") => ListModelsAsync(visit),
        _ => throw new VendorErrorException(new VendorError(404, "api_error", "404 page not found")),
    };

    public override JsonNode ErrorBody(VendorError error, Visit visit) => IsOwn(visit)
        ? new JsonObject { ["error"] = error.Message }
        : new JsonObject
        {
            ["error"] = new JsonObject { ["message"] = error.Message, ["type"] = error.Type.Length > 0 ? error.Type : "api_error", ["param"] = null, ["code"] = null },
        };

    public override VendorError FaultError(FaultKind kind, Visit visit) => kind switch
    {
        FaultKind.RateLimit => new VendorError(429, "rate_limit_error", "too many concurrent requests"),
        FaultKind.Quota => new VendorError(429, "rate_limit_error", "you (sandbox) have reached your weekly usage limit, upgrade for higher limits: https://ollama.com/upgrade"),
        FaultKind.Forbidden403 => new VendorError(403, "permission_error", "this model requires a subscription, upgrade for access: https://ollama.com/upgrade"),
        FaultKind.Error503 => new VendorError(503, "api_error", "server busy, please try again.  maximum pending requests exceeded"),
        FaultKind.Overloaded529 => new VendorError(529, "api_error", "server overloaded, please retry shortly"),
        _ => new VendorError(500, "api_error", "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error"),
    };

    protected override VendorError UnknownModel(string model) => new(404, "not_found_error", $"model '{model}' not found");

    protected override void WriteRate(Visit visit, long tokens)
    {
    }

    /// <summary>It fetches nothing: pictures come with their bytes. Documents it does not know.</summary>
    protected override void CheckPolicy(Prompt prompt)
    {
        if (prompt.Turns.Any(static turn => turn.Images.Any(static one => one.IsDocument)))
        {
            throw OllamaErrors.Bad("invalid message format");
        }

        if (prompt.Turns.Any(static turn => turn.Images.Contains(PromptImage.ByAddress)))
        {
            throw OllamaErrors.Bad("invalid image input");
        }
    }

    private static bool IsOwn(Visit visit) => !visit.Path.StartsWith("/v1/", StringComparison.Ordinal);

    private static JsonDocument Body(Visit visit)
    {
        JsonDocument document = visit.ParseBody() ?? throw OllamaErrors.Bad("invalid character in the body of the request");
        if (document.RootElement.ValueKind == JsonValueKind.Object)
        {
            return document;
        }

        document.Dispose();
        throw OllamaErrors.Bad("json: cannot unmarshal the body into Go value of type api.ChatRequest");
    }

    /// <summary>A name without a tag means the latest.</summary>
    private SandboxModel? Find(string name) => Models.FirstOrDefault(model => model.Name == name || model.Name == name + ":latest");

    private (string Asked, SandboxModel Model) ReadModel(JsonElement body, string? otherField = null)
    {
        JsonElement? field = ChatFields.Find(body, "model") ?? (otherField is null ? null : ChatFields.Find(body, otherField));
        string name = field switch
        {
            null => throw OllamaErrors.Bad("model is required"),
            { ValueKind: JsonValueKind.String } value => ChatFields.Text(value),
            { } other => throw OllamaErrors.WrongType(other, "ChatRequest.model", "string"),
        };
        return (name, Find(name) ?? throw OllamaErrors.NoModel(name));
    }

    private async Task TalkAsync(Visit visit, bool isChat)
    {
        using JsonDocument document = Body(visit);
        (string asked, SandboxModel model) = ReadModel(document.RootElement);
        if (!model.Chat)
        {
            throw OllamaErrors.Bad($"\"{asked}\" does not support {(isChat ? "chat" : "generate")}");
        }

        OllamaRequest request = isChat ? OllamaRequest.ReadChat(document.RootElement, Name, model) : OllamaRequest.ReadCompletion(document.RootElement, Name, model);
        Answer answer = request.Prompt is { } prompt ? Services.Author.Write(prompt, Dialect.Style) : new Answer { Pieces = [], Calls = [], End = AnswerEnd.Natural };
        OllamaReply reply = new(asked, request, answer, isChat, visit.HasFault(FaultKind.MissingUsage), Services.Time.GetUtcNow());
        visit.Billing.Stream = request.Stream;
        visit.Billing.InputTokens = request.InputTokens;
        visit.Pace = visit.Pace.For(answer.OutputTokens);
        await (request.Stream
            ? AnswerPlayer.StreamAsync(visit, reply.Lines(), ErrorEvent(visit))
            : AnswerPlayer.WholeAsync(visit, reply.Whole(), answer.Pieces)).ConfigureAwait(false);
        visit.Billing.Finish = visit.EndedWell ? reply.Reason : null;
    }

    private async Task EmbedOwnAsync(Visit visit)
    {
        using JsonDocument document = Body(visit);
        (string asked, SandboxModel model) = ReadModel(document.RootElement);
        if (!model.Embeddings)
        {
            throw OllamaErrors.Bad("this model does not support embeddings");
        }

        string[] texts = ChatFields.Find(document.RootElement, "input") switch
        {
            null => [],
            { ValueKind: JsonValueKind.String } one => [ChatFields.Text(one)],
            { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select(static text =>
                text.ValueKind == JsonValueKind.String ? ChatFields.Text(text) : throw OllamaErrors.Bad("invalid input type"))],
            _ => throw OllamaErrors.Bad("invalid input type"),
        };
        int dimensions = ChatFields.Find(document.RootElement, "dimensions") is { ValueKind: JsonValueKind.Number } wanted && wanted.TryGetInt32(out int asked2)
            ? Math.Clamp(asked2, 1, Dimensions)
            : Dimensions;
        long tokens = texts.Sum(static text => (long)Tokens.Count(text));
        visit.Billing.InputTokens = tokens;
        JsonObject answer = new()
        {
            ["model"] = asked,
            ["embeddings"] = new JsonArray([.. texts.Select(text => (JsonNode)EmbeddingsEndpoint.List(EmbeddingsEndpoint.Embed(text, dimensions)))]),
            ["total_duration"] = 14_000_000,
            ["load_duration"] = 1_000_000,
        };
        if (!visit.HasFault(FaultKind.MissingUsage))
        {
            answer["prompt_eval_count"] = tokens;
        }

        await AnswerPlayer.WholeAsync(visit, answer, []).ConfigureAwait(false);
    }

    private async Task ShowAsync(Visit visit)
    {
        using JsonDocument document = Body(visit);
        (_, SandboxModel model) = ReadModel(document.RootElement, "name");
        string family = model.Name.Split(':')[0];
        JsonArray capabilities = new(JsonValue.Create(model.Embeddings ? "embedding" : "completion"));
        foreach ((bool can, string word) in ((bool, string)[])[(model.Tools, "tools"), (model.Images, "vision"), (model.Thinking, "thinking")])
        {
            if (can)
            {
                capabilities.Add((JsonNode)word);
            }
        }

        await AnswerPlayer.SendAsync(visit, 200, new JsonObject
        {
            ["license"] = "Apache License 2.0",
            ["modelfile"] = $"FROM {model.Name}",
            ["parameters"] = "",
            ["template"] = "{{ .Prompt }}",
            ["details"] = Details(family),
            ["model_info"] = new JsonObject { ["general.architecture"] = family, [family + ".context_length"] = ContextTokens },
            ["capabilities"] = capabilities,
            ["modified_at"] = "2025-10-01T00:00:00Z",
        }).ConfigureAwait(false);
    }

    private static JsonObject Describe(SandboxModel model) => new()
    {
        ["name"] = model.Name,
        ["model"] = model.Name,
        ["modified_at"] = "2025-10-01T00:00:00Z",
        ["size"] = 5_200_000_000,
        ["digest"] = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(model.Name))),
        ["details"] = Details(model.Name.Split(':')[0]),
    };

    private static JsonObject Details(string family) => new()
    {
        ["parent_model"] = "",
        ["format"] = "gguf",
        ["family"] = family,
        ["families"] = new JsonArray(family),
        ["parameter_size"] = "8.2B",
        ["quantization_level"] = "Q4_K_M",
    };
}
