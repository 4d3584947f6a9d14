using Ballast.Sandbox.Anthropic;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Google;

/// <summary>The header <c>anthropic-beta</c> as Vertex AI takes it: it is refused for a feature that it does not know, and for some that only the body may name.</summary>
internal static class ClaudeBetaHeader
{
    private static readonly HashSet<string> s_known =
    [
        "computer-use-2024-10-22", "computer-use-2025-01-24", "computer-use-2025-11-24", "token-efficient-tools-2025-02-19", "output-128k-2025-02-19",
        "interleaved-thinking-2025-05-14", "dev-full-thinking-2025-05-14", "fine-grained-tool-streaming-2025-05-14", "context-management-2025-06-27",
        "effort-2025-11-24", "tool-search-tool-2025-10-19", "tool-examples-2025-10-29", "web-search-2025-03-05", "compact-2026-01-12",
    ];

    // A count knows fewer.
    private static readonly HashSet<string> s_knownToCount = ["effort-2025-11-24"];

    public static void Check(HttpRequest request, bool isCount)
    {
        HashSet<string> known = isCount ? s_knownToCount : s_known;
        string[] unknown =
        [
            .. request.Headers["anthropic-beta"].SelectMany(static line => (line ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                .Where(name => !known.Contains(name)).Select(static name => $"`{name}`"),
        ];
        if (unknown.Length > 0)
        {
            throw MessagesErrors.Invalid(
                $"Unexpected value(s) {string.Join(", ", unknown)} for the `anthropic-beta` header. Please consult our documentation at platform.claude.com/docs or try again without the header.");
        }
    }
}
