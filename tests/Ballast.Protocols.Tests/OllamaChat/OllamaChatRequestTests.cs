using System.Buffers;
using System.Text;

namespace Ballast.Protocols.Tests.OllamaChat;

/// <summary>Requests on their way to Ollama, whose words mean something else where other platforms refuse them.</summary>
public sealed class OllamaChatRequestTests
{
    [Theory]
    [InlineData("openai-chat", """{"model":"m","max_completion_tokens":-1,"messages":[{"role":"user","content":"x"}]}""", "max_completion_tokens")]
    [InlineData("openai-responses", """{"model":"m","max_output_tokens":0,"input":"x"}""", "max_output_tokens")]
    [InlineData("anthropic-messages", """{"model":"m","max_tokens":-2,"messages":[{"role":"user","content":"x"}]}""", "max_tokens")]
    [InlineData("gemini", """{"model":"m","contents":[{"role":"user","parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":-5}}""", "generationConfig.maxOutputTokens")]
    public void WriteRequest_LimitBelowOne_IsRefusedRatherThanBecomingNone(string protocol, string body, string param)
    {
        ProtocolException refused = Assert.Throws<ProtocolException>(() => Write(protocol, body));
        Assert.Equal(param, refused.Error.Param);
    }

    [Fact]
    public void WriteRequest_OwnLimitBelowOne_GoesOn() =>
        Assert.Contains("\"num_predict\":-1", Write("ollama-chat", """{"model":"m","options":{"num_predict":-1},"messages":[{"role":"user","content":"x"}]}"""), StringComparison.Ordinal);

    private static string Write(string protocol, string body)
    {
        ArrayBufferWriter<byte> output = new();
        RequestTarget target = new() { Model = "t", Vendor = "meta", Features = TargetFeatures.None };
        ProtocolList.OllamaChat.WriteRequest(ProtocolList.Find(protocol)!.ReadRequest(Encoding.UTF8.GetBytes(body)), target, new LossReport(), output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
