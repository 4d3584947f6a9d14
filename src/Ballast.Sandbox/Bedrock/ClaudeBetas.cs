using System.Text.Json;

namespace Ballast.Sandbox.Bedrock;

/// <summary>The beta features of Claude that the runtime knows by name; one that it does not know makes it refuse the request.</summary>
internal static class ClaudeBetas
{
    private static readonly HashSet<string> s_known =
    [
        "computer-use-2024-10-22", "computer-use-2025-01-24", "computer-use-2025-11-24", "token-efficient-tools-2025-02-19", "output-128k-2025-02-19",
        "interleaved-thinking-2025-05-14", "dev-full-thinking-2025-05-14", "fine-grained-tool-streaming-2025-05-14", "context-1m-2025-08-07",
        "context-management-2025-06-27", "effort-2025-11-24", "tool-search-tool-2025-10-19", "tool-examples-2025-10-29",
    ];

    /// <summary>Checks <c>anthropic_beta</c> of a body or of the fields for the model.</summary>
    public static void Check(JsonElement owner)
    {
        foreach (JsonElement beta in ConverseFields.List(owner, "anthropic_beta")?.EnumerateArray() ?? default)
        {
            if (beta.ValueKind != JsonValueKind.String || !s_known.Contains(ConverseFields.TextOf(beta)))
            {
                throw BedrockErrors.Invalid("invalid beta flag");
            }
        }
    }
}
