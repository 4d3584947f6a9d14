using System.Text.Json;

namespace Ballast.Sandbox.Google;

/// <summary>Reads and checks <c>generationConfig</c>.</summary>
internal sealed record GeminiConfig
{
    private const int MaxStops = 5;

    /// <summary>A model that may choose how long it thinks does so only with room left for an answer.</summary>
    private const long RoomToThink = 1024;

    private const long DynamicBudget = 512;

    public long? MaxTokens { get; private init; }
    public IReadOnlyList<string> Stops { get; private init; } = [];
    public bool AnswerIsJson { get; private init; }
    public JsonElement? AnswerSchema { get; private init; }
    public long ThinkingTokens { get; private init; }
    public bool ShowsThoughts { get; private init; }

    public static GeminiConfig Read(GeminiObject request, GeminiModel model, bool hasTools, bool isLenient)
    {
        if (request.Find("generationConfig") is not { } found)
        {
            return new GeminiConfig { ThinkingTokens = DynamicBudget };
        }

        GeminiObject config = GeminiObject.Open(
            found, "generation_config", isLenient, "stopSequences", "responseMimeType", "responseSchema", "responseJsonSchema", "_responseJsonSchema", "responseModalities",
            "candidateCount", "maxOutputTokens", "temperature", "topP", "topK", "seed", "presencePenalty", "frequencyPenalty", "responseLogprobs", "logprobs",
            "thinkingConfig", "speechConfig", "mediaResolution", "audioTimestamp", "enableAffectiveDialog", "routingConfig", "imageConfig",
            "enableEnhancedCivicAnswers", "modelSelectionConfig");
        CheckSampling(config, isLenient);
        (bool isJson, JsonElement? schema) = ReadFormat(config, model, hasTools, isLenient);
        long? most = config.Integer("maxOutputTokens");
        if (most is < 1 or > GeminiModel.OutputTokensMax)
        {
            throw GoogleErrors.Invalid(
                $"Unable to submit request because it has a maxOutputTokens value of {most} but the supported range is from 1 (inclusive) to 65537 (exclusive). "
                + "Update the value and try again.");
        }

        IReadOnlyList<string> stops = config.Texts("stopSequences");
        (long thinks, bool shows) = ReadThinking(config, model, most, isLenient);
        return new GeminiConfig
        {
            MaxTokens = most,
            Stops = stops.Count <= MaxStops
                ? stops
                : throw GoogleErrors.Invalid($"Unable to submit request because it must have at most {MaxStops} stop sequences but has {stops.Count}."),
            AnswerIsJson = isJson,
            AnswerSchema = schema,
            ThinkingTokens = thinks,
            ShowsThoughts = shows,
        };
    }

    private static void CheckSampling(GeminiObject config, bool isLenient)
    {
        config.Number("temperature", 0, 2);
        config.Number("topP", 0, 1);
        config.Number("presencePenalty", -2, 2);
        config.Number("frequencyPenalty", -2, 2);
        config.Number("topK", 0, 1000);
        config.Integer("seed");
        // Some of Google's models give several; recorded requests of other vendors may ask for them, and get one.
        if (config.Integer("candidateCount") is not (null or 1) && !isLenient)
        {
            throw GoogleErrors.Invalid("Multiple candidates is not enabled for this model");
        }
    }

    private static (bool IsJson, JsonElement? Schema) ReadFormat(GeminiObject config, GeminiModel model, bool hasTools, bool isLenient)
    {
        string type = config.Text("responseMimeType") ?? "text/plain";
        bool isJson = type == "application/json";
        if (type is not ("text/plain" or "application/json" or "text/x.enum"))
        {
            throw GoogleErrors.Invalid(
                $"* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are `text/plain`, `application/json`, `application/xml`, `application/yaml` and `text/x.enum`.\n");
        }

        JsonElement? own = config.Find("responseSchema");
        JsonElement? json = config.Struct("responseJsonSchema") ?? config.Struct("_responseJsonSchema");
        if (own is not null && json is not null)
        {
            throw GoogleErrors.Invalid("Only one of response_schema and response_json_schema may be set.");
        }

        if ((own ?? json) is not null && type == "text/plain")
        {
            throw GoogleErrors.Invalid("* GenerateContentRequest.generation_config.response_schema: only allowed for response_mime_type: application/json.\n");
        }

        return isJson && hasTools && !model.IsThird
            ? throw GoogleErrors.Invalid("Function calling with a response mime type: 'application/json' is unsupported")
            : (isJson, own is { } subset ? GeminiSchema.Read(subset, config.At("responseSchema"), isLenient) : json?.Clone());
    }

    private static (long Tokens, bool Shows) ReadThinking(GeminiObject config, GeminiModel model, long? most, bool isLenient)
    {
        long dynamic = most is null or >= RoomToThink ? DynamicBudget : 0;
        if (config.Find("thinkingConfig") is not { } found)
        {
            return (dynamic, false);
        }

        GeminiObject thinking = GeminiObject.Open(
            found, config.At("thinkingConfig"), isLenient, "includeThoughts", "thinkingBudget", "thinkingLevel");
        bool shows = thinking.Flag("includeThoughts") == true;
        long? budget = thinking.Integer("thinkingBudget");
        string? level = thinking.Text("thinkingLevel");
        if (budget is not null && level is not null)
        {
            throw GoogleErrors.Invalid("You can only set only one of thinking budget and thinking level.");
        }

        if (level is not null && !model.IsThird)
        {
            throw GoogleErrors.Invalid("Thinking level is not supported for this model.");
        }

        if (level is not (null or "MINIMAL" or "LOW" or "MEDIUM" or "HIGH" or "THINKING_LEVEL_UNSPECIFIED") && level.ToUpperInvariant() is not ("MINIMAL" or "LOW" or "MEDIUM" or "HIGH"))
        {
            throw GoogleErrors.WrongType(
                thinking.At("thinkingLevel"), "type.googleapis.com/google.ai.generativelanguage.v1beta.ThinkingConfig.ThinkingLevel", thinking.Find("thinkingLevel")!.Value);
        }

        if (budget is < -1 or > GeminiModel.ThinkingBudgetMax)
        {
            throw GoogleErrors.Invalid($"The thinking budget {budget} is invalid. Please choose a value between 0 and {GeminiModel.ThinkingBudgetMax}.");
        }

        if (budget == 0 && shows)
        {
            throw GoogleErrors.Invalid("Unable to submit request because Thinking_config.include_thoughts is only enabled when thinking is enabled.");
        }

        return (budget is null or -1 ? (shows ? DynamicBudget : dynamic) : budget.Value, shows);
    }
}
