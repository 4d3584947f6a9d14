using Ballast.Protocols.Conversation;
using Ballast.Upstream;

namespace Ballast.Tests.Upstream;

public class StatusJudgeTests
{
    [Theory]
    [InlineData(ChatErrorKind.InvalidRequest, false, false)]
    [InlineData(ChatErrorKind.ContentFiltered, false, false)]
    [InlineData(ChatErrorKind.ContextLengthExceeded, false, false)]
    [InlineData(ChatErrorKind.RateLimited, true, false)]
    [InlineData(ChatErrorKind.QuotaExceeded, true, false)]
    [InlineData(ChatErrorKind.NotFound, true, false)]
    [InlineData(ChatErrorKind.ServerError, true, true)]
    [InlineData(ChatErrorKind.Overloaded, true, true)]
    [InlineData(ChatErrorKind.Authentication, true, true)]
    public void Judge_EachKind_MovesOnAndBlamesAsStated(ChatErrorKind kind, bool isRetryable, bool blames)
    {
        UpstreamFailure failure = StatusJudge.Judge(500, new ChatError(kind, "x"), null);

        Assert.Equal(isRetryable, failure.IsRetryable);
        Assert.Equal(blames, failure.BlamesDeployment);
    }

    [Fact]
    public void Judge_CredentialsRefused_DoesNotRepeatTheVendorsWords()
    {
        UpstreamFailure failure = StatusJudge.Judge(401, new ChatError(ChatErrorKind.Authentication, "Incorrect API key provided: sk-secret"), null);

        Assert.DoesNotContain("sk-secret", failure.Error.Message, StringComparison.Ordinal);
        Assert.Equal(StatusJudge.QuotaRest, failure.RestFor);
    }

    [Fact]
    public void Judge_RateLimit_RestsAsLongAsItSays()
    {
        Assert.Equal(TimeSpan.FromSeconds(9), StatusJudge.Judge(429, new ChatError(ChatErrorKind.RateLimited, "x"), TimeSpan.FromSeconds(9)).RestFor);
        Assert.Equal(StatusJudge.RateLimitRest, StatusJudge.Judge(429, new ChatError(ChatErrorKind.RateLimited, "x"), null).RestFor);
    }
}
