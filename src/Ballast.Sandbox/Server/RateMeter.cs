namespace Ballast.Sandbox.Server;

/// <summary>What a platform's rate-limit headers tell. The sandbox counts but refuses nothing by itself: a fault rule does.</summary>
internal sealed class RateMeter(TimeProvider time, long requestsPerMinute, long tokensPerMinute)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private DateTimeOffset _windowStart = time.GetUtcNow();
    private long _requests;
    private long _tokens;

    /// <summary>Counts tokens and gives the state; a request is counted when its tokens are 0, which is at its arrival.</summary>
    public RateReading Count(long tokens)
    {
        DateTimeOffset now = time.GetUtcNow();
        lock (_gate)
        {
            if (now - _windowStart >= Window)
            {
                (_windowStart, _requests, _tokens) = (now, 0, 0);
            }

            _requests += tokens == 0 ? 1 : 0;
            _tokens += tokens;
            return new RateReading(
                requestsPerMinute,
                Math.Max(0, requestsPerMinute - _requests),
                tokensPerMinute,
                Math.Max(0, tokensPerMinute - _tokens),
                _requests * Window / requestsPerMinute,
                _tokens * Window / tokensPerMinute,
                now);
        }
    }
}

/// <summary>Limits per minute, what remains of them, and how long until they are whole again.</summary>
internal readonly record struct RateReading(
    long RequestLimit,
    long RequestsLeft,
    long TokenLimit,
    long TokensLeft,
    TimeSpan RequestsReset,
    TimeSpan TokensReset,
    DateTimeOffset Now);
