namespace Ballast.Configuration;

/// <summary>The words for provider kinds in a configuration.</summary>
public static class ProviderKindName
{
    public const string OpenAI = "openai";
    public const string AzureOpenAI = "azure-openai";
    /// <summary>A resource of Azure AI Foundry: OpenAI's models as at <see cref="AzureOpenAI"/>, Claude models beside them.</summary>
    public const string AzureFoundry = "azure-foundry";
    public const string AwsBedrock = "aws-bedrock";
    public const string Anthropic = "anthropic";
    public const string Gemini = "gemini";
    public const string Vertex = "vertex";
    public const string OpenAICompatible = "openai-compatible";
    public const string Ollama = "ollama";
    public const string Cohere = "cohere";

    public static IReadOnlyList<string> All { get; } = [OpenAI, AzureOpenAI, AzureFoundry, AwsBedrock, Anthropic, Gemini, Vertex, OpenAICompatible, Ollama, Cohere];

    /// <summary>Both are one API: keys, tokens of Entra ID and paths are the same.</summary>
    public static bool IsAzure(string? kind) => kind is AzureOpenAI or AzureFoundry;

    /// <summary>The address used when none is written; null where there is none to assume.</summary>
    public static Uri? DefaultBaseUrl(string kind, string? region, string? api) => (kind, api) switch
    {
        (OpenAI, _) => new Uri("https://api.openai.com"),
        (Anthropic, _) => new Uri("https://api.anthropic.com"),
        (Gemini, _) => new Uri("https://generativelanguage.googleapis.com"),
        (Vertex, _) when region == "global" => new Uri("https://aiplatform.googleapis.com"),
        (Vertex, _) when region is "us" or "eu" => new Uri($"https://aiplatform.{region}.rep.googleapis.com"),
        (Vertex, _) when region is not null => new Uri($"https://{region}-aiplatform.googleapis.com"),
        (Ollama, _) => new Uri("http://127.0.0.1:11434"),
        (Cohere, _) => new Uri("https://api.cohere.com"),
        (AwsBedrock, "runtime") when region is not null => new Uri($"https://bedrock-runtime.{region}.amazonaws.com/openai"),
        (AwsBedrock, "converse" or "invoke") when region is not null => new Uri($"https://bedrock-runtime.{region}.amazonaws.com"),
        (AwsBedrock, _) when region is not null => new Uri($"https://bedrock-mantle.{region}.api.aws"),
        _ => null,
    };
}
