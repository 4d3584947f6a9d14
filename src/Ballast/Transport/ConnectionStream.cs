using System.Runtime.CompilerServices;

namespace Ballast.Transport;

/// <summary>A connection as a stream, for what only knows streams: TLS. Reading into no buffer waits until there is something to read.</summary>
public sealed class ConnectionStream(Connection connection) : Stream
{
    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!buffer.IsEmpty)
        {
            return connection.ReceiveAsync(buffer);
        }

        ValueTask waiting = connection.WaitReadableAsync();
        return waiting.IsCompletedSuccessfully ? new ValueTask<int>(0) : NothingAsync(waiting);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => connection.SendAsync(buffer);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
        // What is written is sent.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("The loop's thread must not block.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("The loop's thread must not block.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<int> NothingAsync(ValueTask waiting)
    {
        await waiting.ConfigureAwait(false);
        return 0;
    }
}
