using Ballast.Protocols.Conversation;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.Conversation;

/// <summary>How soon an answer came has a price of its own, so each protocol's word for it must reach the usage, however the answer is read.</summary>
public sealed class ServiceTierTests
{
    public static TheoryData<string, bool, string, ServiceTier> Answers => new()
    {
        { "openai-chat", false, """{"id":"a","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2},"service_tier":"priority"}""", ServiceTier.Priority },
        { "openai-chat", false, """{"service_tier":"flex","id":"a","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}""", ServiceTier.Flex },
        { "openai-chat", false, """{"service_tier":"default","id":"a","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}""", ServiceTier.Standard },
        { "openai-chat", false, """{"service_tier":null,"id":"a","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}""", ServiceTier.Standard },
        { "openai-chat", true, "data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}],\"service_tier\":\"priority\"}\n\ndata: {\"id\":\"a\",\"choices\":[],\"service_tier\":\"priority\",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}\n\ndata: [DONE]\n\n", ServiceTier.Priority },
        { "anthropic-messages", false, """{"id":"a","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"x"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1,"service_tier":"batch"}}""", ServiceTier.Batch },
        { "anthropic-messages", false, """{"id":"a","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"x"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"service_tier":"priority","output_tokens":1}}""", ServiceTier.Priority },
        { "anthropic-messages", true, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":1,\"service_tier\":\"priority\"}}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", ServiceTier.Priority },
        { "openai-responses", false, """{"id":"a","object":"response","status":"completed","model":"m","output":[],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2},"service_tier":"flex"}""", ServiceTier.Flex },
        { "bedrock-converse", false, """{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2},"serviceTier":{"type":"priority"}}""", ServiceTier.Priority },
        { "bedrock-converse", true, "event: messageStart\ndata: {\"role\":\"assistant\"}\n\nevent: contentBlockDelta\ndata: {\"contentBlockIndex\":0,\"delta\":{\"text\":\"x\"}}\n\nevent: contentBlockStop\ndata: {\"contentBlockIndex\":0}\n\nevent: messageStop\ndata: {\"stopReason\":\"end_turn\"}\n\nevent: metadata\ndata: {\"serviceTier\":{\"type\":\"flex\"},\"usage\":{\"inputTokens\":1,\"outputTokens\":1,\"totalTokens\":2},\"metrics\":{\"latencyMs\":1}}\n\n", ServiceTier.Flex },
        { "gemini", false, """{"candidates":[{"content":{"role":"model","parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2,"trafficType":"ON_DEMAND_PRIORITY"}}""", ServiceTier.Priority },
        { "gemini", false, """{"candidates":[{"content":{"role":"model","parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":{"trafficType":"PROVISIONED_THROUGHPUT","promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}""", ServiceTier.Standard },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public void Answer_ReadInWholeOrWatched_TellsItsServiceTier(string protocol, bool stream, string body, ServiceTier expected)
    {
        Protocol spoken = ProtocolList.All.Single(one => one.Name == protocol);
        foreach (ReadDepth depth in Enum.GetValues<ReadDepth>())
        {
            AnswerRun.Result result = AnswerRun.Read(spoken, new ReaderOptions { Stream = stream, Depth = depth, Vendor = "test" }, body);

            Assert.Equal(expected, result.Reader.Usage?.ServiceTier);
            Assert.All(result.Events.OfType<UsageReported>(), reported => Assert.Equal(expected, reported.Usage.ServiceTier));
        }
    }
}
