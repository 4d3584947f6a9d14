using System.Collections.Frozen;

namespace Ballast.Catalog;

/// <summary>
/// Which beta features of its protocol an endpoint is taken to understand unless the configuration says otherwise. A cloud refuses a whole request for one name that it does
/// not know, so that only those pass which clouds document.
/// </summary>
internal static class BetaDefaults
{
    private static readonly FrozenSet<string> OnClouds = new[]
    {
        "computer-use-2024-10-22", "computer-use-2025-01-24", "computer-use-2025-11-24", "token-efficient-tools-2025-02-19", "output-128k-2025-02-19",
        "interleaved-thinking-2025-05-14", "dev-full-thinking-2025-05-14", "fine-grained-tool-streaming-2025-05-14", "context-1m-2025-08-07",
        "context-management-2025-06-27", "effort-2025-11-24", "tool-search-tool-2025-10-19", "tool-examples-2025-10-29",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Null lets all pass: the protocol's own vendor knows them all, other kinds know none and are never asked.</summary>
    public static IReadOnlySet<string>? Of(ProviderKind kind, string platform) =>
        kind is ProviderKind.AzureOpenAI or ProviderKind.Vertex or ProviderKind.AwsBedrock || (kind == ProviderKind.Anthropic && platform is "aws" or "google" or "azure")
            ? OnClouds : null;
}
