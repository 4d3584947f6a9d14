using System.Buffers;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests;

/// <summary>What every reader promises of the frames that are only passed on.</summary>
public class ResponseReaderTests
{
    private const string OpenAIStart =
        """data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1741570283,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""";

    private const string OpenAIChunk =
        """data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1741570283,"model":"gpt-4o-mini","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" w\u00f6rd, \"quoted\" and plain"},"logprobs":null,"finish_reason":null}]}""";

    private const string OpenAIToolChunk =
        """data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1741570283,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]},"finish_reason":null}]}""";

    private const string AnthropicStart =
        "event: message_start\n" + """data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}""";

    private const string AnthropicChunk =
        "event: content_block_delta\n" + """data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" w\u00f6rd, \"quoted\" and plain"}}""";

    private const string ConverseStart = "event: messageStart\n" + """data: {"role":"assistant","p":"abc"}""";

    private const string ConverseChunk =
        "event: contentBlockDelta\n" + """data: {"contentBlockIndex":0,"delta":{"text":" w\u00f6rd, \"quoted\" and plain"},"p":"abcdefgh"}""";

    private const string ConverseThinkingChunk =
        "event: contentBlockDelta\n" + """data: {"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Hm"}},"p":"abcdefgh"}""";

    private const string GeminiStart =
        """data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9},"modelVersion":"gemini-3-pro","responseId":"r1"}""";

    private const string GeminiChunk =
        """data: {"candidates":[{"content":{"parts":[{"text":" w\u00f6rd, \"quoted\" and plain"},{"functionCall":{"name":"f","args":{"city":"Rome"}},"thoughtSignature":"c2ln"}],"role":"model"},"index":0,"safetyRatings":[{"category":"HARM_CATEGORY_HARASSMENT","probability":"NEGLIGIBLE"}]}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":3,"thoughtsTokenCount":20,"totalTokenCount":32,"promptTokensDetails":[{"modality":"TEXT","tokenCount":9}]},"modelVersion":"gemini-3-pro","responseId":"r1"}""";

    private const string ResponsesStart =
        "event: response.created\n" + """data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1741570283,"status":"in_progress","model":"gpt-5","output":[]}}""";

    private const string ResponsesChunk =
        "event: response.output_text.delta\n" + """data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"delta":" w\u00f6rd, \"quoted\" and plain","logprobs":[],"obfuscation":"x1"}""";

    private const string ResponsesToolChunk =
        "event: response.function_call_arguments.delta\n" + """data: {"type":"response.function_call_arguments.delta","sequence_number":4,"item_id":"fc_1","output_index":0,"delta":"{\"city\":"}""";

    private const string OllamaChunk = """{"model":"qwen3","created_at":"2026-08-06T06:29:40.054952Z","message":{"role":"assistant","content":" w\u00f6rd, \"quoted\" and plain"},"done":false}""";

    private const string CohereStart =
        "event: message-start\n" + """data: {"id":"c-1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}""";

    private const string CohereChunk =
        "event: content-delta\n" + """data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":" w\u00f6rd, \"quoted\" and plain"}}}}""";

    [Theory]
    [InlineData("gemini", GeminiStart, GeminiChunk, false)]
    [InlineData("gemini", GeminiStart, GeminiChunk, true)]
    [InlineData("bedrock-converse", ConverseStart, ConverseChunk, false)]
    [InlineData("bedrock-converse", ConverseStart, ConverseChunk, true)]
    [InlineData("bedrock-converse", ConverseStart, ConverseThinkingChunk, false)]
    [InlineData("openai-responses", ResponsesStart, ResponsesChunk, false)]
    [InlineData("openai-responses", ResponsesStart, ResponsesChunk, true)]
    [InlineData("openai-responses", ResponsesStart, ResponsesToolChunk, false)]
    [InlineData("openai-chat", OpenAIStart, OpenAIChunk, false)]
    [InlineData("openai-chat", OpenAIStart, OpenAIChunk, true)]
    [InlineData("openai-chat", OpenAIStart, OpenAIToolChunk, false)]
    [InlineData("anthropic-messages", AnthropicStart, AnthropicChunk, false)]
    [InlineData("anthropic-messages", AnthropicStart, AnthropicChunk, true)]
    [InlineData("ollama-chat", "", OllamaChunk, false)]
    [InlineData("ollama-chat", "", OllamaChunk, true)]
    [InlineData("cohere-chat", CohereStart, CohereChunk, false)]
    [InlineData("cohere-chat", CohereStart, CohereChunk, true)]
    public void TryReadFrame_ContentThatIsPassedOn_AllocatesNothing(string protocol, string start, string chunk, bool isCutInTwo)
    {
        const int frames = 2_000;
        const int rounds = 20;
        ResponseReader reader = ProtocolList.Find(protocol)!.OpenReader(new ReaderOptions { Stream = true, Depth = ReadDepth.UsageOnly, Vendor = "openai" });
        Assert.Equal(0, Read(reader, Sequence(protocol, start, isCutInTwo), 1)); // a greeting is no content
        ReadOnlySequence<byte> frame = Sequence(protocol, chunk, isCutInTwo);
        Assert.Equal(100, Read(reader, frame, 100)); // the first of its kind may set up a buffer

        // A collection or a return to the pool in the middle of a round is charged to whatever thread is at hand: one round without a byte proves it,
        // and a reader that allocates for a frame does so in every round.
        long allocated = long.MaxValue;
        for (int round = 0; round < rounds && allocated != 0; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            int withContent = Read(reader, frame, frames);
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(frames, withContent);
        }

        Assert.Equal(0, allocated);
    }

    /// <summary>Reads the same frame so many times; gives how many of them were content.</summary>
    private static int Read(ResponseReader reader, ReadOnlySequence<byte> frame, int times)
    {
        int withContent = 0;
        for (int i = 0; i < times; i++)
        {
            ReadOnlySequence<byte> buffer = frame;
            bool isTaken = reader.TryReadFrame(ref buffer, isCompleted: false, out _, out FrameSignals signals);
            withContent += isTaken && (signals & FrameSignals.Content) != 0 ? 1 : 0;
        }

        return withContent;
    }

    private static ReadOnlySequence<byte> Sequence(string protocol, string text, bool isCutInTwo)
    {
        byte[] bytes = Form.Bytes(ProtocolList.Find(protocol)!, stream: true, text + "\n\n");
        if (!isCutInTwo)
        {
            return new ReadOnlySequence<byte>(bytes);
        }

        Piece first = new(bytes.AsMemory(0, bytes.Length / 2), 0);
        Piece second = first.Append(bytes.AsMemory(bytes.Length / 2));
        return new ReadOnlySequence<byte>(first, 0, second, second.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public Piece Append(ReadOnlyMemory<byte> memory)
        {
            Piece next = new(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
