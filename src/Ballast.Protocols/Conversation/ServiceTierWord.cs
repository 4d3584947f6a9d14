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

    /// <summary>The text at which the reader stands; anything else is standard.</summary>
    public static ServiceTier Read(in Utf8JsonReader json) =>
        json.TokenType == JsonTokenType.String && !json.HasValueSequence ? Read(json.ValueSpan) : ServiceTier.Standard;

    /// <summary>Most answers are standard, and need no copy.</summary>
    public static Usage At(this Usage usage, ServiceTier tier) => usage.ServiceTier == tier ? usage : usage with { ServiceTier = tier };
}
