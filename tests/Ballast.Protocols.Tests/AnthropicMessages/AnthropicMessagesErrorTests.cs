using System.Buffers;
using System.Text;
using System.Text.Json;
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

    /// <summary>Clients of Anthropic's act on the word in <c>details</c>: they send the conversation whole.</summary>
    [Fact]
    public void Peek_GoesOnFromAThread_IsToldThatNobodyHasIt()
    {
        byte[] body = """{"model":"claude-x","max_tokens":5,"thread":{"previous_message_id":"msg_1","type":"continue"},"messages":[]}"""u8.ToArray();
        ProtocolException refused = Assert.Throws<ProtocolException>(() => ProtocolList.AnthropicMessages.Peek(body));

        ArrayBufferWriter<byte> output = new();
        ProtocolList.AnthropicMessages.WriteError(refused.Error, output);
        using JsonDocument written = JsonDocument.Parse(output.WrittenMemory);
        JsonElement error = written.RootElement.GetProperty("error");
        Assert.Equal((404, "not_found_error"), (ProtocolList.AnthropicMessages.StatusOf(refused.Error), error.GetProperty("type").GetString()));
        Assert.Equal("thread_not_found", error.GetProperty("details").GetProperty("error_code").GetString());
    }

    [Theory]
    [InlineData("""{"model":"claude-x","max_tokens":5,"thread":{"type":"create"},"messages":[]}""", true)]
    [InlineData("""{"model":"claude-x","max_tokens":5,"thread":null,"messages":[]}""", false)]
    [InlineData("""{"model":"claude-x","max_tokens":5,"messages":[{"role":"user","content":"thread"}]}""", false)]
    public void Peek_Thread_IsAskedForOrNot(string body, bool isAsked) =>
        Assert.Equal(isAsked, ProtocolList.AnthropicMessages.Peek(Encoding.UTF8.GetBytes(body)).AsksThread);
}
