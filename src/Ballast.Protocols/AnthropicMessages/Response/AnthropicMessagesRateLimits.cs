using System.Globalization;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// The headers <c>anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}</c>
/// (https://docs.anthropic.com/en/api/rate-limits#response-headers); resets are instants of RFC 3339.
/// </summary>
internal static class AnthropicMessagesRateLimits
{
    // Every answer is asked for all of them: their names are made once.
    private static readonly Names s_requests = Names.Of("requests");
    private static readonly Names s_tokens = Names.Of("tokens");
    private static readonly Names s_inputTokens = Names.Of("input-tokens");
    private static readonly Names s_outputTokens = Names.Of("output-tokens");

    public static RateLimits Read(Func<string, string?> header, DateTimeOffset now) => new(
        ReadOne(header, s_requests, now), ReadOne(header, s_tokens, now), ReadOne(header, s_inputTokens, now), ReadOne(header, s_outputTokens, now));

    public static void Write(RateLimits limits, DateTimeOffset now, Action<string, string> header)
    {
        WriteOne(limits.Requests, s_requests, now, header);
        WriteOne(limits.Tokens, s_tokens, now, header);
        WriteOne(limits.InputTokens, s_inputTokens, now, header);
        WriteOne(limits.OutputTokens, s_outputTokens, now, header);
    }

    /// <summary>An instant as this API writes it: UTC, whole seconds.</summary>
    public static string Instant(DateTimeOffset instant) => instant.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static RateLimit ReadOne(Func<string, string?> header, in Names names, DateTimeOffset now) => new(
        Count(header(names.Limit)), Count(header(names.Remaining)), Until(header(names.Reset), now));

    private static long? Count(string? value) =>
        long.TryParse(value, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out long count) ? count : null;

    private static TimeSpan? Until(string? value, DateTimeOffset now)
    {
        if (value is null || !DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset instant))
        {
            return null;
        }

        return instant > now ? instant - now : TimeSpan.Zero;
    }

    private static void WriteOne(RateLimit limit, in Names names, DateTimeOffset now, Action<string, string> header)
    {
        if (limit.Limit is long most)
        {
            header(names.Limit, most.ToString(CultureInfo.InvariantCulture));
        }

        if (limit.Remaining is long left)
        {
            header(names.Remaining, left.ToString(CultureInfo.InvariantCulture));
        }

        if (limit.Reset is TimeSpan reset && reset <= DateTimeOffset.MaxValue - now)
        {
            // Rounded up: a caller that waits until then must not come too early.
            DateTimeOffset instant = now + reset;
            header(names.Reset, Instant(instant.Millisecond + instant.Microsecond > 0 ? instant.AddSeconds(1) : instant));
        }
    }

    private readonly record struct Names(string Limit, string Remaining, string Reset)
    {
        public static Names Of(string dimension) =>
            new($"anthropic-ratelimit-{dimension}-limit", $"anthropic-ratelimit-{dimension}-remaining", $"anthropic-ratelimit-{dimension}-reset");
    }
}
