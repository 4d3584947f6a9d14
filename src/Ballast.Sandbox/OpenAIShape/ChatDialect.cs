using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>What differs between platforms that answer in the shape of Chat Completions.</summary>
internal sealed record ChatDialect(AnswerStyle Style)
{
    /// <summary>A stream carries each tool call in one chunk.</summary>
    public bool WholeToolCalls { get; init; }

    /// <summary>Reasoning that was asked for is shown as <c>reasoning_content</c>.</summary>
    public bool ShowsReasoning { get; init; }

    /// <summary>The field in which it shows.</summary>
    public string ReasoningField { get; init; } = "reasoning_content";

    /// <summary>Whether a tool is called is the model's choice, whatever the request says.</summary>
    public bool IgnoresToolChoice { get; init; }

    /// <summary>Azure's content filter results accompany prompt and answer.</summary>
    public bool FiltersContent { get; init; }

    /// <summary>Chunks carry random padding against reading their length.</summary>
    public bool Obfuscates { get; init; }

    public string? ServiceTier { get; init; }

    public string? Fingerprint { get; init; }

    /// <summary>Cached tokens of repeated prefixes are told and charged apart.</summary>
    public bool CachesPrefixes { get; init; }

    /// <summary>Some hosts number messages by UUID.</summary>
    public bool UuidMessageIds { get; init; }
}
