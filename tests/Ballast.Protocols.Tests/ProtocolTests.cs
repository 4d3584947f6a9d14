using System.Buffers;
using System.Text;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests;

public class ProtocolTests
{
    [Fact]
    public void ReadRequest_NothingButAStoredPrompt_IsRefused()
    {
        ProtocolException refused = Assert.Throws<ProtocolException>(() => ProtocolList.OpenAIResponses.ReadRequest("""{"model":"m","prompt":{"id":"pmpt_1"}}"""u8.ToArray()));
        Assert.Equal("prompt", refused.Error.Param);
    }

    [Theory]
    [InlineData("ollama-chat")]
    [InlineData("gemini")]
    public void Write_StreamedCallWithLineBreaks_KeepsItOnOneLine(string name)
    {
        Protocol protocol = ProtocolList.Find(name)!;
        ChatEvent[] events =
        [
            new ResponseStarted("r", "m", 1), new ToolCallStarted(0, "c", "f"), new ToolCallDelta(0, "{\n  \"x\":\r\n 1}"), new PartEnded(0), new Finished(FinishReason.ToolCalls, null),
            ResponseEnded.Instance,
        ];
        string written = AnswerRun.Write(protocol, new WriterOptions { Stream = true, FallbackId = "r", Model = "m", CreatedUnixSeconds = 1 }, events);
        AnswerRun.Result read = AnswerRun.Read(protocol, new ReaderOptions { Stream = true, Depth = ReadDepth.Everything, Vendor = "v" }, written);
        Assert.Contains(read.Events.OfType<ToolCallDelta>(), delta => delta.Arguments.Replace(" ", "", StringComparison.Ordinal) == "{\"x\":1}");
    }

    [Theory]
    [InlineData(
        "anthropic-messages",
        """{"type":"error","error":{"type":"invalid_request_error","message":"m","details":{"x":1}},"request_id":"req_vendor"}""",
        """{"type":"error","error":{"type":"invalid_request_error","message":"m","details":{"x":1}},"request_id":"req_own"}""")]
    [InlineData(
        "anthropic-messages",
        """ {"request_id":null,"type":"error","error":{"type":"t","message":"m"}}""",
        """ {"request_id":"req_own","type":"error","error":{"type":"t","message":"m"}}""")]
    [InlineData(
        "anthropic-messages",
        """{"type":"error","error":{"type":"t","message":"m"}}""",
        """{"type":"error","request_id":"req_own","error":{"type":"t","message":"m"}}""")]
    [InlineData(
        "openai-chat",
        """{"error":{"message":"m","type":null,"param":"p","code":"c","innererror":{"x":1}}}""",
        """{"error":{"message":"m","type":null,"param":"p","code":"c","innererror":{"x":1}}}""")]
    public void TrySpliceError_OwnForm_KeepsTheVendorsWordsAndNamesTheCallersRequest(string protocol, string body, string expected)
    {
        ArrayBufferWriter<byte> output = new();
        Assert.True(ProtocolList.Find(protocol)!.TrySpliceError(Encoding.UTF8.GetBytes(body), "req_own", output));
        Assert.Equal(expected, Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Theory]
    [InlineData("anthropic-messages", "")]
    [InlineData("anthropic-messages", """{"type":"error","error":{"type":"t","message":"m"}""")]
    [InlineData("anthropic-messages", """{"error":{"type":"t","message":"m"}}""")]
    [InlineData("anthropic-messages", """{"type":"error","error":"m"}""")]
    [InlineData("anthropic-messages", """{"type":"error","error":{"message":"m"}}""")]
    [InlineData("openai-chat", """{"error":{"message":"m"}""")]
    [InlineData("openai-chat", """{"error":"Unauthorized"}""")]
    [InlineData("openai-chat", """{"detail":"Not Found"}""")]
    [InlineData("openai-chat", """{"object":"error","message":"m"}""")]
    [InlineData("openai-chat", """[{"error":{"message":"m"}}]""")]
    [InlineData("openai-chat", "<html>")]
    [InlineData("openai-chat", "null")]
    public void TrySpliceError_AnyOtherForm_WritesNothing(string protocol, string body)
    {
        ArrayBufferWriter<byte> output = new();
        Assert.False(ProtocolList.Find(protocol)!.TrySpliceError(Encoding.UTF8.GetBytes(body), "req_own", output));
        Assert.Equal(0, output.WrittenCount);
    }

    [Theory]
    [InlineData("openai-responses", """{"model":"m","input":"x","text":{"verbosity":"low","format":{"schema":{"type":"text"},"type":"json_schema"}}}""", true)]
    [InlineData("openai-responses", """{"text":{"format":{"type":"json_object","x":{"type":"json_schema"}}},"model":"m","input":[]}""", false)]
    [InlineData("openai-responses", """{"text":{"format":null,"x":[{"type":"json_schema"}]},"model":"m","input":[]}""", false)]
    [InlineData("openai-responses", """{"text":7,"model":"m","input":[]}""", false)]
    [InlineData("openai-chat", """{"model":"m","messages":[],"response_format":{"json_schema":{"type":"text"},"type":"json_schema"}}""", true)]
    [InlineData("openai-chat", """{"model":"m","messages":[],"response_format":{"type":"json_object","x":{"type":"json_schema"}}}""", false)]
    [InlineData("openai-chat", """{"model":"m","messages":[],"response_format":"json_schema"}""", false)]
    [InlineData("openai-chat", """{"response_format":null,"model":"m","messages":[]}""", false)]
    [InlineData("anthropic-messages", """{"model":"m","messages":[],"output_config":{"effort":"low","format":{"type":"json_schema"}}}""", true)]
    [InlineData("anthropic-messages", """{"model":"m","output_format":{"type":"json_schema"},"messages":[]}""", true)]
    [InlineData("anthropic-messages", """{"model":"m","output_config":{"type":"json_schema"},"messages":[]}""", false)]
    [InlineData("anthropic-messages", """{"model":"m","output_config":[7],"output_format":null,"messages":[]}""", false)]
    public void Peek_AnswerWithASchema_SaysSo(string protocol, string body, bool expected)
    {
        RequestEnvelope envelope = ProtocolList.Find(protocol)!.Peek(Encoding.UTF8.GetBytes(body));
        Assert.Equal(expected, envelope.AsksJsonSchema);
        Assert.Equal("m", envelope.Model);
    }
}
