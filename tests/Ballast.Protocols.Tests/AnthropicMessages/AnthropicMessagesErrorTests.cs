using System.Text;
using Ballast.Protocols.AnthropicMessages;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Tests.AnthropicMessages;

public sealed class AnthropicMessagesErrorTests
{
    /// <summary>Claude at Google's: the limit is Google's own, in Google's form, and no header tells how long to wait.</summary>
    [Theory]
    [InlineData("""{"error":{"code":429,"message":"Quota exceeded.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"a","reason":"b"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"6.5s"}]}}""", 6.5)]
    [InlineData("""[{"error":{"details":[{"retryDelay":"3s"}],"code":429,"message":"Quota exceeded.","status":"RESOURCE_EXHAUSTED"}}]""", 3.0)]
    [InlineData("""{"error":{"code":429,"message":"Quota exceeded.","details":[{"retryDelay":"soon"}]}}""", null)]
    [InlineData("""{"error":{"code":429,"message":"Quota exceeded.","details":[{"retryDelay":9}]}}""", null)]
    [InlineData("""{"error":{"code":429,"message":"Quota exceeded.","details":{"retryDelay":"9s"}}}""", null)]
    [InlineData("""{"error":{"code":429,"message":"Quota exceeded."}}""", null)]
    public void Read_LimitInGooglesForm_TellsTheWait(string body, double? seconds)
    {
        ChatError error = AnthropicMessagesError.Read(429, Encoding.UTF8.GetBytes(body));
        Assert.Equal((ChatErrorKind.RateLimited, "Quota exceeded."), (error.Kind, error.Message));
        Assert.Equal(seconds, error.RetryAfter?.TotalSeconds);
    }
}
