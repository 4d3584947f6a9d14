using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Ballast.Transport;
using Microsoft.AspNetCore.Connections;

namespace Ballast.Server;

/// <summary>
/// Clients that begin in HTTP/2 on a port in clear text, as those of AWS do ("prior knowledge", RFC 9113 3.3): the engine takes their connections and hands them to
/// Kestrel, which speaks it. To Kestrel this is where connections come from, in place of a socket that it listens on.
/// </summary>
internal sealed class Http2Bridge : IConnectionListenerFactory, IConnectionListenerFactorySelector, IConnectionListener
{
    private readonly Channel<ConnectionContext> _arriving = Channel.CreateUnbounded<ConnectionContext>(new UnboundedChannelOptions { SingleReader = true });
    private long _taken;

    public EndPoint EndPoint { get; } = new Place();

    /// <summary>What such a client sends before anything else.</summary>
    public static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Has Kestrel serve the connection, from its first byte; returns when it is over.</summary>
    public async Task CarryAsync(Connection connection, ReadOnlyMemory<byte> received)
    {
        await using Carried carried = new(connection, received, Interlocked.Increment(ref _taken));
        if (_arriving.Writer.TryWrite(carried))
        {
            await carried.Over.ConfigureAwait(false);
        }
    }

    public bool CanBind(EndPoint endpoint) => endpoint == EndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(this);

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _arriving.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_arriving.Reader.TryRead(out ConnectionContext? arrived))
            {
                return arrived;
            }
        }

        return null;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _arriving.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => UnbindAsync();

    private sealed class Place : EndPoint
    {
        public override string ToString() => "http://http2-in-clear-text";
    }

    /// <summary>One connection as Kestrel sees it.</summary>
    private sealed class Carried : DefaultConnectionContext
    {
        private readonly Connection _connection;
        private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Carried(Connection connection, ReadOnlyMemory<byte> received, long number)
            : base($"h2c-{number}")
        {
            _connection = connection;
            RemoteEndPoint = connection.RemoteAddress is { } address ? new IPEndPoint(address, 0) : null;
            ReplayStream stream = new(connection, received);
            Transport = new Duplex(PipeReader.Create(stream), PipeWriter.Create(stream));
        }

        public Task Over => _over.Task;

        public override void Abort(Microsoft.AspNetCore.Connections.ConnectionAbortedException abortReason) => _connection.Abort();

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync().ConfigureAwait(false);
            _over.TrySetResult();
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>The connection with what was read of it already before it.</summary>
    private sealed class ReplayStream(Connection connection, ReadOnlyMemory<byte> received) : Stream
    {
        private readonly ConnectionStream _rest = new(connection);
        private ReadOnlyMemory<byte> _received = received;

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
            if (_received.IsEmpty)
            {
                return _rest.ReadAsync(buffer, cancellationToken);
            }

            int count = Math.Min(buffer.Length, _received.Length);
            _received[..count].CopyTo(buffer);
            _received = _received[count..];
            return new ValueTask<int>(count);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _rest.WriteAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush()
        {
            // What is written is sent.
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
