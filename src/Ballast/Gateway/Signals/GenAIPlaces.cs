using System.Runtime.CompilerServices;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Telemetry;

namespace Ballast.Gateway.Signals;

/// <summary>What OpenTelemetry's conventions call what Ballast has names of its own for.</summary>
internal static class GenAIPlaces
{
    private static readonly ConditionalWeakTable<Deployment, GenAIPlace> s_places = [];

    /// <summary>Made once for each deployment.</summary>
    public static GenAIPlace Of(Deployment deployment) =>
        s_places.GetValue(deployment, static one =>
            new GenAIPlace(one.Name, ProviderOf(one), one.SentModel, one.Provider.BaseAddress.IdnHost, one.Provider.BaseAddress.Port));

    /// <summary><c>gen_ai.operation.name</c>.</summary>
    public static string OperationOf(Operation operation) => operation == Operation.Completions ? "text_completion" : OperationName.Of(operation);

    /// <summary><c>gen_ai.provider.name</c>.</summary>
    private static string ProviderOf(Deployment deployment) => deployment.Provider.Kind switch
    {
        ProviderKind.OpenAI => "openai",
        ProviderKind.AzureOpenAI => deployment.Vendor == "openai" ? "azure.ai.openai" : "azure.ai.inference",
        ProviderKind.AwsBedrock => "aws.bedrock",
        ProviderKind.Anthropic => "anthropic",
        ProviderKind.Gemini => "gcp.gemini",
        ProviderKind.Vertex => "gcp.vertex_ai",
        ProviderKind.Cohere => "cohere",
        _ => deployment.Platform switch
        {
            "mistral" => "mistral_ai",
            "xai" => "x_ai",
            "moonshot" => "moonshot_ai",
            var platform => platform,
        },
    };
}
