using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>A checked Chat Completions request.</summary>
internal sealed record ChatRequest
{
    public required Prompt Prompt { get; init; }

    /// <summary>Everything that is input, in order, for counting tokens and for the prefix cache.</summary>
    public required string InputText { get; init; }
    public required long InputTokens { get; init; }
    public bool Stream { get; init; }
    public bool IncludeUsage { get; init; }
    public int Choices { get; init; } = 1;
    public bool Logprobs { get; init; }
    public int TopLogprobs { get; init; }

    /// <summary>Tools were declared as <c>functions</c>, the form before <c>tools</c>.</summary>
    public bool LegacyFunctions { get; init; }

    /// <summary>Reasoning that is counted and not shown.</summary>
    public long ReasoningTokens { get; init; }
}
