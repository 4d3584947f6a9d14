using System.Globalization;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// The headers <c>anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}</c>
/// (https://docs.anthropic.com/en/api/rate-limits#response-headers); resets are instants of RFC 3339.
/// </summary>
internal static class AnthropicMessagesRateLimits
{
    public static RateLimits Read(Func<string, string?> header, DateTimeOffset now) => new(
        ReadOne(header, "requests", now), ReadOne(header, "tokens", now), ReadOne(header, "input-tokens", now), ReadOne(header, "output-tokens", now));

    public static void Write(RateLimits limits, DateTimeOffset now, Action<string, string> header)
    {
        WriteOne(limits.Requests, "requests", now, header);
        WriteOne(limits.Tokens, "tokens", now, header);
        WriteOne(limits.InputTokens, "input-tokens", now, header);
        WriteOne(limits.OutputTokens, "output-tokens", now, header);
    }

    /// <summary>An instant as this API writes it: UTC, whole seconds.</summary>
    public static string Instant(DateTimeOffset instant) => instant.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string NameOf(string dimension, string figure) => $"anthropic-ratelimit-{dimension}-{figure}";

    private static RateLimit ReadOne(Func<string, string?> header, string dimension, DateTimeOffset now) => new(
        Count(header(NameOf(dimension, "limit"))), Count(header(NameOf(dimension, "remaining"))), Until(header(NameOf(dimension, "reset")), now));

    private static long? Count(string? value) =>
        long.TryParse(value, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out long count) ? count : null;

    private static TimeSpan? Until(string? value, DateTimeOffset now)
    {
        if (!DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset instant))
        {
            return null;
        }

        return instant > now ? instant - now : TimeSpan.Zero;
    }

    private static void WriteOne(RateLimit limit, string dimension, DateTimeOffset now, Action<string, string> header)
    {
        if (limit.Limit is long most)
        {
            header(NameOf(dimension, "limit"), most.ToString(CultureInfo.InvariantCulture));
        }

        if (limit.Remaining is long left)
        {
            header(NameOf(dimension, "remaining"), left.ToString(CultureInfo.InvariantCulture));
        }

        if (limit.Reset is TimeSpan reset && reset <= DateTimeOffset.MaxValue - now)
        {
            // Rounded up: a caller that waits until then must not come too early.
            DateTimeOffset instant = now + reset;
            header(NameOf(dimension, "reset"), Instant(instant.Millisecond + instant.Microsecond > 0 ? instant.AddSeconds(1) : instant));
        }
    }
}
