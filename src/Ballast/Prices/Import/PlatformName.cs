namespace Ballast.Prices.Import;

/// <summary>Other projects' names of platforms, in Ballast's words. What is not here keeps its own name.</summary>
internal static class PlatformName
{
    private static readonly Dictionary<string, string> s_names = new(StringComparer.OrdinalIgnoreCase)
    {
        ["amazon-bedrock"] = "aws",
        ["bedrock"] = "aws",
        ["bedrock_converse"] = "aws",
        ["bedrock_mantle"] = "aws",
        ["azure-cognitive-services"] = "azure",
        ["azure_ai"] = "azure",
        ["azure_text"] = "azure",
        ["gemini"] = "google",
        ["google-vertex"] = "google",
        ["google-vertex-anthropic"] = "google",
        ["x-ai"] = "xai",
        ["togetherai"] = "together",
        ["together_ai"] = "together",
        ["fireworks-ai"] = "fireworks",
        ["fireworks_ai"] = "fireworks",
        ["cohere_chat"] = "cohere",
        ["text-completion-openai"] = "openai",
    };

    public static string Of(string name) =>
        s_names.GetValueOrDefault(name) ?? (name.StartsWith("vertex_ai", StringComparison.Ordinal) ? "google" : name);
}
