using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Anthropic;

/// <summary>One message as read: the types of its blocks in order, and what they hold.</summary>
internal sealed class MessageBlocks(string role, int index)
{
    public string Role => role;

    /// <summary>Where the message stands in the request.</summary>
    public int Index => index;

    public List<string> Types { get; } = [];

    public List<string> Texts { get; } = [];

    public List<PromptImage> Images { get; } = [];

    public List<ToolCall> Calls { get; } = [];

    public List<ToolResult> Results { get; } = [];
}
