using System.Buffers;
using System.Globalization;
using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols;

/// <summary>
/// The headers <c>x-ratelimit-{limit,remaining,reset}-{requests,tokens}</c>, whose resets are Go durations (<c>6m0s</c>, <c>1.5s</c>, <c>20ms</c>)
/// (https://platform.openai.com/docs/guides/rate-limits).
/// </summary>
internal static class OpenAIRateLimits
{
    /// <summary>A plain number above this is an instant in seconds since 1970, above a thousand times this in milliseconds.</summary>
    private const double InstantSecondsMin = 1e9;

    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789.");

    // Every answer is asked for all of them: their names are made once.
    private static readonly Names s_requests = Names.Of("requests");
    private static readonly Names s_tokens = Names.Of("tokens");

    public static RateLimits Read(Func<string, string?> header, DateTimeOffset now) =>
        new(Read(header, s_requests, now), Read(header, s_tokens, now), default, default);

    private static RateLimit Read(Func<string, string?> header, in Names names, DateTimeOffset now) =>
        new(Count(header(names.Limit)), Count(header(names.Remaining)), Duration(header(names.Reset), now));

    public static void Write(RateLimits limits, Action<string, string> header)
    {
        Write(limits.Requests, s_requests, header);
        Write(limits.Tokens, s_tokens, header);
    }

    private static void Write(RateLimit limit, in Names names, Action<string, string> header)
    {
        if (limit.Limit is long most)
        {
            header(names.Limit, most.ToString(CultureInfo.InvariantCulture));
        }

        if (limit.Remaining is long remaining)
        {
            header(names.Remaining, remaining.ToString(CultureInfo.InvariantCulture));
        }

        if (limit.Reset is TimeSpan reset)
        {
            header(names.Reset, Format(reset));
        }
    }

    private static long? Count(string? value) =>
        value is null ? null
            : long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long count) ? count
            : double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double real) && real < long.MaxValue ? (long)real
            : null;

    /// <summary>A Go duration, or a plain number of seconds, or an instant as some servers give it; null for anything else.</summary>
    internal static TimeSpan? Duration(string? value, DateTimeOffset now)
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            return null;
        }

        ReadOnlySpan<char> rest = value.AsSpan().Trim();
        if (double.TryParse(rest, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double plain))
        {
            double instant = plain > InstantSecondsMin * 1000 ? plain / 1000 : plain;
            double seconds = instant > InstantSecondsMin ? instant - (now.ToUnixTimeMilliseconds() / 1000.0) : instant;
            return Seconds(Math.Max(0, seconds));
        }

        double total = 0;
        while (!rest.IsEmpty)
        {
            int digits = rest.IndexOfAnyExcept(s_digits);
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double amount))
            {
                return null;
            }

            rest = rest[digits..];
            int letters = rest.IndexOfAny(s_digits);
            ReadOnlySpan<char> unit = letters < 0 ? rest : rest[..letters];
            double? scale = unit switch
            {
                "d" => 86400,
                "h" => 3600,
                "m" => 60,
                "s" => 1,
                "ms" => 1e-3,
                "us" or "µs" => 1e-6,
                "ns" => 1e-9,
                _ => null,
            };
            if (scale is null)
            {
                return null;
            }

            total += amount * scale.Value;
            rest = letters < 0 ? default : rest[letters..];
        }

        return Seconds(total);
    }

    private static TimeSpan? Seconds(double seconds) => seconds <= TimeSpan.FromDays(3650).TotalSeconds ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary>A duration as Go writes it, to the millisecond.</summary>
    internal static string Format(TimeSpan duration)
    {
        if (duration <= TimeSpan.Zero)
        {
            return "0s";
        }

        if (duration < TimeSpan.FromSeconds(1))
        {
            return string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(duration.TotalMilliseconds)}ms");
        }

        StringBuilder text = new();
        long hours = (long)duration.TotalHours;
        if (hours > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"{hours}h");
        }

        if (duration.TotalMinutes >= 1)
        {
            text.Append(CultureInfo.InvariantCulture, $"{duration.Minutes}m");
        }

        return text.Append(CultureInfo.InvariantCulture, $"{duration.Seconds + (duration.Milliseconds / 1000.0):0.###}s").ToString();
    }

    private readonly record struct Names(string Limit, string Remaining, string Reset)
    {
        public static Names Of(string dimension) =>
            new($"x-ratelimit-limit-{dimension}", $"x-ratelimit-remaining-{dimension}", $"x-ratelimit-reset-{dimension}");
    }
}
