using System.Buffers;
using System.Text;
using Ballast.Protocols.Clouds;

namespace Ballast.Protocols.Tests.BedrockConverse;

public class BedrockTokenCountTests
{
    private const string Claude = """{"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[{"role":"user","content":"Grüße"}]}""";

    private static readonly RequestAddress s_address = new("claude", StreamForm.Whole);

    public static TheoryData<string, string> Requests => new()
    {
        { ProtocolList.BedrockConverse.Name, """{"messages":[{"role":"user","content":[{"text":"Grüße"}]}]}""" },
        { ProtocolList.BedrockInvoke.Name, Claude },
    };

    /// <summary>What is wrapped for the platform is what a caller wraps: the one is taken apart as the other.</summary>
    [Theory]
    [MemberData(nameof(Requests))]
    public void SpliceTokenCount_Unwrapped_IsTheRequest(string name, string request)
    {
        Protocol protocol = ProtocolList.Find(name)!;
        ArrayBufferWriter<byte> wrapped = new();

        protocol.SpliceTokenCount(protocol.Peek(Encoding.UTF8.GetBytes(request), s_address), new RequestTarget { Model = "m", Vendor = "anthropic", Account = "a", Features = TargetFeatures.None }, wrapped);

        ReadOnlyMemory<byte> unwrapped = BedrockTokenCount.Unwrap(wrapped.WrittenMemory, out bool isInvoke);
        Assert.Equal(request, Encoding.UTF8.GetString(unwrapped.Span));
        Assert.Equal(protocol == ProtocolList.BedrockInvoke, isInvoke);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"input":{}}""")]
    [InlineData("""{"input":[]}""")]
    [InlineData("""{"input":{"converse":{}},"input":{"converse":{}}}""")]
    [InlineData("""{"input":{"converse":{},"invokeModel":{"body":"e30="}}}""")]
    [InlineData("""{"input":{"converse":[]}}""")]
    [InlineData("""{"input":{"other":{}}}""")]
    [InlineData("""{"input":{"invokeModel":{}}}""")]
    [InlineData("""{"input":{"invokeModel":{"body":{}}}}""")]
    [InlineData("""{"input":{"invokeModel":{"body":"not base64!"}}}""")]
    [InlineData("""{"input":{"converse":{}}} x""")]
    public void Unwrap_NoCount_IsRefused(string body)
    {
        ProtocolException refused = Assert.Throws<ProtocolException>(() => BedrockTokenCount.Unwrap(Encoding.UTF8.GetBytes(body), out _));

        Assert.Equal("input", refused.Error.Param);
    }

    [Fact]
    public void ReadTokenCount_OwnAnswer_IsTheCount()
    {
        ArrayBufferWriter<byte> answer = new();
        ProtocolList.BedrockInvoke.WriteTokenCount(42, answer);

        Assert.Equal("""{"inputTokens":42}""", Encoding.UTF8.GetString(answer.WrittenSpan));
        Assert.Equal(42, ProtocolList.BedrockConverse.ReadTokenCount(answer.WrittenMemory));
        Assert.Throws<ProtocolException>(() => ProtocolList.BedrockConverse.ReadTokenCount("""{"inputTokens":"42"}"""u8.ToArray()));
    }
}
