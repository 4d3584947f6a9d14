using System.Text.Json;

namespace Ballast.Protocols.Conversation;

/// <summary>The vendors' words for service tiers in answers: OpenAI's and Anthropic's <c>service_tier</c>, Bedrock's <c>serviceTier</c>, Vertex AI's <c>trafficType</c>.</summary>
internal static class ServiceTierWord
{
    /// <summary>What is not known is standard: so are <c>default</c>, <c>auto</c>, <c>scale</c> and capacity that was paid for ahead.</summary>
    public static ServiceTier Read(ReadOnlySpan<byte> word) =>
        word.EndsWith("priority"u8) || word.EndsWith("PRIORITY"u8) || word.SequenceEqual("fast"u8) ? ServiceTier.Priority
        : word.EndsWith("flex"u8) || word.EndsWith("FLEX"u8) ? ServiceTier.Flex
        : word.SequenceEqual("batch"u8) ? ServiceTier.Batch
        : ServiceTier.Standard;

    public const string Standard = "standard";
    public const string Priority = "priority";
    public const string Flex = "flex";
    public const string Batch = "batch";

    /// <summary>The word that all vendors' words for a tier can be told by; null where a word says something else (<c>scale</c>, capacity that was paid for ahead, <c>auto</c>).</summary>
    public static string? Common(ReadOnlySpan<byte> word) =>
        word.SequenceEqual("default"u8) || word.SequenceEqual("standard"u8) || word.SequenceEqual("STANDARD"u8) || word.SequenceEqual("on_demand"u8) || word.SequenceEqual("ON_DEMAND"u8) ? Standard
        : word.SequenceEqual("priority"u8) || word.SequenceEqual("PRIORITY"u8) || word.SequenceEqual("ON_DEMAND_PRIORITY"u8) ? Priority
        : word.SequenceEqual("flex"u8) || word.SequenceEqual("FLEX"u8) || word.SequenceEqual("ON_DEMAND_FLEX"u8) ? Flex
        : word.SequenceEqual("batch"u8) ? Batch
        : null;

    /// <summary>OpenAI's word; null where it has none.</summary>
    public static string? OfOpenAI(string common) => common switch { Standard => "default", Priority or Flex => common, _ => null };

    /// <summary>Anthropic's.</summary>
    public static string? OfAnthropic(string common) => common is Standard or Priority or Batch ? common : null;

    /// <summary>Google's.</summary>
    public static string? OfGoogle(string common) => common is Standard or Priority or Flex ? common : null;

    /// <summary>The text at which the reader stands; anything else is standard.</summary>
    public static ServiceTier Read(in Utf8JsonReader json) =>
        json.TokenType == JsonTokenType.String && !json.HasValueSequence ? Read(json.ValueSpan) : ServiceTier.Standard;

    /// <summary>Most answers are standard, and need no copy.</summary>
    public static Usage At(this Usage usage, ServiceTier tier) => usage.ServiceTier == tier ? usage : usage with { ServiceTier = tier };
}
