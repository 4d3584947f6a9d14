using Ballast.Configuration;
using Ballast.Protocols;

namespace Ballast.Catalog;

/// <summary>What an endpoint is taken to understand unless the configuration says otherwise; the table is in <c>docs/providers.md</c>.</summary>
internal static class FeatureDefaults
{
    private const TargetFeatures OpenAI =
        TargetFeatures.JsonSchema | TargetFeatures.StreamUsage | TargetFeatures.MaxCompletionTokens | TargetFeatures.DeveloperRole
        | TargetFeatures.ReasoningEffort | TargetFeatures.ParallelToolCalls | TargetFeatures.Images | TargetFeatures.Files;

    private const TargetFeatures Bedrock = TargetFeatures.Images | TargetFeatures.Files;

    private const TargetFeatures Compatible = TargetFeatures.StreamUsage | TargetFeatures.JsonSchema | TargetFeatures.Images;

    private const TargetFeatures Anthropic =
        TargetFeatures.JsonSchema | TargetFeatures.Images | TargetFeatures.Files | TargetFeatures.CacheControl | TargetFeatures.CountTokens;

    private const TargetFeatures Gemini =
        TargetFeatures.JsonSchema | TargetFeatures.Images | TargetFeatures.Files | TargetFeatures.ReasoningEffort | TargetFeatures.ReasoningReplay
        | TargetFeatures.CountTokens | TargetFeatures.WrappedCount;

    private const TargetFeatures Cohere = TargetFeatures.JsonSchema | TargetFeatures.Images;

    /// <param name="kind">How the provider is addressed.</param>
    /// <param name="vendor">Who makes the model.</param>
    /// <param name="protocol">The one in which it is asked first.</param>
    public static TargetFeatures Of(ProviderKind kind, string vendor, Protocol protocol) => kind switch
    {
        // Whether a model takes schemas, documents or cache marks depends on the model; where it cannot, it says so.
        ProviderKind.AwsBedrock when protocol.Framing == StreamFraming.EventStream => vendor is "anthropic" or "amazon" ? Bedrock | TargetFeatures.CacheControl : Bedrock,
        ProviderKind.Anthropic => Anthropic,
        ProviderKind.Gemini => Gemini,
        ProviderKind.Vertex when vendor == "google" => Gemini & ~TargetFeatures.WrappedCount,
        ProviderKind.Vertex when vendor == "anthropic" => Anthropic,
        ProviderKind.AzureOpenAI when vendor == "anthropic" => Anthropic,
        ProviderKind.OpenAI => OpenAI | TargetFeatures.CountTokens,
        ProviderKind.Cohere => Cohere,

        // Azure and Bedrock serve others' models too; those speak the plain protocol without OpenAI's later fields.
        ProviderKind.AzureOpenAI or ProviderKind.AwsBedrock when vendor == "openai" => OpenAI,
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
