namespace Ballast.Upstream.Signing;

/// <summary>
/// Keeps one provider's credential. While it is good, requests get it without waiting; late in its life the next request starts a renewal beside itself. One fetch
/// runs at a time, whoever waits. After a failure the next fetch waits longer each time, and until then requests without a good credential fail at once.
/// </summary>
/// <param name="source">Where credentials come from.</param>
/// <param name="time">Expiry is judged by its clock and by its timer, whichever is stricter: a clock that is set back makes no old token good.</param>
/// <param name="report">Told every failure, for the log.</param>
public sealed class CredentialCache(CredentialSource source, TimeProvider time, Action<CredentialsUnavailableException>? report = null)
{
    /// <summary>Wait after the first failure; doubled with each further one.</summary>
    public static readonly TimeSpan BackoffMin = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait, and the wait after a refusal.</summary>
    public static readonly TimeSpan BackoffMax = TimeSpan.FromSeconds(60);

    /// <summary>A credential that was refused is fetched anew only if it is older: a fresh one would be refused as well.</summary>
    public static readonly TimeSpan RefusedAgeMin = TimeSpan.FromSeconds(30);

    /// <summary>Not used in its last moments: the request must still arrive. A tenth of the lifetime where that is shorter.</summary>
    public static readonly TimeSpan Margin = TimeSpan.FromSeconds(60);

    /// <summary>Share of the lifetime after which it is renewed.</summary>
    public const double RenewalShare = 0.75;

    private readonly Lock _lock = new();
    private volatile Held? _held;
    private Task<Outcome>? _fetch;
    private CredentialsUnavailableException? _failure;
    private long _failedAt;
    private int _failures;

    public CredentialSource Source => source;

    /// <summary>Complete at once while a good credential is at hand.</summary>
    /// <exception cref="CredentialsUnavailableException">There is none, and none can be had.</exception>
    public ValueTask<Credential> GetAsync(TimeSpan fetchTimeout, CancellationToken cancellation)
    {
        if (_held is { } held && held.Remaining(time) > TimeSpan.Zero)
        {
            if (held.IsLate(time))
            {
                _ = Fetch(fetchTimeout);
            }

            return new ValueTask<Credential>(held.Credential);
        }

        return WaitAsync(fetchTimeout, cancellation);
    }

    /// <summary>The platform refused a request that was signed with what is held: it is not used again unless it is fresh.</summary>
    public void NoteRefused()
    {
        if (_held is { } held && time.GetElapsedTime(held.Timestamp) >= RefusedAgeMin)
        {
            Interlocked.CompareExchange(ref _held, null, held);
        }
    }

    private async ValueTask<Credential> WaitAsync(TimeSpan fetchTimeout, CancellationToken cancellation)
    {
        Task<Outcome>? fetch = Fetch(fetchTimeout);
        Outcome outcome = fetch is null ? default : await fetch.WaitAsync(cancellation).ConfigureAwait(false);
        if (outcome.Credential is { } credential)
        {
            return credential;
        }

        lock (_lock)
        {
            CredentialsUnavailableException why = outcome.Failure ?? _failure!;
            TimeSpan wait = Backoff() - time.GetElapsedTime(_failedAt);
            throw new CredentialsUnavailableException(why.Reason, why.IsRefused) { RetryAfter = wait > BackoffMin ? wait : BackoffMin };
        }
    }

    /// <summary>The running fetch, or a new one; null while the last failure is too recent.</summary>
    private Task<Outcome>? Fetch(TimeSpan timeout)
    {
        lock (_lock)
        {
            if (_fetch is { IsCompleted: false })
            {
                return _fetch;
            }

            // Another request may have finished the job between the caller's look and this one.
            if (_held is { } held && held.Remaining(time) > TimeSpan.Zero && !held.IsLate(time))
            {
                return Task.FromResult(new Outcome(held.Credential, null));
            }

            return _failures > 0 && time.GetElapsedTime(_failedAt) < Backoff() ? null : _fetch = FetchAsync(timeout);
        }
    }

    private async Task<Outcome> FetchAsync(TimeSpan timeout)
    {
        // Leave the lock and the request's thread first: building a request for a token is work, too.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using CancellationTokenSource limit = new(timeout, time);
        CredentialsUnavailableException failure;
        try
        {
            Credential credential = await source.FetchAsync(timeout, limit.Token).WaitAsync(limit.Token).ConfigureAwait(false);
            lock (_lock)
            {
                _held = new Held(credential, time.GetUtcNow(), time.GetTimestamp());
                _failures = 0;
                _failure = null;
            }

            return new Outcome(credential, null);
        }
        catch (CredentialsUnavailableException exception)
        {
            failure = exception;
        }
        catch (OperationCanceledException)
        {
            failure = new CredentialsUnavailableException("timeout", isRefused: false);
        }

        lock (_lock)
        {
            _failures++;
            _failure = failure;
            _failedAt = time.GetTimestamp();
            failure = new CredentialsUnavailableException(failure.Reason, failure.IsRefused) { RetryAfter = Backoff() };
        }

        report?.Invoke(failure);
        return new Outcome(null, failure);
    }

    private TimeSpan Backoff() =>
        _failure is { IsRefused: true } ? BackoffMax
        : TimeSpan.FromTicks(Math.Min(BackoffMax.Ticks, BackoffMin.Ticks << Math.Min(_failures - 1, 10)));

    private readonly record struct Outcome(Credential? Credential, CredentialsUnavailableException? Failure);

    private sealed record Held(Credential Credential, DateTimeOffset At, long Timestamp)
    {
        public TimeSpan Remaining(TimeProvider time)
        {
            TimeSpan margin = Credential.Lifetime / 10 < Margin ? Credential.Lifetime / 10 : Margin;
            return Credential.Lifetime - margin - Age(time);
        }

        public bool IsLate(TimeProvider time) => Age(time) >= Credential.Lifetime * RenewalShare;

        private TimeSpan Age(TimeProvider time)
        {
            TimeSpan byClock = time.GetUtcNow() - At;
            TimeSpan byTimer = time.GetElapsedTime(Timestamp);
            return byClock > byTimer ? byClock : byTimer;
        }
    }
}
