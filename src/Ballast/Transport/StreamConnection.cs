using System.Net;
using System.Runtime.CompilerServices;

namespace Ballast.Transport;

/// <summary>A stream over a connection, such as TLS, that stands in for the connection itself.</summary>
/// <param name="stream">Where bytes are read and written; disposed of with this.</param>
/// <param name="inner">What the stream runs over: it is aborted and ended for the stream.</param>
public sealed class StreamConnection(Stream stream, Connection inner) : Connection
{
    public override EventLoop? Loop => inner.Loop;

    public override bool IsPeerClosed => inner.IsPeerClosed;

    public override IPAddress? RemoteAddress => inner.RemoteAddress;

    public override ValueTask WaitReadableAsync()
    {
        ValueTask<int> reading = stream.ReadAsync(Memory<byte>.Empty);
        return reading.IsCompletedSuccessfully ? default : WaitAsync(reading);
    }

    public override ValueTask<int> ReceiveAsync(Memory<byte> buffer) => stream.ReadAsync(buffer);

    public override ValueTask SendAsync(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second) =>
        first.IsEmpty && second.IsEmpty ? inner.SendAsync(default)
        : second.IsEmpty ? stream.WriteAsync(first) : first.IsEmpty ? stream.WriteAsync(second) : SendBothAsync(first, second);

    public override void EndSend() => inner.EndSend();

    public override void EndReceive() => inner.EndReceive();

    public override void Abort() => inner.Abort();

    protected override void Dispose(bool disposing)
    {
        stream.Dispose();
        inner.Dispose();
    }

    private async ValueTask SendBothAsync(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
    {
        await stream.WriteAsync(first).ConfigureAwait(false);
        await stream.WriteAsync(second).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask WaitAsync(ValueTask<int> reading) => await reading.ConfigureAwait(false);
}
