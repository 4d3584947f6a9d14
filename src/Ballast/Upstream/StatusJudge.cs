using Ballast.Exchanges;
using Ballast.Protocols.Conversation;

namespace Ballast.Upstream;

/// <summary>What a status other than 2xx means: whose fault it is, whether another deployment may help, how long this one should rest.</summary>
public static class StatusJudge
{
    /// <summary>Rest after a rate limit that names no time.</summary>
    public static readonly TimeSpan RateLimitRest = TimeSpan.FromSeconds(2);

    /// <summary>Rest after used-up quota or refused credentials: only people can mend that.</summary>
    public static readonly TimeSpan QuotaRest = TimeSpan.FromSeconds(60);

    public static UpstreamFailure Judge(int status, ChatError error, TimeSpan? retryAfter)
    {
        string code = $"upstream_status_{status}";
        error = error with { UpstreamStatus = status, RetryAfter = retryAfter ?? error.RetryAfter };
        switch (error.Kind)
        {
            case ChatErrorKind.Authentication or ChatErrorKind.Permission:
                // The gateway's own credential was refused. The vendor's words may repeat parts of it: they stay here.
                return UpstreamFailure.Of(GatewayError.CredentialsRefused) with { RestFor = QuotaRest };
            case ChatErrorKind.RateLimited:
                return new UpstreamFailure(code, error, true, BlamesDeployment: false, error.RetryAfter ?? RateLimitRest);
            case ChatErrorKind.QuotaExceeded:
                return new UpstreamFailure(code, error, true, BlamesDeployment: false, error.RetryAfter ?? QuotaRest);
            case ChatErrorKind.NotFound:
                return new UpstreamFailure(code, error, true, BlamesDeployment: false);
            case ChatErrorKind.Overloaded or ChatErrorKind.Unavailable:
                return new UpstreamFailure(code, error, true, BlamesDeployment: true, error.RetryAfter);
            case ChatErrorKind.ServerError or ChatErrorKind.BadGateway or ChatErrorKind.Timeout:
                return new UpstreamFailure(code, error, true, BlamesDeployment: true);
            default:
                // The request itself was refused: it would be refused elsewhere, or should be.
                return new UpstreamFailure(code, error, false, BlamesDeployment: false);
        }
    }
}
