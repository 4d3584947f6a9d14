using System.Runtime.CompilerServices;
using Ballast.Exchanges;
using Ballast.Transport;
using Ballast.Transport.Http1;

namespace Ballast.Upstream.Http1;

/// <summary>
/// One standing connection to an upstream. It carries one exchange at a time; between them it waits in its pool, where anything that it receives, the end included,
/// makes it useless.
/// </summary>
public sealed class UpstreamConnection : IConnectionObserver, IDisposable
{
    /// <summary>Up to this size a body goes out with its head in one piece: copying it costs less than a second one.</summary>
    private const int JoinedBytesMax = 16 * 1024;

    private readonly Http1Pool _pool;
    private readonly Connection _connection;
    private readonly long _openedAt;
    private ValueTask _readable;
    private bool _isWatched;
    private long _idleSince;

    /// <param name="pool">Where it goes back to.</param>
    /// <param name="connection">What bytes go over.</param>
    /// <param name="socket">What reports that the other side has closed.</param>
    public UpstreamConnection(Http1Pool pool, Connection connection, Connection socket)
    {
        _pool = pool;
        _connection = connection;
        _openedAt = pool.Time.GetTimestamp();
        socket.Observer = this;
    }

    public EventLoop? Loop => _connection.Loop;

    internal ResponseHead Head { get; } = new();

    internal ChunkedCoding Chunks { get; } = new();

    /// <summary>It has carried an exchange before: the upstream may have closed it meanwhile.</summary>
    internal bool IsReused { get; private set; }

    /// <summary>
    /// Sends, and returns at the answer's head. Whatever goes wrong, the connection is disposed of. Where it was stale and the upstream cannot have had the whole
    /// request, a fresh one carries it.
    /// </summary>
    /// <exception cref="UpstreamException">No answer came, and sending it once more might ask twice.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<UpstreamAnswer> ExchangeAsync(UpstreamMessage message, CancellationToken cancellation)
    {
        CancellationTokenRegistration registration = cancellation.UnsafeRegister(static state => ((UpstreamConnection)state!)._connection.Abort(), this);
        Http1Body body = new(this, registration, cancellation);
        bool isSent = false;
        try
        {
            await SendAsync(message).ConfigureAwait(false);
            isSent = true;
            await WaitReadableAsync().ConfigureAwait(false);
            Head.Begin();
            while (!body.TakeHead(await ReceiveAsync(body.HeadRoom()).ConfigureAwait(false)))
            {
            }

            return new Http1Answer(this, body);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            body.Release(isWhole: false);
            cancellation.ThrowIfCancellationRequested();
            if (isSent || !IsReused)
            {
                throw new UpstreamException(GatewayError.ConnectionLost, exception);
            }
        }
        catch
        {
            body.Release(isWhole: false);
            throw;
        }

        return await _pool.SendFreshAsync(message, cancellation).ConfigureAwait(false);
    }

    /// <summary>Bytes received, at least one; 0 at the end.</summary>
    internal ValueTask<int> ReceiveAsync(Memory<byte> buffer) => _connection.ReceiveAsync(buffer);

    /// <summary>Returns when there may be something to read. Where it waited for that already while it was idle, it goes on with the same wait.</summary>
    internal ValueTask WaitReadableAsync()
    {
        if (!_isWatched)
        {
            return _connection.WaitReadableAsync();
        }

        _isWatched = false;
        ValueTask readable = _readable;
        _readable = default;
        return readable;
    }

    /// <summary>Breaks off whatever it carries, from any thread.</summary>
    internal void Abort() => _connection.Abort();

    /// <summary>Watches the connection while nobody uses it: an upstream says nothing unasked.</summary>
    internal void BeginIdle(long now)
    {
        IsReused = true;
        _idleSince = now;
#pragma warning disable CA2012 // Awaited once: by the next exchange, as its wait for the answer.
        _readable = _connection.WaitReadableAsync();
#pragma warning restore CA2012
        _isWatched = true;
    }

    /// <summary>It can carry one more exchange. Only while it is idle.</summary>
    internal bool IsUsable(long now) =>
        !_readable.IsCompleted && !_connection.IsPeerClosed
        && _pool.Time.GetElapsedTime(_idleSince, now) < Http1Pool.IdleMax && IsYoung(now);

    internal bool IsYoung(long now) => _pool.Time.GetElapsedTime(_openedAt, now) < Http1Pool.AgeMax;

    void IConnectionObserver.PeerClosed() => _pool.DropIfIdle(this);

    void IConnectionObserver.Tick() => _pool.DropIfSpent(this);

    /// <summary>Gives the connection back or ends it, at once and with a reset where it was in the middle of something.</summary>
    internal void End(bool isReusable)
    {
        if (isReusable)
        {
            _pool.Return(this);
            return;
        }

        _connection.Abort();
        Dispose();
    }

    public void Dispose() => _connection.Dispose();

    private async ValueTask SendAsync(UpstreamMessage message)
    {
        using PooledBuffer head = new();
        _pool.Head.Write(message, head);
        ReadOnlyMemory<byte> body = message.Body;
        if (body.Length <= JoinedBytesMax)
        {
            body.Span.CopyTo(head.GetSpan(body.Length));
            head.Advance(body.Length);
            body = default;
        }

        message.BeginSend();
        try
        {
            await _connection.SendAsync(head.WrittenMemory, body).ConfigureAwait(false);
            if (message.IsStream)
            {
                await _connection.SendAsync(default).ConfigureAwait(false);
            }
        }
        finally
        {
            // Whether it went well or not, the connection looks at these bytes no more.
            message.EndSend();
        }
    }
}
