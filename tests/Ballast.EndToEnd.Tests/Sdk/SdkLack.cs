namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>What platforms and models of the gateway cannot do, whatever SDK asks: the request is refused, or goes on without it, which is then told.</summary>
internal static class SdkLack
{
    /// <summary>It takes no documents.</summary>
    public const string Documents = "documents";

    /// <summary>It cannot be asked to reason.</summary>
    public const string Reasoning = "reasoning";

    /// <summary>It can be asked to reason in its own protocol's words, and nobody knows whether it understands them.</summary>
    public const string ForeignReasoning = "foreign reasoning";

    public static string[] Of(string model) => model switch
    {
        "bedrock-converse/llama-4-maverick" => [Reasoning],
        "local/llama-4-scout" or "local" => [Documents, ForeignReasoning],
        "ollama/qwen3" or "cohere/command-a" => [Documents],
        _ => [],
    };
}
