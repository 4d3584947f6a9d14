using Ballast.Protocols;

namespace Ballast.Configuration;

/// <summary>The words for what an endpoint understands, and how <c>+word</c> and <c>-word</c> change a set of them.</summary>
public static class FeatureName
{
    private static readonly (string Name, TargetFeatures Feature)[] Table =
    [
        ("json_schema", TargetFeatures.JsonSchema),
        ("stream_usage", TargetFeatures.StreamUsage),
        ("max_completion_tokens", TargetFeatures.MaxCompletionTokens),
        ("developer_role", TargetFeatures.DeveloperRole),
        ("reasoning_effort", TargetFeatures.ReasoningEffort),
        ("reasoning_replay", TargetFeatures.ReasoningReplay),
        ("parallel_tool_calls", TargetFeatures.ParallelToolCalls),
        ("images", TargetFeatures.Images),
        ("files", TargetFeatures.Files),
        ("cache_control", TargetFeatures.CacheControl),
        ("adaptive_thinking", TargetFeatures.AdaptiveThinking),
        ("count_tokens", TargetFeatures.CountTokens),
        ("wrapped_count", TargetFeatures.WrappedCount),
        ("short_tool_ids", TargetFeatures.ShortToolIds),
        ("max_tokens_only", TargetFeatures.MaxTokensOnly),
        ("background", TargetFeatures.Background),
        ("compaction", TargetFeatures.Compaction),
        ("choices", TargetFeatures.Choices),
        ("custom_tools", TargetFeatures.CustomTools),
        ("thinking_switch", TargetFeatures.ThinkingSwitch),
    ];

    public static IReadOnlyList<string> All { get; } = [.. Table.Select(static row => row.Name)];

    /// <summary>The changes that add a set of features: <c>+name</c>, each.</summary>
    public static IEnumerable<string> Adding(TargetFeatures features) =>
        Table.Where(row => (features & row.Feature) != 0).Select(static row => $"+{row.Name}");

    /// <summary>True for <c>name</c>, <c>+name</c> and <c>-name</c> of a known feature.</summary>
    public static bool IsKnown(string change) => Find(change) != TargetFeatures.None;

    /// <summary>Applies changes in order; unknown ones change nothing (the loader has refused them).</summary>
    public static TargetFeatures Apply(TargetFeatures features, IEnumerable<string> changes)
    {
        foreach (string change in changes)
        {
            features = change.StartsWith('-') ? features & ~Find(change) : features | Find(change);
        }

        return features;
    }

    private static TargetFeatures Find(string change)
    {
        ReadOnlySpan<char> name = change.AsSpan().TrimStart("+-");
        foreach ((string known, TargetFeatures feature) in Table)
        {
            if (name.SequenceEqual(known))
            {
                return feature;
            }
        }

        return TargetFeatures.None;
    }
}
