using System.Buffers;
using System.Text;
using Ballast.Protocols;
using BenchmarkDotNet.Attributes;

namespace Ballast.Benchmarks;

/// <summary>The first look at a request, and the caller's bytes with the model's name replaced.</summary>
public class RequestBenchmarks
{
    private static readonly RequestTarget Target = new() { Model = "gpt-4o-mini-2024-07-18", Vendor = "openai", Features = TargetFeatures.StreamUsage };

    private readonly ArrayBufferWriter<byte> _output = new(1 << 17);
    private byte[] _body = [];

    [Params(600, 48_000)]
    public int BodyBytes { get; set; }

    [GlobalSetup]
    public void Prepare() => _body = Encoding.UTF8.GetBytes(
        $$"""{"model":"gpt-4o-mini","messages":[{"role":"user","content":"{{string.Concat(Enumerable.Repeat("A paragraph of the contract follows. ", BodyBytes / 37))}}"}],"stream":true}""");

    [Benchmark]
    public int OpenAI_PeekAndSplice() => PeekAndSplice(ProtocolList.OpenAIChat);

    [Benchmark]
    public int Anthropic_PeekAndSplice() => PeekAndSplice(ProtocolList.AnthropicMessages);

    private int PeekAndSplice(Protocol protocol)
    {
        _output.ResetWrittenCount();
        protocol.SpliceRequest(protocol.Peek(_body), Target, _output);
        return _output.WrittenCount;
    }
}
