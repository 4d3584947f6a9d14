using System.Text.Json;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Anthropic;

/// <summary>Reads <c>thinking</c> and checks what cannot stand beside it.</summary>
internal readonly record struct MessagesThinking(bool IsOn, bool IsAdaptive, long Budget, bool OmitsText)
{
    private const long LeastBudget = 1024;
    private const string Docs = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking";

    public static MessagesThinking Read(JsonElement body, long maxTokens)
    {
        if (MessagesFields.Object(body, "thinking", "thinking") is not { } thinking)
        {
            return default;
        }

        string type = MessagesFields.RequiredText(thinking, "type", "thinking.type");
        bool omits = MessagesFields.Text(thinking, "display", $"thinking.{type}.display") == "omitted";
        switch (type)
        {
            case "disabled":
                return default;
            case "adaptive":
                return new MessagesThinking(true, true, Math.Max(1, maxTokens / 2), omits);
            case "enabled":
                long budget = MessagesFields.Integer(thinking, "budget_tokens", "thinking.enabled.budget_tokens", LeastBudget)
                    ?? throw MessagesErrors.Missing("thinking.enabled.budget_tokens");
                return budget < maxTokens
                    ? new MessagesThinking(true, false, budget, omits)
                    : throw MessagesErrors.Invalid(
                        "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "
                        + $"{Docs}#max-tokens-and-context-window-size");
            default:
                throw MessagesErrors.Invalid(
                    "thinking",
                    $"Input tag '{type}' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'");
        }
    }

    public void Check(JsonElement body, ToolUse use, string? namedTool)
    {
        if (!IsOn)
        {
            return;
        }

        if (use is ToolUse.Any or ToolUse.Named || namedTool is not null)
        {
            throw MessagesErrors.Invalid("Thinking may not be enabled when tool_choice forces tool use.");
        }

        if (MessagesFields.Decimal(body, "temperature", 0, 1) is { } temperature && temperature != 1)
        {
            throw MessagesErrors.Invalid(
                $"`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at {Docs}"
                + "#important-considerations-when-using-extended-thinking");
        }
    }

    /// <summary>A turn that called tools must come back with its thinking first.</summary>
    public void CheckReplay(IReadOnlyList<MessageBlocks> messages)
    {
        if (!IsOn || IsAdaptive)
        {
            return;
        }

        for (int i = messages.Count - 1; i >= 0; i--)
        {
            MessageBlocks message = messages[i];
            bool isUsersWord = message.Role == "user" && !message.Types.Contains("tool_result");
            if (isUsersWord)
            {
                return;
            }

            if (message.Role == "assistant")
            {
                string first = message.Types.FirstOrDefault("text");
                if (first is not ("thinking" or "redacted_thinking") && (message.Types.Contains("tool_use") || i == messages.Count - 1))
                {
                    throw ThinkingMissing(message.Index, first);
                }

                return;
            }
        }
    }

    private static Server.VendorErrorException ThinkingMissing(int index, string first) => MessagesErrors.Invalid(
        $"messages.{index}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`. When `thinking` is enabled, "
        + "a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` "
        + "blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable `thinking`. "
        + $"Please consult our documentation at {Docs}");
}
