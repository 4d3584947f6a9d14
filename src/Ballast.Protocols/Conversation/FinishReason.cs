namespace Ballast.Protocols.Conversation;

/// <summary>Why the model stopped: an open set, so that a vendor's new reason survives (as in Microsoft.Extensions.AI).</summary>
public readonly record struct FinishReason(string Value)
{
    public static FinishReason Stop { get; } = new("stop");
    public static FinishReason Length { get; } = new("length");
    public static FinishReason ToolCalls { get; } = new("tool_calls");

    /// <summary>The platform's filter cut the answer off.</summary>
    public static FinishReason ContentFilter { get; } = new("content_filter");

    /// <summary>The model itself declined (Anthropic <c>refusal</c>).</summary>
    public static FinishReason Refusal { get; } = new("refusal");

    /// <summary>The vendor paused a long turn; sending the answer back resumes it (Anthropic <c>pause_turn</c>).</summary>
    public static FinishReason Pause { get; } = new("pause");

    /// <summary>The context window is full (Anthropic <c>model_context_window_exceeded</c>).</summary>
    public static FinishReason ContextWindow { get; } = new("context_window");

    public override string ToString() => Value;
}
