using Ballast.Exchanges;
using Ballast.Protocols.Conversation;

namespace Ballast.Upstream;

/// <summary>
/// What an upstream's error means, a status other than 2xx or an error inside an answer: whose fault it is, whether another deployment may help, how long this one
/// should rest, and what of it is the caller's business. A refused request is told in the vendor's words; all else concerns the gateway's own account there
/// (organisation ids, limits, names of deployments) and is told in Ballast's.
/// </summary>
public static class StatusJudge
{
    /// <summary>Rest after a rate limit that names no time.</summary>
    public static readonly TimeSpan RateLimitRest = TimeSpan.FromSeconds(2);

    /// <summary>Rest after used-up quota or refused credentials: only people can mend that.</summary>
    public static readonly TimeSpan QuotaRest = TimeSpan.FromSeconds(60);

    public static UpstreamFailure Judge(int status, ChatError error, TimeSpan? retryAfter) =>
        Judge($"upstream_status_{status}", error with { UpstreamStatus = status, RetryAfter = retryAfter ?? error.RetryAfter });

    /// <param name="code">For ledger, log and metrics.</param>
    /// <param name="error">As the vendor told it.</param>
    public static UpstreamFailure Judge(string code, ChatError error)
    {
        switch (error.Kind)
        {
            case ChatErrorKind.Authentication or ChatErrorKind.Permission:
                return UpstreamFailure.Of(GatewayError.CredentialsRefused) with { RestFor = QuotaRest };
            case ChatErrorKind.RateLimited:
                TimeSpan rest = error.RetryAfter ?? RateLimitRest;
                return new UpstreamFailure(code, InOwnWords(error, code) with { RetryAfter = rest }, true, BlamesDeployment: false, rest);
            case ChatErrorKind.QuotaExceeded:
                return new UpstreamFailure(code, InOwnWords(error, code), true, BlamesDeployment: false, error.RetryAfter ?? QuotaRest);
            case ChatErrorKind.NotFound:
                return new UpstreamFailure(code, InOwnWords(error, code), true, BlamesDeployment: false);
            case ChatErrorKind.Overloaded or ChatErrorKind.Unavailable:
                return new UpstreamFailure(code, InOwnWords(error, code), true, BlamesDeployment: true, error.RetryAfter);
            case ChatErrorKind.ServerError or ChatErrorKind.BadGateway or ChatErrorKind.Timeout:
                return new UpstreamFailure(code, InOwnWords(error, code), true, BlamesDeployment: true);
            default:
                // The request itself was refused: it would be refused elsewhere, or should be.
                return new UpstreamFailure(code, error, false, BlamesDeployment: false);
        }
    }

    private static ChatError InOwnWords(ChatError error, string code) =>
        new(error.Kind, error.Kind switch
        {
            ChatErrorKind.RateLimited => "The upstream's rate limit is reached.",
            ChatErrorKind.QuotaExceeded => "The quota of this gateway at the upstream is used up.",
            ChatErrorKind.NotFound => "The upstream does not know the model or the path.",
            ChatErrorKind.Overloaded => "The upstream is overloaded.",
            ChatErrorKind.Unavailable => "The upstream is not available.",
            ChatErrorKind.Timeout => "The upstream ran into a time limit of its own.",
            _ => "The upstream failed.",
        })
        {
            // Clients know the limits by these two words; anything else is found by the ledger's own.
            Code = error.Kind switch
            {
                ChatErrorKind.RateLimited => "rate_limit_exceeded",
                ChatErrorKind.QuotaExceeded => "insufficient_quota",
                _ => code,
            },
            RetryAfter = error.RetryAfter,
        };
}
