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

    [Theory]
    [InlineData(ChatErrorKind.RateLimited)]
    [InlineData(ChatErrorKind.QuotaExceeded)]
    [InlineData(ChatErrorKind.NotFound)]
    [InlineData(ChatErrorKind.Overloaded)]
    [InlineData(ChatErrorKind.ServerError)]
    public void Judge_TroubleOfTheGatewaysOwnAccount_IsToldInOwnWords(ChatErrorKind kind)
    {
        ChatError told = new(kind, "Limit of organization org-secret reached") { Code = "org-secret", Type = "org-secret", Param = "org-secret" };

        ChatError error = StatusJudge.Judge(500, told, null).Error;

        Assert.DoesNotContain("org-secret", error.ToString(), StringComparison.Ordinal);
        Assert.NotNull(error.Code);
    }

    [Fact]
    public void Judge_RefusedRequest_IsToldInTheVendorsWords() =>
        Assert.Equal("max_tokens is too large", StatusJudge.Judge(400, new ChatError(ChatErrorKind.InvalidRequest, "max_tokens is too large"), null).Error.Message);

    [Fact]
    public void Judge_RateLimit_RestsAsLongAsItSays()
    {
        Assert.Equal(TimeSpan.FromSeconds(9), StatusJudge.Judge(429, new ChatError(ChatErrorKind.RateLimited, "x"), TimeSpan.FromSeconds(9)).RestFor);
        Assert.Equal(StatusJudge.RateLimitRest, StatusJudge.Judge(429, new ChatError(ChatErrorKind.RateLimited, "x"), null).RestFor);
    }
}
