using Ballast.Protocols.Conversation;

namespace Ballast.Routing;

/// <summary>What a vendor's rate-limit headers said that a deployment may be asked for in a minute; null is not told.</summary>
public sealed record ObservedQuota(long? RequestsPerMinute, long? TokensPerMinute)
{
    /// <summary>Null where the headers say nothing of limits. Limits of input and output tokens apart are added up.</summary>
    public static ObservedQuota? Of(RateLimits limits)
    {
        long? tokens = limits.Tokens.Limit ?? (limits.InputTokens.Limit is { } input ? input + (limits.OutputTokens.Limit ?? 0) : null);
        return limits.Requests.Limit is null && tokens is null ? null : new ObservedQuota(limits.Requests.Limit, tokens);
    }
}
