using Ballast.Configuration;
using Ballast.Protocols;

namespace Ballast.Catalog;

/// <summary>What an endpoint is taken to understand unless the configuration says otherwise; the table is in <c>docs/providers.md</c>.</summary>
internal static class FeatureDefaults
{
    private const TargetFeatures OpenAI =
        TargetFeatures.JsonSchema | TargetFeatures.StreamUsage | TargetFeatures.MaxCompletionTokens | TargetFeatures.DeveloperRole
        | TargetFeatures.ReasoningEffort | TargetFeatures.ParallelToolCalls | TargetFeatures.Images | TargetFeatures.Files;

    /// <summary>What of its own protocols their vendor and Azure have, and others that speak them have not.</summary>
    private const TargetFeatures Later = TargetFeatures.Background | TargetFeatures.Compaction | TargetFeatures.CustomTools;

    private const TargetFeatures Bedrock = TargetFeatures.Images | TargetFeatures.Files;

    private const TargetFeatures Compatible = TargetFeatures.StreamUsage | TargetFeatures.JsonSchema | TargetFeatures.Images;

    private const TargetFeatures Anthropic =
        TargetFeatures.JsonSchema | TargetFeatures.Images | TargetFeatures.Files | TargetFeatures.CacheControl | TargetFeatures.CountTokens;

    private const TargetFeatures Gemini =
        TargetFeatures.JsonSchema | TargetFeatures.Images | TargetFeatures.Files | TargetFeatures.ReasoningEffort | TargetFeatures.ReasoningReplay
        | TargetFeatures.CountTokens | TargetFeatures.WrappedCount | TargetFeatures.Choices;

    private const TargetFeatures Cohere = TargetFeatures.JsonSchema | TargetFeatures.Images;

    /// <summary>Hosts of OpenAI's shape, by platform, where their documentation or their recorded answers say otherwise than <see cref="Compatible"/>.</summary>
    private static readonly Dictionary<string, TargetFeatures> s_dialects = new(StringComparer.Ordinal)
    {
        // No schemas (json_object only), no pictures; tools of a model that reasons need its reasoning back. Reasoning is on unless it is switched off.
        ["deepseek"] = (Compatible & ~(TargetFeatures.JsonSchema | TargetFeatures.Images)) | TargetFeatures.ParallelToolCalls | TargetFeatures.ReasoningReplay | TargetFeatures.MaxTokensOnly
            | TargetFeatures.ThinkingSwitch | TargetFeatures.ReasoningEffort,

        // The same switch, without words for how hard to think.
        ["zai"] = Compatible | TargetFeatures.ThinkingSwitch | TargetFeatures.ReasoningReplay,

        // Streams tell usage unasked, and stream_options is no field; unknown fields are refused, and so are ids of other lengths.
        ["mistral"] = (Compatible & ~TargetFeatures.StreamUsage) | TargetFeatures.ParallelToolCalls | TargetFeatures.ShortToolIds | TargetFeatures.MaxTokensOnly,

        // Schemas are for a few models only.
        ["groq"] = (Compatible & ~TargetFeatures.JsonSchema) | TargetFeatures.ParallelToolCalls | TargetFeatures.MaxCompletionTokens,
        ["xai"] = Compatible | TargetFeatures.ParallelToolCalls | TargetFeatures.MaxCompletionTokens,
        ["openrouter"] = Compatible | TargetFeatures.ParallelToolCalls | TargetFeatures.ReasoningEffort | TargetFeatures.Files,
    };

    /// <summary>What a platform is known to understand beyond its kind. What it lacks or refuses is left out.</summary>
    public static TargetFeatures BeyondKind(ProviderKind kind, string? platform) =>
        kind == ProviderKind.OpenAICompatible && platform is not null && s_dialects.TryGetValue(platform, out TargetFeatures dialect)
            ? dialect & ~(Compatible | TargetFeatures.MaxTokensOnly | TargetFeatures.ShortToolIds)
            : TargetFeatures.None;

    /// <summary>Fields of Chat Completions that hosts of OpenAI's shape answer with an error, as their documentation has it.</summary>
    private static readonly Dictionary<string, string[]> s_refused = new(StringComparer.Ordinal)
    {
        ["groq"] = ["logprobs", "top_logprobs", "logit_bias"],
        ["mistral"] = ["user", "safety_identifier", "logprobs", "top_logprobs", "logit_bias"],
    };

    /// <summary>Fields that a platform refuses; they are left out, and declared as lost.</summary>
    public static IReadOnlyList<string> RefusedBy(ProviderKind kind, string? platform) =>
        kind == ProviderKind.OpenAICompatible && platform is not null ? s_refused.GetValueOrDefault(platform, []) : [];

    /// <param name="kind">How the provider is addressed.</param>
    /// <param name="vendor">Who makes the model.</param>
    /// <param name="protocol">The one in which it is asked first.</param>
    /// <param name="platform">Who operates it.</param>
    public static TargetFeatures Of(ProviderKind kind, string vendor, Protocol protocol, string? platform) => kind switch
    {
        // Whether a model takes schemas, documents or cache marks depends on the model; where it cannot, it says so.
        ProviderKind.AwsBedrock when protocol.Framing == StreamFraming.EventStream => vendor switch
        {
            "anthropic" => Bedrock | TargetFeatures.CacheControl | TargetFeatures.CountTokens,
            "amazon" => Bedrock | TargetFeatures.CacheControl,
            _ => Bedrock,
        },
        ProviderKind.Anthropic => Anthropic,
        ProviderKind.Gemini => Gemini,
        ProviderKind.Vertex when vendor == "google" => Gemini & ~TargetFeatures.WrappedCount,
        ProviderKind.Vertex when vendor == "anthropic" => Anthropic,
        ProviderKind.AzureOpenAI when vendor == "anthropic" => Anthropic,
        ProviderKind.OpenAI => OpenAI | Later | TargetFeatures.CountTokens,
        ProviderKind.Cohere => Cohere,

        // Azure and Bedrock serve others' models too; those speak the plain protocol without OpenAI's later fields.
        ProviderKind.AzureOpenAI when vendor == "openai" => OpenAI | Later,
        ProviderKind.AwsBedrock when vendor == "openai" => OpenAI,
        ProviderKind.OpenAICompatible when platform is not null && s_dialects.TryGetValue(platform, out TargetFeatures dialect) => dialect,

        // Effort is a field of the Responses API itself, whoever speaks it.
        ProviderKind.OpenAICompatible when protocol.Name == ProtocolList.OpenAIResponses.Name => Compatible | TargetFeatures.ReasoningEffort,
        _ => Compatible,
    };

    public static ProviderKind KindOf(string name) => name switch
    {
        ProviderKindName.OpenAI => ProviderKind.OpenAI,
        ProviderKindName.AzureOpenAI or ProviderKindName.AzureFoundry => ProviderKind.AzureOpenAI,
        ProviderKindName.AwsBedrock => ProviderKind.AwsBedrock,
        ProviderKindName.Anthropic => ProviderKind.Anthropic,
        ProviderKindName.Gemini => ProviderKind.Gemini,
        ProviderKindName.Vertex => ProviderKind.Vertex,
        ProviderKindName.Ollama => ProviderKind.Ollama,
        ProviderKindName.Cohere => ProviderKind.Cohere,
        _ => ProviderKind.OpenAICompatible,
    };
}
