using System.Buffers;
using Ballast.Transport;

namespace Ballast.Gateway;

/// <summary>A request that the gateway makes of itself: its answer stays in memory.</summary>
internal sealed class HeldCall(CancellationToken aborted) : HttpCall
{
    private readonly ArrayBufferWriter<byte> _output = new();

    /// <summary>The answer's body.</summary>
    public ReadOnlyMemory<byte> Body => _output.WrittenMemory;

    public override string Method => "POST";
    public override string Path => "";
    public override long? ContentLength => 0;
    public override CancellationToken Aborted => aborted;
    public override int Status { get; set; } = 200;
    public override long? ResponseLength { get; set; }
    public override IBufferWriter<byte> Output => _output;

    public override string? Query(string name) => null;

    public override string? NextHeader(string name, ref int position) => null;

    public override ValueTask<int> ReadBodyAsync(Memory<byte> buffer) => new(0);

    public override void SetHeader(string name, string value)
    {
    }

    public override void ClearHeaders()
    {
    }

    public override ValueTask<bool> FlushAsync(CancellationToken cancellation) => new(true);

    public override void Abort()
    {
    }
}
