namespace Ballast.Guards.Redaction;

/// <summary>What a string of a body is, judged by the names above it, which are the vendors' own: no protocol is asked.</summary>
internal static class JsonPlace
{
    /// <summary>Below these an application's own JSON begins, whose names mean what it wants: arguments and results of tools, and schemas.</summary>
    private static readonly HashSet<string> s_free = new(StringComparer.Ordinal)
    {
        "args", "arguments", "parameters", "input_schema", "inputSchema", "json", "schema", "response", "responseSchema", "response_schema", "responseJsonSchema", "parametersJsonSchema", "output",
        "metadata", "parameter_definitions", "tool_plan_input",
    };

    /// <summary>Bytes written as text, and what only its issuer reads: neither has words in it, and a change would break it.</summary>
    private static readonly HashSet<string> s_opaque = new(StringComparer.Ordinal)
    {
        "bytes", "b64_json", "signature", "thoughtSignature", "thought_signature", "encrypted_content", "redactedContent", "file_data", "encrypted_index", "embedding",
    };

    /// <summary>What cannot be searched: pictures, sounds, documents, and names of such things that lie elsewhere.</summary>
    private static readonly HashSet<string> s_unreadable = new(StringComparer.Ordinal)
    {
        "image_url", "video_url", "input_audio", "file_data", "file_id", "file_url", "fileData", "file_uri", "fileUri", "inline_data", "inlineData", "s3Location", "images", "bytes", "cachedContent", "image",
    };

    private static readonly HashSet<string> s_holders = new(StringComparer.Ordinal) { "source", "inline_data", "inlineData", "input_audio" };

    /// <summary>What a model writes, in answers.</summary>
    private static readonly HashSet<string> s_written = new(StringComparer.Ordinal) { "content", "text", "arguments", "refusal", "input", "args", "output_text", "delta", "transcript" };

    /// <summary>What a model thought: put back only, since it may be signed.</summary>
    private static readonly HashSet<string> s_thought = new(StringComparer.Ordinal) { "thinking", "reasoning", "reasoning_content", "reasoningText", "reasoningContent", "summary" };

    public static bool IsFree(string name, bool isObject) => s_free.Contains(name) || (name == "input" && isObject);

    public static bool IsOpaque(string name) => s_opaque.Contains(name);

    public static bool IsUnreadable(string name) => s_unreadable.Contains(name);

    public static bool IsHolder(string name) => s_holders.Contains(name);

    /// <summary>How likely each token was, told beside the text: the text once more, in pieces.</summary>
    public static bool IsTokens(string name) => name is "logprobs" or "logprobsResult";

    public static bool IsWritten(string name) => s_written.Contains(name);

    public static bool IsThought(string name) => s_thought.Contains(name);

    /// <summary>Bytes in base64: long, and of its alphabet alone.</summary>
    public static bool IsBytes(ReadOnlySpan<byte> text) =>
        text.StartsWith("data:"u8) || (text.Length >= 64 && text.IndexOfAnyExcept(s_base64) < 0);

    private static readonly System.Buffers.SearchValues<byte> s_base64 =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\\\r\n"u8);
}
