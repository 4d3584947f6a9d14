using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Anthropic;

/// <summary>A checked Messages request.</summary>
internal sealed record MessagesRequest
{
    public required Prompt Prompt { get; init; }

    /// <summary>Tools, system and messages in the order in which a prefix of them is cached.</summary>
    public required IReadOnlyList<InputBlock> Blocks { get; init; }
    public required long InputTokens { get; init; }
    public bool Stream { get; init; }

    /// <summary>Thinking happens and its text is withheld: only signatures are shown.</summary>
    public bool OmitsThinkingText { get; init; }
}

/// <summary>One piece of input; <see cref="CacheSeconds"/> is set where a cache breakpoint follows it.</summary>
internal sealed record InputBlock(string Text, long Tokens, int? CacheSeconds);
