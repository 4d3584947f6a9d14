using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Google;

/// <summary>Answers <c>:embedContent</c>, <c>:batchEmbedContents</c> and Vertex AI's older <c>:predict</c>.</summary>
internal static class GeminiEmbedding
{
    private const int FullDimensions = 3072;
    private const int MaxRequests = 100;
    private const int MaxInputTokens = 8192;

    private static readonly string[] s_purposes =
    [
        "TASK_TYPE_UNSPECIFIED", "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION", "CLUSTERING", "QUESTION_ANSWERING", "FACT_VERIFICATION",
        "CODE_RETRIEVAL_QUERY",
    ];

    public static async Task EmbedAsync(Visit visit, GeminiModel model, bool isLenient)
    {
        using JsonDocument document = visit.ParseBody() ?? throw GoogleErrors.Malformed();
        (JsonObject made, long tokens) = One(document.RootElement, "", model, isLenient);
        visit.Billing.InputTokens = tokens;
        JsonObject answer = new() { ["embedding"] = made };
        Tell(visit, model, tokens, answer);
        await AnswerPlayer.WholeAsync(visit, answer, []).ConfigureAwait(false);
    }

    public static async Task EmbedBatchAsync(Visit visit, GeminiModel model, bool isLenient)
    {
        using JsonDocument document = visit.ParseBody() ?? throw GoogleErrors.Malformed();
        GeminiObject batch = GeminiObject.Open(document.RootElement, "", isLenient, "model", "requests");
        List<JsonNode> made = [];
        long tokens = 0;
        foreach ((JsonElement item, string path) in batch.List("requests"))
        {
            (JsonObject one, long cost) = One(item, path, model, isLenient);
            if (!isLenient && (!item.TryGetProperty("model", out JsonElement named) || named.GetString() != "models/" + model.Name))
            {
                throw GoogleErrors.Invalid($"* BatchEmbedContentsRequest.{path}: model must be the same as of the batch: models/{model.Name}.\n");
            }

            made.Add(one);
            tokens += cost;
        }

        if (made.Count is 0 or > MaxRequests)
        {
            throw GoogleErrors.Invalid(made.Count == 0
                ? "* BatchEmbedContentsRequest.requests: requests is not specified\n"
                : $"* BatchEmbedContentsRequest.requests: at most {MaxRequests} requests can be in one batch\n");
        }

        visit.Billing.InputTokens = tokens;
        JsonObject answer = new() { ["embeddings"] = new JsonArray([.. made]) };
        Tell(visit, model, tokens, answer);
        await AnswerPlayer.WholeAsync(visit, answer, []).ConfigureAwait(false);
    }

    /// <summary>Vertex AI's form for its older models, one text a time (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api).</summary>
    public static async Task PredictAsync(Visit visit, bool isLenient)
    {
        using JsonDocument document = visit.ParseBody() ?? throw GoogleErrors.Malformed();
        GeminiObject request = GeminiObject.Open(document.RootElement, "", isLenient, "instances", "parameters");
        int dimensions = FullDimensions;
        if (request.Find("parameters") is { } found)
        {
            GeminiObject parameters = GeminiObject.Open(found, "parameters", isLenient, "autoTruncate", "outputDimensionality");
            dimensions = Dimensions(parameters);
        }

        List<JsonNode> made = [];
        long tokens = 0;
        foreach ((JsonElement item, string path) in request.List("instances"))
        {
            // The names within an instance are the model's own, not the service's: with underscores, and nothing else.
            GeminiObject instance = GeminiObject.Open(item, path, isLenient, "content", "taskType", "title");
            string text = instance.Text("content") is { Length: > 0 } given ? given : throw GoogleErrors.Invalid("The text content is empty.");
            CheckPurpose(instance);
            int cost = Tokens.Count(text);
            tokens += cost;
            made.Add(new JsonObject
            {
                ["embeddings"] = new JsonObject
                {
                    ["statistics"] = new JsonObject { ["truncated"] = false, ["token_count"] = cost },
                    ["values"] = EmbeddingsEndpoint.Values(text, dimensions),
                },
            });
        }

        if (made.Count != 1)
        {
            throw GoogleErrors.Invalid($"{made.Count} instance(s) is not allowed for the online prediction. The max batch size is 1.");
        }

        visit.Billing.InputTokens = tokens;
        await AnswerPlayer.WholeAsync(
            visit, new JsonObject { ["predictions"] = new JsonArray([.. made]), ["metadata"] = new JsonObject { ["billableCharacterCount"] = tokens * 4 } }, []).ConfigureAwait(false);
    }

    private static (JsonObject Made, long Tokens) One(JsonElement element, string path, GeminiModel model, bool isLenient)
    {
        GeminiObject request = GeminiObject.Open(
            element, path, isLenient, "model", "content", "taskType", "title", "outputDimensionality", "embedContentConfig", "autoTruncate");
        GeminiContents contents = new(new ThoughtSignature(isLenient), demandsSignatures: false);
        JsonElement content = request.Find("content") ?? throw GoogleErrors.Invalid("* EmbedContentRequest.content: content is not specified\n");
        GeminiContent read = contents.ReadContent(content, request.At("content"));
        CheckPurpose(request);
        if (!model.TellsEmbeddingUsage && contents.MediaTokens > 0)
        {
            throw GoogleErrors.Invalid($"Unable to process input: {model.Name} takes text only.");
        }

        string text = string.Join('\n', read.Texts);
        long tokens = Tokens.Count(text) + contents.MediaTokens;
        return tokens is > 0 and <= MaxInputTokens
            ? (new JsonObject { ["values"] = EmbeddingsEndpoint.Values(text, Dimensions(request)) }, tokens)
            : throw GoogleErrors.Invalid(tokens == 0 ? "* EmbedContentRequest.content: contents.parts must not be empty.\n" : "The input is too long.");
    }

    private static void CheckPurpose(GeminiObject owner)
    {
        if (owner.Text("taskType") is { } purpose && !s_purposes.Contains(purpose))
        {
            throw GoogleErrors.WrongType(owner.At("taskType"), "type.googleapis.com/google.ai.generativelanguage.v1beta.TaskType", owner.Find("taskType")!.Value);
        }
    }

    private static int Dimensions(GeminiObject owner) => owner.Integer("outputDimensionality") switch
    {
        null => FullDimensions,
        >= 1 and <= FullDimensions and { } asked => (int)asked,
        { } other => throw GoogleErrors.Invalid($"The output_dimensionality {other} is out of the range of 1 to {FullDimensions}."),
    };

    private static void Tell(Visit visit, GeminiModel model, long tokens, JsonObject answer)
    {
        if (model.TellsEmbeddingUsage && !visit.HasFault(FaultKind.MissingUsage))
        {
            answer["usageMetadata"] = new JsonObject
            {
                ["promptTokenCount"] = tokens,
                ["promptTokenDetails"] = new JsonArray(new JsonObject { ["modality"] = "TEXT", ["tokenCount"] = tokens }),
            };
        }
    }
}
