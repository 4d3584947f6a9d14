using Ballast.Protocols;

namespace Ballast.Catalog;

/// <summary>Which protocols an endpoint is taken to speak unless the configuration says otherwise, the preferred one first; the table is in <c>docs/providers.md</c>.</summary>
internal static class ProtocolDefaults
{
    /// <summary>The first of Azure's dated interfaces that has the Responses API.</summary>
    private const string ResponsesSince = "2025-03-01-preview";

    private static readonly Protocol[] s_chat = [ProtocolList.OpenAIChat];
    private static readonly Protocol[] s_openAI = [ProtocolList.OpenAIChat, ProtocolList.OpenAIResponses];
    private static readonly Protocol[] s_messages = [ProtocolList.AnthropicMessages];
    private static readonly Protocol[] s_gemini = [ProtocolList.Gemini];

    private static readonly Protocol[] s_converse = [ProtocolList.BedrockConverse];

    /// <summary>InvokeModel takes the vendor's own bodies, so that nothing of them is lost.</summary>
    private static readonly Protocol[] s_bedrockClaude = [ProtocolList.BedrockInvoke, ProtocolList.BedrockConverse];

    /// <summary>Its own chat says more of reasoning and of the model's options; a caller of Chat Completions is passed on all the same.</summary>
    private static readonly Protocol[] s_ollama = [ProtocolList.OllamaChat, ProtocolList.OpenAIChat];
    private static readonly Protocol[] s_cohere = [ProtocolList.CohereChat];

    /// <summary>What servers of OpenAI's shape have beside chat.</summary>
    private static readonly Protocol[] s_openAIOperations = [ProtocolList.OpenAIEmbeddings, ProtocolList.Opaque];

    private static readonly Protocol[] s_cohereOperations = [ProtocolList.CohereEmbeddings, ProtocolList.Opaque];

    private static readonly Protocol[] s_geminiEmbeddings = [ProtocolList.GeminiEmbeddings, ProtocolList.GeminiEmbedding];

    /// <summary>Those of chat.</summary>
    public static IReadOnlyList<Protocol> Of(ProviderKind kind, string vendor) => kind switch
    {
        ProviderKind.Anthropic => s_messages,
        ProviderKind.Gemini => s_gemini,
        ProviderKind.Vertex => vendor switch { "google" => s_gemini, "anthropic" => s_messages, _ => s_chat },
        ProviderKind.AzureOpenAI when vendor == "anthropic" => s_messages,
        ProviderKind.AwsBedrock when vendor == "anthropic" => s_bedrockClaude,
        ProviderKind.AwsBedrock when vendor != "openai" => s_converse,
        ProviderKind.Ollama => s_ollama,
        ProviderKind.Cohere => s_cohere,

        // Others' models in Azure, and servers that only speak OpenAI's protocol, have the Responses API where it is written that they do.
        ProviderKind.OpenAI or ProviderKind.AzureOpenAI when vendor == "openai" => s_openAI,
        _ => s_chat,
    };

    /// <summary>Those of everything else; a list that is written for chat leaves them standing.</summary>
    private static Protocol[] OperationsOf(ProviderKind kind, string vendor, string model) => kind switch
    {
        ProviderKind.OpenAI or ProviderKind.AzureOpenAI or ProviderKind.OpenAICompatible or ProviderKind.Ollama => s_openAIOperations,
        ProviderKind.Cohere => s_cohereOperations,
        ProviderKind.Gemini => s_geminiEmbeddings,

        // Vertex AI serves the first generation of embeddings as it serves any model, and all later ones as the Gemini API does, one text at a time.
        ProviderKind.Vertex when vendor == "google" => [IsFirstEmbedding(model) ? ProtocolList.VertexEmbeddings : ProtocolList.GeminiEmbedding],
        _ => [],
    };

    private static bool IsFirstEmbedding(string model) =>
        model.StartsWith("text-", StringComparison.Ordinal) || model.StartsWith("gemini-embedding-001", StringComparison.Ordinal)
        || model.StartsWith("textembedding-", StringComparison.Ordinal);

    /// <summary>Those that a Bedrock provider's <c>api</c> names; none where the vendor decides.</summary>
    public static IReadOnlyList<Protocol> OfApi(string? api) => api switch
    {
        "converse" => s_converse,
        "invoke" => [ProtocolList.BedrockInvoke],
        "mantle" or "runtime" => s_chat,
        _ => [],
    };

    /// <summary>Those written for a deployment, else those of its provider, else the kind's own.</summary>
    public static IReadOnlyList<Protocol> Choose(Provider provider, string vendor, string model, IReadOnlyList<Protocol> written)
    {
        bool isOld = provider.ApiVersion is { } version && string.CompareOrdinal(version, ResponsesSince) < 0;
        IReadOnlyList<Protocol> chosen = written.Count > 0 ? written : provider.Protocols.Count > 0 ? provider.Protocols
            : isOld && provider.Kind == ProviderKind.AzureOpenAI && vendor == "openai" ? s_chat
            : Of(provider.Kind, vendor);
        return [.. chosen, .. OperationsOf(provider.Kind, vendor, model).Except(chosen)];
    }

    /// <summary>The protocols of these names, which validation has checked.</summary>
    public static IReadOnlyList<Protocol> Named(IReadOnlyList<string> names) =>
        names.Count == 0
            ? []
            : [.. names.Select(static name => ProtocolList.Find(name) ?? throw new InvalidOperationException($"Protocol '{name}' is not in the list."))];
}
