namespace Ballast.Configuration;

/// <summary>A provider that is known by the environment variable its own SDK reads.</summary>
/// <param name="Name">Provider name in <c>provider/model</c>.</param>
/// <param name="Kind">One of <see cref="ProviderKindName.All"/>.</param>
/// <param name="Platform">Who operates it.</param>
/// <param name="KeyVariable">Holds the API key; null where none is needed.</param>
/// <param name="AddressVariable">Holds another address; null where there is none.</param>
/// <param name="Address">The address used without that variable; null where the kind has its own, or where the variable is required.</param>
/// <param name="RegionVariable">Holds the region; null where there is none.</param>
/// <param name="Vendor">Who makes its models, or <c>by-name</c>.</param>
/// <param name="Models">Models listed; every other name is accepted as well.</param>
public sealed record WellKnownProvider(
    string Name, string Kind, string Platform, string? KeyVariable, string? AddressVariable, string? Address, string? RegionVariable, string Vendor,
    IReadOnlyList<WellKnownModel> Models);

/// <summary>A model known at a provider; its price is the price book's.</summary>
public sealed record WellKnownModel(string Name, bool Embedding = false);

/// <summary>What <c>ballast serve</c> can use without a configuration file: one row a provider. Adding one is adding a row.</summary>
public static class WellKnownProviders
{
    private const string ByName = VendorName.ByName;
    private const string Compatible = ProviderKindName.OpenAICompatible;

    public static IReadOnlyList<WellKnownProvider> All { get; } =
    [
        new("openai", ProviderKindName.OpenAI, "openai", "OPENAI_API_KEY", "OPENAI_BASE_URL", null, null, "openai",
        [
            new("gpt-5-mini"),
            new("gpt-5"),
            new("gpt-4.1-mini"),
            new("gpt-4o-mini"),
            new("text-embedding-3-small", Embedding: true),
        ]),
        new("azure", ProviderKindName.AzureOpenAI, "azure", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", null, null, ByName, []),
        new("anthropic", ProviderKindName.Anthropic, "anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", null, null, "anthropic",
        [
            new("claude-sonnet-4-5"),
            new("claude-haiku-4-5"),
        ]),
        new("bedrock", ProviderKindName.AwsBedrock, "aws", "AWS_BEARER_TOKEN_BEDROCK", null, null, "AWS_REGION", ByName, []),
        new("gemini", ProviderKindName.Gemini, "google", "GEMINI_API_KEY", null, null, null, "google", []),
        new("groq", Compatible, "groq", "GROQ_API_KEY", null, "https://api.groq.com/openai/v1", null, ByName,
            [new("llama-3.3-70b-versatile")]),
        new("mistral", Compatible, "mistral", "MISTRAL_API_KEY", null, "https://api.mistral.ai/v1", null, "mistral", []),
        new("deepseek", Compatible, "deepseek", "DEEPSEEK_API_KEY", null, "https://api.deepseek.com/v1", null, "deepseek", []),
        new("xai", Compatible, "xai", "XAI_API_KEY", null, "https://api.x.ai/v1", null, "xai", []),
        new("together", Compatible, "together", "TOGETHER_API_KEY", null, "https://api.together.xyz/v1", null, ByName, []),
        new("openrouter", Compatible, "openrouter", "OPENROUTER_API_KEY", null, "https://openrouter.ai/api/v1", null, ByName, []),
        new("cohere", ProviderKindName.Cohere, "cohere", "CO_API_KEY", null, null, null, "cohere", []),
        new("ollama", ProviderKindName.Ollama, "local", null, "OLLAMA_HOST", null, null, ByName, []),
    ];
}
