using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Cohere;

/// <summary>api.cohere.com: chat, embeddings and reranking of version 2 (https://docs.cohere.com/reference), and OpenAI's shape below <c>/compatibility/v1</c>.</summary>
internal sealed class CohereSimulator(SandboxServices services) : OpenAIShapedSimulator(services)
{
    private const string RerankModel = "rerank-v3.5";
    private const string Compatible = "/compatibility/";
    private const int DocumentsMax = 1000;
    private const int TextsMax = 96;

    private static readonly string[] s_inputTypes = ["search_document", "search_query", "classification", "clustering", "image"];
    private static readonly int[] s_dimensions = [256, 512, 1024, 1536];

    public override string Name => "cohere";

    public override string ApiKey => "sandbox-cohere-key";

    public override IReadOnlyList<SandboxModel> Models { get; } =
    [
        new("command-a-plus-05-2026", Chat: true, Tools: true, JsonSchema: true, Images: true, Streaming: true, Thinking: true, Embeddings: false),
        new("command-a-03-2025", Chat: true, Tools: true, JsonSchema: true, Images: false, Streaming: true, Thinking: false, Embeddings: false),
        new("embed-v4.0", false, false, false, false, false, false, Embeddings: true),
    ];

    public override LatencyProfile Latency { get; } = new(0.35, 90);

    protected override long ContextTokens => 288_000;

    protected override ChatDialect Dialect { get; } = new(new AnswerStyle("tool_", 12, RefusesInText: true));

    public override string NewRequestId(ref Dice dice) => dice.NextGuid().ToString();

    public override void WriteHeaders(Visit visit)
    {
        IHeaderDictionary headers = visit.Http.Response.Headers;
        headers.CacheControl = "no-cache, no-store, no-transform, must-revalidate, private, max-age=0";
        headers["x-debug-trace-id"] = visit.RequestId;
        headers.Server = "envoy";
    }

    public override void CheckKey(HttpRequest request)
    {
        if (request.Headers.Authorization.FirstOrDefault() is not { } header || !header.Equals("Bearer " + ApiKey, StringComparison.OrdinalIgnoreCase))
        {
            throw new VendorErrorException(new VendorError(
                401, "", "Incorrect API key provided: ***********. You can find your API key at https://dashboard.cohere.com/api-keys."));
        }
    }

    public override Task AnswerAsync(Visit visit) => (visit.Http.Request.Method, visit.Path) switch
    {
        ("POST", "/v2/chat") => TalkAsync(visit),
        ("POST", "/v2/embed") => EmbedOwnAsync(visit),
        ("POST", "/v2/rerank") => RerankAsync(visit),
        ("GET", "/v1/models") => AnswerPlayer.SendAsync(visit, 200, new JsonObject
        {
            ["models"] = new JsonArray([.. Models.Select(model => (JsonNode)new JsonObject
            {
                ["name"] = model.Name,
                ["endpoints"] = model.Embeddings ? new JsonArray("embed") : new JsonArray("chat"),
                ["context_length"] = ContextTokens,
            })]),
        }),
        ("POST", Compatible + "v1/chat/completions") => ChatAsync(visit),
        ("POST", Compatible + "v1/embeddings") => EmbedAsync(visit),
        _ => throw new VendorErrorException(new VendorError(404, "", "page not found")),
    };

    public override JsonNode ErrorBody(VendorError error, Visit visit) => IsOwn(visit)
        ? new JsonObject { ["id"] = visit.RequestId, ["message"] = error.Message }
        : Envelope(error);

    // Cohere ends a stream that fails with its usual last event, and says there why.
    public override StreamEvent ErrorEvent(Visit visit)
    {
        if (!IsOwn(visit))
        {
            return base.ErrorEvent(visit);
        }

        JsonObject body = new()
        {
            ["type"] = "message-end",
            ["delta"] = new JsonObject { ["error"] = FaultError(FaultKind.Error500, visit).Message, ["finish_reason"] = "ERROR" },
        };
        return new StreamEvent(body.ToJsonString(RelaxedJson.Options), "message-end");
    }

    public override VendorError FaultError(FaultKind kind, Visit visit) => kind switch
    {
        FaultKind.RateLimit => new VendorError(
            429, "", "You are using a Trial key, which is limited to 20 API calls / minute. You can continue to use the Trial key for free or upgrade to a Production key with higher rate limits."),
        FaultKind.Quota => new VendorError(402, "", "Please add or update your payment method at https://dashboard.cohere.com/billing"),
        FaultKind.Forbidden403 => new VendorError(403, "", "your organization is not allowed to use this model"),
        FaultKind.Error503 => new VendorError(503, "", "service unavailable"),
        FaultKind.Overloaded529 => new VendorError(529, "", "the model is overloaded"),
        _ => new VendorError(500, "", "internal server error, this has been reported to our developers"),
    };

    protected override VendorError UnknownModel(string model) => CohereErrors.NoModel(model).Error;

    protected override void WriteRate(Visit visit, long tokens)
    {
    }

    private static bool IsOwn(Visit visit) => !visit.Path.StartsWith(Compatible, StringComparison.Ordinal);

    private static JsonDocument Body(Visit visit)
    {
        JsonDocument document = visit.ParseBody() ?? throw CohereErrors.Invalid("the body is not valid JSON.");
        if (document.RootElement.ValueKind == JsonValueKind.Object)
        {
            return document;
        }

        document.Dispose();
        throw CohereErrors.Invalid("the body is not an object.");
    }

    private static string ModelName(JsonElement body) => CohereMessages.Text(body, "model") ?? throw CohereErrors.Invalid("model is required.");

    private async Task TalkAsync(Visit visit)
    {
        using JsonDocument document = Body(visit);
        string name = ModelName(document.RootElement);
        SandboxModel model = Models.FirstOrDefault(known => known.Name == name && known.Chat) ?? throw CohereErrors.NoModel(name);
        CohereRequest request = CohereRequest.Read(document.RootElement, Name, model);
        if (request.InputTokens > ContextTokens)
        {
            throw new VendorErrorException(new VendorError(
                400, "", $"too many tokens: size limit exceeded by {request.InputTokens - ContextTokens} tokens. Try using shorter or fewer inputs. The limit for this model is {ContextTokens} tokens."));
        }

        Answer answer = Services.Author.Write(request.Prompt, Dialect.Style);
        Dice dice = visit.Dice;
        CohereReply reply = new(dice.NextGuid().ToString(), request, answer, visit.HasFault(FaultKind.MissingUsage));
        visit.Dice = dice;
        visit.Billing.InputTokens = request.InputTokens;
        visit.Pace = visit.Pace.For(answer.OutputTokens);
        await (request.Stream
            ? AnswerPlayer.StreamAsync(visit, reply.Events(), ErrorEvent(visit))
            : AnswerPlayer.WholeAsync(visit, reply.Whole(), answer.Pieces)).ConfigureAwait(false);
        visit.Billing.Finish = visit.EndedWell ? reply.Finish : null;
    }

    private async Task EmbedOwnAsync(Visit visit)
    {
        using JsonDocument document = Body(visit);
        JsonElement body = document.RootElement;
        string name = ModelName(body);
        if (!Models.Any(known => known.Name == name && known.Embeddings))
        {
            throw CohereErrors.NoModel(name);
        }

        string inputType = CohereMessages.Text(body, "input_type") ?? throw CohereErrors.Invalid("valid input_type must be provided with the provided model.");
        if (!s_inputTypes.Contains(inputType))
        {
            throw CohereErrors.Invalid($"input_type must be one of {string.Join(", ", s_inputTypes)}.");
        }

        string[] texts = Texts(body);
        int dimensions = ChatFields.Find(body, "output_dimension") switch
        {
            null => s_dimensions[^1],
            { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out int asked) && s_dimensions.Contains(asked) => asked,
            _ => throw CohereErrors.Invalid($"output_dimension must be one of {string.Join(", ", s_dimensions)}."),
        };
        string[] types = ChatFields.Find(body, "embedding_types") is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray().Select(static word => ChatFields.Text(word))] : ["float"];
        JsonObject embeddings = [];
        foreach (string type in types)
        {
            embeddings[type] = type switch
            {
                "float" => new JsonArray([.. texts.Select(text => (JsonNode)EmbeddingsEndpoint.List(EmbeddingsEndpoint.Embed(text, dimensions)))]),
                "base64" => new JsonArray([.. texts.Select(text => (JsonNode)Convert.ToBase64String(
                    System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(EmbeddingsEndpoint.Embed(text, dimensions))))]),
                _ => throw CohereErrors.Invalid($"embedding type '{type}' is not simulated; use float or base64."),
            };
        }

        long tokens = texts.Sum(static text => (long)Tokens.Count(text));
        visit.Billing.InputTokens = tokens;
        await AnswerPlayer.WholeAsync(visit, new JsonObject
        {
            ["id"] = visit.RequestId,
            ["texts"] = new JsonArray([.. texts.Select(static text => (JsonNode)text)]),
            ["embeddings"] = embeddings,
            ["meta"] = visit.HasFault(FaultKind.MissingUsage) ? null : new JsonObject
            {
                ["api_version"] = new JsonObject { ["version"] = "2" },
                ["billed_units"] = new JsonObject { ["input_tokens"] = tokens },
            },
            ["response_type"] = "embeddings_by_type",
        }, []).ConfigureAwait(false);
    }

    private static string[] Texts(JsonElement body)
    {
        if (ChatFields.Find(body, "texts") is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() is > 0 and <= TextsMax)
        {
            return [.. list.EnumerateArray().Select(static text => text.ValueKind == JsonValueKind.String ? ChatFields.Text(text) : throw CohereErrors.Invalid("texts must be strings."))];
        }

        if (ChatFields.Find(body, "inputs") is { ValueKind: JsonValueKind.Array } inputs && inputs.GetArrayLength() is > 0 and <= TextsMax)
        {
            return [.. inputs.EnumerateArray().Select(static input => input.GetRawText())];
        }

        throw CohereErrors.Invalid($"texts or inputs must be an array of 1 to {TextsMax}.");
    }

    /// <summary>The more words a document has in common with the query, the higher it ranks.</summary>
    private static async Task RerankAsync(Visit visit)
    {
        using JsonDocument document = Body(visit);
        JsonElement body = document.RootElement;
        string name = ModelName(body);
        if (name != RerankModel)
        {
            throw CohereErrors.NoModel(name);
        }

        string query = CohereMessages.Text(body, "query") ?? throw CohereErrors.Invalid("query is required.");
        if (ChatFields.Find(body, "documents") is not { ValueKind: JsonValueKind.Array } list || list.GetArrayLength() is 0 or > DocumentsMax)
        {
            throw CohereErrors.Invalid($"documents must be an array of 1 to {DocumentsMax}.");
        }

        float[] wanted = EmbeddingsEndpoint.Embed(query, s_dimensions[0]);
        (int Index, double Score)[] ranked =
        [
            .. list.EnumerateArray().Select((text, i) => (
                Index: i,
                Score: Math.Clamp((Similarity(wanted, EmbeddingsEndpoint.Embed(text.ValueKind == JsonValueKind.String ? ChatFields.Text(text) : text.GetRawText(), s_dimensions[0])) + 1) / 2, 0, 1)))
                .OrderByDescending(static one => one.Score),
        ];
        int most = ChatFields.Find(body, "top_n") is { ValueKind: JsonValueKind.Number } top && top.TryGetInt32(out int number) && number > 0 ? number : ranked.Length;
        await AnswerPlayer.SendAsync(visit, 200, new JsonObject
        {
            ["id"] = visit.RequestId,
            ["results"] = new JsonArray([.. ranked.Take(most).Select(static one => (JsonNode)new JsonObject { ["index"] = one.Index, ["relevance_score"] = one.Score })]),
            ["meta"] = new JsonObject { ["api_version"] = new JsonObject { ["version"] = "2" }, ["billed_units"] = new JsonObject { ["search_units"] = 1 } },
        }).ConfigureAwait(false);
    }

    private static double Similarity(float[] left, float[] right)
    {
        double sum = 0;
        for (int i = 0; i < left.Length; i++)
        {
            sum += left[i] * right[i];
        }

        return sum;
    }
}
