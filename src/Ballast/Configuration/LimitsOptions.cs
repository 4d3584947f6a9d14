namespace Ballast.Configuration;

/// <summary>Every limit of the data path, named. All may be set under <c>limits:</c>; the defaults are meant to be kept.</summary>
public sealed record LimitsOptions
{
    /// <summary>Largest request body taken, in bytes.</summary>
    public int RequestBodyBytesMax { get; init; } = 32 * 1024 * 1024;

    /// <summary>Largest whole answer taken from an upstream, in bytes.</summary>
    public int ResponseBodyBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>Bytes of an upstream's error body that are read.</summary>
    public int ErrorBodyBytesMax { get; init; } = 64 * 1024;

    /// <summary>Bytes of a stream that are held before it is committed.</summary>
    public int HeldBytesMax { get; init; } = 1024 * 1024;

    /// <summary>Requests served at once; further ones are refused with 503.</summary>
    public int ConcurrentRequestsMax { get; init; } = 10_000;

    /// <summary>Attempts for one request.</summary>
    public int AttemptsMax { get; init; } = 3;

    /// <summary>Retries as a share of requests, over the last ten seconds.</summary>
    public double RetryShareMax { get; init; } = 0.2;

    /// <summary>Retries always allowed within ten seconds, however few requests there are.</summary>
    public int RetryFloor { get; init; } = 10;
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>For fetching a token that requests to a provider are signed with.</summary>
    public TimeSpan CredentialTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From sending to the first content of a stream, or to the whole answer's head.</summary>
    public TimeSpan FirstTokenTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Between two reads of an answer.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);
    public TimeSpan TotalTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a stream without content is held back before its head is sent all the same.</summary>
    public TimeSpan HoldGrace { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Failures in a row that open a deployment's breaker.</summary>
    public int BreakerFailures { get; init; } = 5;

    /// <summary>How long an open breaker waits before one probe.</summary>
    public TimeSpan BreakerOpen { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a deployment that was away for so long takes to its full share; after a shorter absence as long as that was, but no less than a minute.</summary>
    public TimeSpan RampUp { get; init; } = TimeSpan.FromMinutes(18);

    /// <summary>How long a request waits for a hard quota to have room before it is refused; zero refuses at once.</summary>
    public TimeSpan QuotaWait { get; init; }

    /// <summary>Requests that wait at once, for a quota or for a share; further ones are refused at once.</summary>
    public int WaitingRequestsMax { get; init; } = 1000;

    /// <summary>Longest Retry-After that is honoured as a cool-down.</summary>
    public TimeSpan CoolDownMax { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long the row of an answer in the background stays open for somebody to see its end; then it is booked as the most that it may have cost.</summary>
    public TimeSpan BackgroundWait { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Files and batches remembered for one app.</summary>
    public int HandlesPerAppMax { get; init; } = 10_000;

    /// <summary>Idempotency keys of the last 24 hours for one API key; requests with further ones are refused.</summary>
    public int IdempotencyKeysMax { get; init; } = 50_000;

    /// <summary>Largest answer kept for repetitions of its idempotency key, in bytes; of a larger one only that it was given is kept.</summary>
    public int IdempotencyAnswerBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>All answers kept for repetitions together, in bytes; beyond it only that they were given is kept.</summary>
    public int IdempotencyBytesMax { get; init; } = 1024 * 1024 * 1024;

    /// <summary>Wrong keys from one address within a minute, after which its keys are no longer looked at; keys of 32 characters and more excepted.</summary>
    public int FailedKeysPerMinute { get; init; } = 20;

    /// <summary>How long a request waits for this gateway's part of a limit or budget that several gateways share, where the part is used up and the whole is not.</summary>
    public TimeSpan LeaseWait { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a stop waits for running requests.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(4);
}
