using System.Net;
using System.Net.Sockets;

namespace Ballast.Transport;

/// <summary>A port that is listened on: one loop takes the callers and hands them to all loops in turn.</summary>
public sealed class Listener : IListening, IDisposable
{
    private const int Backlog = 1024;

    private readonly Socket _socket;
    private readonly EventLoops _loops;
    private readonly EventLoop _loop;
    private readonly int _connectionsMax;
    private readonly Action<SocketConnection> _accepted;
    private readonly int _descriptor;
    private bool _isStarved;
    private bool _isStopped;
    private int _isDisposed;
    private int _open;

    /// <param name="address">Where to listen; port 0 takes a free one.</param>
    /// <param name="loops">Who works for the connections.</param>
    /// <param name="connectionsMax">Open at once; callers beyond are closed at once.</param>
    /// <param name="accepted">What is done with a connection, in its loop's thread. Whoever takes it calls <see cref="Closed"/> after it.</param>
    /// <exception cref="SocketException">The port is taken.</exception>
    public Listener(IPEndPoint address, EventLoops loops, int connectionsMax, Action<SocketConnection> accepted)
    {
        _loops = loops;
        _loop = loops.All[0];
        _connectionsMax = connectionsMax;
        _accepted = accepted;
        _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            _socket.Bind(address);
            _socket.Listen(Backlog);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        LocalAddress = (IPEndPoint)_socket.LocalEndPoint!;
        _descriptor = (int)_socket.SafeHandle.DangerousGetHandle();
    }

    public IPEndPoint LocalAddress { get; }

    /// <summary>Connections that were taken and are not closed.</summary>
    public int Open => Volatile.Read(ref _open);

    ulong IListening.Number { get; set; }

    /// <summary>Begins to take callers in.</summary>
    public void Start() => _loop.Watch(_descriptor, this);

    /// <summary>One of the connections is no more.</summary>
    public void Closed() => Interlocked.Decrement(ref _open);

    /// <summary>Takes nobody in any more.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
        {
            return;
        }

        using ManualResetEventSlim done = new();
        void Stop(object? state)
        {
            _isStopped = true;
            _loop.Forget(this);
            _socket.Dispose();
            done.Set();
        }

        if (ReferenceEquals(EventLoop.Current, _loop))
        {
            Stop(null);
            return;
        }

        _loop.Post(Stop, null);
        done.Wait();
    }

    void IListening.Report() => AcceptAll();

    void IListening.Tick()
    {
        // Out of descriptors the kernel keeps the callers, and does not report them again.
        if (_isStarved)
        {
            AcceptAll();
        }
    }

    private void AcceptAll()
    {
        _isStarved = false;
        while (!_isStopped)
        {
            int descriptor = SystemCalls.Accept(_descriptor);
            if (descriptor >= 0)
            {
                Take(descriptor);
                continue;
            }

            switch (-descriptor)
            {
                case ErrorNumber.Interrupted or ErrorNumber.ConnectionAborted:
                    continue;
                case ErrorNumber.WouldBlock:
                    return;
                default:
                    _isStarved = true;
                    return;
            }
        }
    }

    private void Take(int descriptor)
    {
        if (Interlocked.Increment(ref _open) > _connectionsMax)
        {
            Closed();
            SystemCalls.Close(descriptor);
            return;
        }

        SocketConnection connection;
        try
        {
            connection = _loops.Next().Adopt(descriptor);
        }
        catch (SocketException)
        {
            Closed();
            return;
        }

        if (ReferenceEquals(connection.Loop, _loop))
        {
            _accepted(connection);
        }
        else
        {
            connection.Loop.Post(static state =>
            {
                (Listener listener, SocketConnection connection) = ((Listener, SocketConnection))state!;
                listener._accepted(connection);
            }, (this, connection));
        }
    }
}
