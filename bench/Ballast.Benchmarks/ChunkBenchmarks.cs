using System.Buffers;
using System.Text;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using BenchmarkDotNet.Attributes;

namespace Ballast.Benchmarks;

/// <summary>One chunk of a stream: read and passed on, read and translated.</summary>
public class ChunkBenchmarks
{
    private const int Chunks = 1000;

    private static readonly byte[] OpenAI = Encoding.UTF8.GetBytes(
        """data: {"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion.chunk","created":1741570283,"model":"gpt-4o-mini-2024-07-18","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]}"""
        + "\n\n");

    private static readonly byte[] AnthropicStart = Encoding.UTF8.GetBytes(
        "event: message_start\n" + """data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}""" + "\n\n"
        + "event: content_block_start\n" + """data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""" + "\n\n");

    private static readonly byte[] Anthropic = Encoding.UTF8.GetBytes(
        "event: content_block_delta\n" + """data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" token"}}""" + "\n\n");

    private readonly ArrayBufferWriter<byte> _output = new(1 << 20);

    [Benchmark(OperationsPerInvoke = Chunks)]
    public long OpenAI_PassedOn() => PassOn(ProtocolList.OpenAIChat, [], OpenAI);

    [Benchmark(OperationsPerInvoke = Chunks)]
    public long Anthropic_PassedOn() => PassOn(ProtocolList.AnthropicMessages, AnthropicStart, Anthropic);

    [Benchmark(OperationsPerInvoke = Chunks)]
    public long OpenAI_ToAnthropic() => Translate(ProtocolList.OpenAIChat, [], OpenAI, ProtocolList.AnthropicMessages);

    [Benchmark(OperationsPerInvoke = Chunks)]
    public long Anthropic_ToOpenAI() => Translate(ProtocolList.AnthropicMessages, AnthropicStart, Anthropic, ProtocolList.OpenAIChat);

    private long PassOn(Protocol protocol, byte[] start, byte[] chunk)
    {
        ResponseReader reader = protocol.OpenReader(new ReaderOptions { Stream = true, Depth = ReadDepth.UsageOnly, Vendor = "openai" });
        _output.ResetWrittenCount();
        Read(reader, start, null);
        for (int i = 0; i < Chunks; i++)
        {
            Read(reader, chunk, null);
        }

        return _output.WrittenCount;
    }

    private long Translate(Protocol from, byte[] start, byte[] chunk, Protocol to)
    {
        ResponseReader reader = from.OpenReader(new ReaderOptions { Stream = true, Depth = ReadDepth.Everything, Vendor = "openai" });
        ResponseWriter writer = to.OpenWriter(new WriterOptions { Stream = true, FallbackId = "req_1", Model = "model", CreatedUnixSeconds = 1741570283 });
        _output.ResetWrittenCount();
        Read(reader, start, writer);
        for (int i = 0; i < Chunks; i++)
        {
            Read(reader, chunk, writer);
        }

        return _output.WrittenCount;
    }

    private void Read(ResponseReader reader, byte[] bytes, ResponseWriter? writer)
    {
        ReadOnlySequence<byte> buffer = new(bytes);
        while (reader.TryReadFrame(ref buffer, isCompleted: false, out ReadOnlySequence<byte> frame, out _))
        {
            if (writer is null)
            {
                _output.Write(frame.FirstSpan);
                continue;
            }

            foreach (ChatEvent chatEvent in reader.Events)
            {
                writer.Write(chatEvent, _output);
            }
        }
    }
}
