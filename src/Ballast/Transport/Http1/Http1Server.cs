using System.Globalization;
using System.Net;
using System.Text;

namespace Ballast.Transport.Http1;

/// <summary>Another protocol on the same port, told by how its clients begin.</summary>
/// <param name="Preface">Their first bytes, which are no request of HTTP/1.1.</param>
/// <param name="Serve">Serves a connection, with what was received of it; returns when it is over.</param>
public sealed record OtherProtocol(ReadOnlyMemory<byte> Preface, Func<Connection, ReadOnlyMemory<byte>, Task> Serve);

/// <summary>What a client is told whose request's head cannot be read.</summary>
/// <param name="ContentType">Of the body.</param>
/// <param name="Body">What it says.</param>
/// <param name="Headers">Besides the type, the length and the date.</param>
public sealed record RefusalText(string ContentType, ReadOnlyMemory<byte> Body, IReadOnlyList<KeyValuePair<string, string>> Headers);

/// <summary>A port that speaks HTTP/1.1, and every connection of its clients.</summary>
public sealed class Http1Server : IDisposable
{
    private readonly TimeProvider _time;
    private readonly HashSet<Http1Connection> _open = [];
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Listener _listener;
    private DateText _date = new(-1, []);
    private volatile bool _isStopping;

    /// <param name="address">Where to listen; port 0 takes a free one.</param>
    /// <param name="loops">Who works for the connections.</param>
    /// <param name="limits">What clients may take.</param>
    /// <param name="time">For the answers' date.</param>
    /// <param name="handle">Answers one request. It answers its own failures: an exception breaks the connection.</param>
    /// <param name="other">What else a client may speak from its first byte on; null for nothing.</param>
    /// <param name="tell">Puts a refusal in words; null tells its reason in plain text.</param>
    /// <exception cref="System.Net.Sockets.SocketException">The port is taken.</exception>
    public Http1Server(
        IPEndPoint address, EventLoops loops, Http1Limits limits, TimeProvider time, Func<HttpCall, Task> handle, OtherProtocol? other = null, Func<HeadRefusal, RefusalText>? tell = null)
    {
        Tell = tell ?? (static refusal => new RefusalText("text/plain", Encoding.ASCII.GetBytes(refusal.Reason + "\n"), []));
        Other = other;
        _time = time;
        Limits = limits;
        Handle = handle;
        _listener = new Listener(address, loops, limits.ConnectionsMax, Take);
        _listener.Start();
    }

    internal OtherProtocol? Other { get; }

    public IPEndPoint LocalAddress => _listener.LocalAddress;

    /// <summary>Connections that are open.</summary>
    public int Connections => _listener.Open;

    internal Http1Limits Limits { get; }

    internal Func<HttpCall, Task> Handle { get; }

    internal Func<HeadRefusal, RefusalText> Tell { get; }

    internal bool IsStopping => _isStopping;

    /// <summary>Takes no more connections and no more requests, and waits for the answers under way; what outlasts the token is broken off.</summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        _isStopping = true;
        _listener.Dispose();
        foreach ((Http1Connection connection, EventLoop? loop) in Open())
        {
            loop?.Post(static state => ((Http1Connection)state!).Stop(), connection);
        }

        EndIfEmpty();
        try
        {
            await _empty.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            foreach ((Http1Connection connection, _) in Open())
            {
                connection.Abort();
            }

            throw;
        }
    }

    public void Dispose()
    {
        _isStopping = true;
        _listener.Dispose();
        foreach ((Http1Connection connection, _) in Open())
        {
            connection.Abort();
        }
    }

    /// <summary>The date as answers tell it, made once a second.</summary>
    internal ReadOnlySpan<byte> Date(int second)
    {
        DateText date = _date;
        if (date.Second != second)
        {
            _date = date = new DateText(second, Encoding.ASCII.GetBytes(_time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture)));
        }

        return date.Bytes;
    }

    internal void Closed(Http1Connection connection)
    {
        _listener.Closed();
        lock (_gate)
        {
            _open.Remove(connection);
        }

        EndIfEmpty();
    }

    private void Take(SocketConnection socket)
    {
        Http1Connection connection = new(this, socket);
        lock (_gate)
        {
            _open.Add(connection);
        }

        _ = connection.RunAsync();
    }

    private (Http1Connection Connection, EventLoop? Loop)[] Open()
    {
        lock (_gate)
        {
            return [.. _open.Select(connection => (connection, connection.Loop))];
        }
    }

    private void EndIfEmpty()
    {
        if (!_isStopping)
        {
            return;
        }

        lock (_gate)
        {
            if (_open.Count == 0)
            {
                _empty.TrySetResult();
            }
        }
    }

    private sealed record DateText(int Second, byte[] Bytes);
}
