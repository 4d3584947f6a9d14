using Ballast.Configuration;
using Ballast.Protocols;

namespace Ballast.Catalog;

/// <summary>What an endpoint is taken to understand unless the configuration says otherwise; the table is in <c>docs/providers.md</c>.</summary>
internal static class FeatureDefaults
{
    private const TargetFeatures OpenAI =
        TargetFeatures.JsonSchema | TargetFeatures.StreamUsage | TargetFeatures.MaxCompletionTokens | TargetFeatures.DeveloperRole
        | TargetFeatures.ReasoningEffort | TargetFeatures.ParallelToolCalls | TargetFeatures.Images | TargetFeatures.Files;

    private const TargetFeatures Compatible = TargetFeatures.StreamUsage | TargetFeatures.JsonSchema | TargetFeatures.Images;

    private const TargetFeatures Anthropic =
        TargetFeatures.JsonSchema | TargetFeatures.Images | TargetFeatures.Files | TargetFeatures.CacheControl | TargetFeatures.CountTokens;

    private const TargetFeatures Gemini =
        TargetFeatures.JsonSchema | TargetFeatures.Images | TargetFeatures.Files | TargetFeatures.ReasoningEffort | TargetFeatures.ReasoningReplay
        | TargetFeatures.CountTokens | TargetFeatures.WrappedCount;

    public static TargetFeatures Of(ProviderKind kind, string vendor) => kind switch
    {
        ProviderKind.Anthropic => Anthropic,
        ProviderKind.Gemini => Gemini,
        ProviderKind.Vertex when vendor == "google" => Gemini & ~TargetFeatures.WrappedCount,
        ProviderKind.Vertex when vendor == "anthropic" => Anthropic,
        ProviderKind.AzureOpenAI when vendor == "anthropic" => Anthropic,
        ProviderKind.OpenAI => OpenAI,

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
        _ => ProviderKind.OpenAICompatible,
    };
}
