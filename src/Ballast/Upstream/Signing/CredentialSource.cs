namespace Ballast.Upstream.Signing;

/// <summary>Where a provider's credentials are fetched. Equal where a fetched credential would be as good: a reload that changes nothing keeps it.</summary>
public abstract record CredentialSource
{
    /// <exception cref="CredentialsUnavailableException">None was given; the exception says why, without any secret.</exception>
    public abstract Task<Credential> FetchAsync(TimeSpan connectTimeout, CancellationToken cancellation);
}

/// <summary>No credential can be had now. The message holds a code or a status, never what was sent or answered.</summary>
/// <param name="reason">For the log: a vendor's error code, a status, <c>unreachable</c> or <c>timeout</c>.</param>
/// <param name="isRefused">The request itself was refused: only people can mend that.</param>
public sealed class CredentialsUnavailableException(string reason, bool isRefused) : IOException($"No credential could be fetched: {reason}.")
{
    public string Reason { get; } = reason;

    public bool IsRefused { get; } = isRefused;

    /// <summary>The hour by the clock of whoever refused, where it was told.</summary>
    public DateTimeOffset? Date { get; init; }

    /// <summary>Until then no further one is asked for.</summary>
    public TimeSpan RetryAfter { get; init; }
}
