namespace Ballast.Protocols.Conversation;

/// <summary>What a vendor's rate-limit headers say of one dimension; null where it does not say. <see cref="Reset"/> is the time until full again.</summary>
public readonly record struct RateLimit(long? Limit, long? Remaining, TimeSpan? Reset)
{
    public bool IsEmpty => Limit is null && Remaining is null && Reset is null;
}

/// <summary>Rate limits of one answer, free of any vendor's header names (OpenAI gives durations, Anthropic gives instants).</summary>
public sealed record RateLimits(RateLimit Requests, RateLimit Tokens, RateLimit InputTokens, RateLimit OutputTokens);
