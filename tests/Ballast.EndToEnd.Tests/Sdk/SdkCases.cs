namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>The cases that each script under <c>node/</c> knows.</summary>
internal static class SdkCases
{
    public static readonly string[] OpenAI =
    [
        "text", "developer", "stream", "stream_without_usage", "stream_helper", "tools", "tool_choice", "custom_tool", "parallel_tools", "structured",
        "structured_stream", "image", "image_url", "pdf", "thinking", "thinking_tools", "max_tokens", "max_tokens_stream", "stop", "abort", "unknown_model", "wrong_key",
        "wrong_types", "wrong_types_stream", "unknown_path", "models", "error_kinds",
    ];

    public static readonly string[] Anthropic =
    [
        "text", "turns", "stream", "stream_helper", "tools", "tool_choice", "parallel_tools", "structured", "image", "image_url", "pdf", "thinking",
        "thinking_tools", "thinking_tampered", "max_tokens", "max_tokens_stream", "stop", "cache_control", "abort", "count_tokens",
        "unknown_model", "wrong_key", "wrong_types", "wrong_types_stream", "unknown_path", "models", "error_kinds",
    ];

    /// <summary>What Anthropic's clients for the clouds are asked for: they know no list of models.</summary>
    public static readonly string[] ClaudeInClouds =
    [
        "text", "turns", "stream", "stream_helper", "tools", "tool_choice", "parallel_tools", "structured", "image", "pdf", "thinking", "thinking_tools", "max_tokens",
        "max_tokens_stream", "stop", "count_tokens", "abort", "error_kinds",
    ];

    public static readonly string[] Vercel =
    [
        "text", "stream", "tools", "parallel_tools", "structured", "image", "pdf", "thinking", "thinking_tools", "max_tokens", "abort", "unknown_model", "wrong_key",
        "wrong_types", "stream_error", "error_kinds",
    ];

    /// <summary>Cases that end in an error whose id the gateway must know.</summary>
    public static readonly string[] Refused = ["unknown_model", "wrong_key", "wrong_types", "wrong_types_stream", "unknown_path", "oversize", "thinking_tampered"];

    /// <summary>
    /// Of some cases, those that a platform can do at all. Ollama forces no call of a tool and fetches no picture; Converse takes no picture by its address, and its Llama does
    /// not think aloud. A route has no errors of its own: they are those of its deployments.
    /// </summary>
    public static string[] That(IEnumerable<string> cases, string target) =>
    [
        .. cases.Where(name => (!target.StartsWith("ollama", StringComparison.Ordinal) || name is not ("tool_choice" or "image_url"))
            && (target != "assistant" || name != "error_kinds")
            && (!target.StartsWith("bedrock-converse/", StringComparison.Ordinal) || (name != "image_url" && (name != "thinking" || Issues(target))))),
    ];

    public static string[] OpenAIAtGateway(string target) => That([.. OpenAI, .. OnlyAtGateway, "stored", .. OnlyAtGoogle(target)], target);

    // Vercel's SDK asks by Messages for an answer of a schema in the form of a call that must come.
    public static string[] VercelAtGateway(string protocol, string target) => That(
    [
        .. Vercel.Where(name => name != "structured" || protocol != "anthropic" || !target.StartsWith("ollama", StringComparison.Ordinal)),
        .. protocol == "responses" ? (string[])["state"] : [],
    ], target);

    // A prompt cache answers the marks of its vendor alone, and only where the same vendor answers twice.
    public static string[] AnthropicAtGateway(string target) => That(
    [
        .. Anthropic.Where(name => Issues(target) || name is not ("thinking_tampered" or "cache_control")), .. OnlyAtGateway, "no_max_tokens", "tool_runner", "message_thread",
        .. OnlyAtGoogle(target),
    ], target);

    private static readonly string[] OnlyAtGateway = ["switch_vendor", "switch_from_google", "rate_limits", "oversize"];

    /// <summary>Only Gemini of the third generation demands what it signed.</summary>
    public static string[] OnlyAtGoogle(string target) => target.EndsWith("/gemini-3.5-flash", StringComparison.Ordinal) ? ["signed_calls"] : [];

    private static bool Issues(string target) => target.EndsWith("/claude-haiku-4-5", StringComparison.Ordinal);
}
