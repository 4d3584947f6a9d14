using System.Buffers;
using System.Text;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.Invariants;

/// <summary>Fields that say nothing beside those that cross are no loss; the same fields with something to say are.</summary>
public sealed class SilentFieldTests
{
    private const string Candidates = """{"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":"STOP"}],"usageMetadata":""";

    private const string Choices = """{"id":"c1","object":"chat.completion","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Hi"}}],""";

    [Theory]
    [InlineData("""{"promptTokenCount":9,"candidatesTokenCount":4,"promptTokensDetails":[{"modality":"TEXT","tokenCount":9}],"candidatesTokensDetails":[{"modality":1,"tokenCount":4}]}}""", "")]
    [InlineData("""{"promptTokenCount":9,"candidatesTokenCount":4,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8}]}}""", "/usageMetadata/promptTokensDetails")]
    [InlineData("""{"promptTokenCount":9,"candidatesTokenCount":4,"promptTokensDetails":[{"modality":"TEXT","tokenCount":4},{"modality":"IMAGE","tokenCount":5}]}}""", "/usageMetadata/promptTokensDetails")]
    [InlineData("""{"promptTokenCount":9,"candidatesTokenCount":4,"promptTokensDetails":[{"modality":"TEXT","tokenCount":9,"x":1}]}}""", "/usageMetadata/promptTokensDetails")]
    [InlineData("""{"promptTokenCount":9,"cachedContentTokenCount":3,"cacheTokensDetails":[{"modality":"TEXT","tokenCount":3}],"toolUsePromptTokensDetails":[{"modality":"AUDIO"}]}}""", "")]
    [InlineData("""{"promptTokenCount":9,"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":3}]}}""", "/usageMetadata/cacheTokensDetails")]
    public void Read_GeminiTokensByModality_AreNamedWhereTheyAreNotAllText(string usage, string losses) => Check("gemini", Candidates + usage, losses);

    [Theory]
    [InlineData("""'usage':{'prompt_tokens':9,'completion_tokens':7,'total_tokens':16,'prompt_tokens_details':{'text_tokens':9},'completion_tokens_details':{'reasoning_tokens':3,'text_tokens':4}}}""", "")]
    [InlineData("""'usage':{'prompt_tokens_details':{'text_tokens':9},'completion_tokens_details':{'text_tokens':7},'prompt_tokens':9,'completion_tokens':7,'total_tokens':16}}""", "")]
    [InlineData("""'usage':{'prompt_tokens':9,'completion_tokens':7,'total_tokens':16,'prompt_tokens_details':{'text_tokens':8},'completion_tokens_details':{'text_tokens':6}}}""",
        "/usage/completion_tokens_details/text_tokens /usage/prompt_tokens_details/text_tokens")]
    [InlineData("""'obfuscation':'x7','p':'abcdefgh','usage':{'prompt_tokens':9,'completion_tokens':7,'total_tokens':16}}""", "")]
    [InlineData("""'obfuscation':7,'p':'hello','usage':{'prompt_tokens':9,'completion_tokens':7,'total_tokens':16}}""", "/obfuscation /p")]
    [InlineData("""'type':'end_of_stream','usage':{'prompt_tokens':9,'completion_tokens':7,'total_tokens':16}}""", "/type")]
    [InlineData("""'usage':{'prompt_tokens':9,'completion_tokens':7,'total_tokens':16,'service_tier':'standard'}}""", "")]
    [InlineData("""'service_tier':'default','usage':{'prompt_tokens':9,'completion_tokens':7,'total_tokens':16,'service_tier':'standard'}}""", "")]
    [InlineData("""'service_tier':'default','usage':{'prompt_tokens':9,'completion_tokens':7,'total_tokens':16,'service_tier':'priority'}}""", "/usage/service_tier")]
    [InlineData("""'usage':{'prompt_tokens':9,'completion_tokens':7,'total_tokens':16,'service_tier':'flex'}}""", "/usage/service_tier")]
    public void Read_ChatUsage_IsNamedWhereItSaysSomething(string rest, string losses) => Check("openai-chat", Choices + rest.Replace('\'', '"'), losses);

    private static void Check(string name, string body, string expected)
    {
        Protocol protocol = ProtocolList.Find(name)!;
        LossReport losses = new();
        ReaderOptions options = new() { Stream = false, Depth = ReadDepth.Everything, Vendor = "v", Losses = losses };
        AnswerRun.Result read = AnswerRun.Read(protocol, options, body);
        AnswerRun.Write(ProtocolList.AnthropicMessages, new WriterOptions { Stream = false, FallbackId = "f", Model = "m", CreatedUnixSeconds = 1, Losses = losses }, read.Events);
        Assert.Equal(expected, string.Join(' ', losses.Losses.Select(loss => loss.Pointer).Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("openai", "gpt-4o-mini", "", "")]
    [InlineData("openai", "gpt-5", "", "/think")]
    [InlineData("openai", "o3-mini", "", "/think")]
    [InlineData("openai", "gpt-5.1", "none", "")]
    [InlineData("openai", "gpt-5.2-codex", "none", "")]
    [InlineData("openai", "my-deployment", "", "/think")]
    [InlineData("qwen", "qwen3:4b", "none", "")]
    public void WriteRequest_NoReasoning_IsSaidWhereTheModelTakesTheWord(string vendor, string model, string effort, string losses)
    {
        ArrayBufferWriter<byte> output = new();
        LossReport report = new();
        RequestTarget target = new() { Model = model, Vendor = vendor, Features = TargetFeatures.ReasoningEffort };
        ProtocolList.OpenAIChat.WriteRequest(
            ProtocolList.OllamaChat.ReadRequest(Encoding.UTF8.GetBytes("""{"model":"m","stream":false,"think":false,"messages":[{"role":"user","content":"x"}]}""")), target, report, output);
        string written = Encoding.UTF8.GetString(output.WrittenSpan);
        Assert.Equal(effort.Length > 0, written.Contains($"\"reasoning_effort\":\"{effort}\"", StringComparison.Ordinal));
        Assert.Equal(effort.Length > 0, written.Contains("reasoning_effort", StringComparison.Ordinal));
        Assert.Equal(losses, string.Join(' ', report.Losses.Select(loss => loss.Pointer)));
    }
}
