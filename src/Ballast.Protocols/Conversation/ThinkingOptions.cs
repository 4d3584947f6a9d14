namespace Ballast.Protocols.Conversation;

/// <summary>Whether the model is asked to reason before it answers.</summary>
public enum ThinkingMode
{
    Disabled,

    /// <summary>With the given budget or effort.</summary>
    Enabled,

    /// <summary>The model decides (Anthropic <c>adaptive</c>).</summary>
    Adaptive,
}

/// <summary>Reasoning asked for: as a budget in tokens (Anthropic) or as an effort word (OpenAI: none, minimal, low, medium, high, xhigh).</summary>
public sealed record ThinkingOptions(ThinkingMode Mode, string Pointer)
{
    public long? BudgetTokens { get; init; }
    public string? Effort { get; init; }

    /// <summary>Where the effort stood, if not at <see cref="Pointer"/>.</summary>
    public string? EffortPointer { get; init; }

    /// <summary>Unknown fields of the thinking object itself, such as Anthropic's <c>display</c>.</summary>
    public IReadOnlyList<Extra> Extras { get; init; } = [];

    /// <summary>Names the whole wish as lost, wherever its pieces stood.</summary>
    internal void Lose(LossReport losses, string reason)
    {
        losses.Add(Pointer, reason);
        if (EffortPointer is not null)
        {
            losses.Add(EffortPointer, reason);
        }
    }
}
