using System.Text.Json;

namespace Ballast.Sandbox.Generation;

/// <summary>A request as the author of answers sees it, whatever protocol it came in.</summary>
internal sealed record Prompt
{
    public required string Platform { get; init; }
    public required string Model { get; init; }
    public required IReadOnlyList<Turn> Turns { get; init; }
    public string System { get; init; } = "";
    public IReadOnlyList<ToolSpec> Tools { get; init; } = [];
    public ToolUse ToolUse { get; init; } = ToolUse.Auto;

    /// <summary>Set where <see cref="ToolUse"/> is <see cref="ToolUse.Named"/>.</summary>
    public string? NamedTool { get; init; }
    public bool ParallelCalls { get; init; } = true;

    /// <summary>The answer's text must be JSON, valid against <see cref="AnswerSchema"/> where there is one.</summary>
    public bool AnswerIsJson { get; init; }
    public JsonElement? AnswerSchema { get; init; }
    public long? MaxTokens { get; init; }
    public IReadOnlyList<string> Stops { get; init; } = [];

    /// <summary>How many tokens the model may think, 0 for not at all.</summary>
    public long ThinkingTokens { get; init; }

    /// <summary>Everything that can change the answer, as one text.</summary>
    public required string Fingerprint { get; init; }

    public Turn? LastUserTurn => Turns.LastOrDefault(turn => turn.Role == TurnRole.User && (turn.Text.Length > 0 || turn.Images.Count > 0));

    public string LastUserText => LastUserTurn?.Text ?? "";

    /// <summary>The tool results that no later text of the user has followed.</summary>
    public IReadOnlyList<ToolResult> FreshResults
    {
        get
        {
            List<ToolResult> results = [];
            for (int i = Turns.Count - 1; i >= 0; i--)
            {
                Turn turn = Turns[i];
                if (turn.Results.Count == 0 && turn.Role == TurnRole.User)
                {
                    break;
                }

                results.InsertRange(0, turn.Results);
            }

            return results;
        }
    }
}

/// <summary>Whose turn.</summary>
internal enum TurnRole
{
    User,
    Assistant,
    Tool,
}

/// <summary>When the model is to call tools.</summary>
internal enum ToolUse
{
    Never,
    Auto,
    Any,
    Named,
}

/// <summary>One message.</summary>
internal sealed record Turn(TurnRole Role, string Text)
{
    public IReadOnlyList<PromptImage> Images { get; init; } = [];
    public IReadOnlyList<ToolResult> Results { get; init; } = [];
    public IReadOnlyList<ToolCall> Calls { get; init; } = [];
}

/// <summary>A tool that the request declares; <see cref="Parameters"/> is a JSON schema.</summary>
internal sealed record ToolSpec(string Name, string Description, JsonElement? Parameters, bool FreeText = false)
{
    /// <summary>The regular expression that a free text must match; null for any text.</summary>
    public string? Pattern { get; init; }

    /// <summary>The group that it was declared in; null where it stands alone.</summary>
    public string? Group { get; init; }
}

/// <summary>A call of a tool; <see cref="Arguments"/> is JSON text (or free text for a tool without a schema).</summary>
internal sealed record ToolCall(string Id, string Name, string Arguments, bool FreeText = false)
{
    /// <summary>The group that the tool was declared in; null where it stands alone.</summary>
    public string? Group { get; init; }
}

/// <summary>What a tool gave back.</summary>
internal sealed record ToolResult(string CallId, string ToolName, string Text);
