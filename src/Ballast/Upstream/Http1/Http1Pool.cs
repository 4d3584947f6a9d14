using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Transport;

namespace Ballast.Upstream.Http1;

/// <summary>
/// Connections to one address by HTTP/1.1, kept for each loop apart: a request's client and its upstream are worked on in the same thread. A request that finds none
/// idle opens one.
/// </summary>
public sealed class Http1Pool : UpstreamPool
{
    /// <summary>Longest time that a connection waits for its next exchange.</summary>
    public static readonly TimeSpan IdleMax = TimeSpan.FromSeconds(90);

    /// <summary>Longest use of a connection: names are resolved anew after it.</summary>
    public static readonly TimeSpan AgeMax = TimeSpan.FromMinutes(5);

    private readonly EventLoops _loops;
    private readonly Func<IPAddress, bool> _isAllowed;
    private readonly DnsEndPoint _endPoint;
    private readonly SslClientAuthenticationOptions? _tls;
    private readonly TimeSpan _connectTimeout;
    private readonly IdleList[] _idle;
    private volatile bool _isDisposed;

    public Http1Pool(EventLoops loops, TimeProvider time, Uri address, Func<IPAddress, bool> isAllowed, CertificateAuthority? ca, TimeSpan connectTimeout)
    {
        _loops = loops;
        Time = time;
        _isAllowed = isAllowed;
        _connectTimeout = connectTimeout;
        _endPoint = new DnsEndPoint(address.IdnHost, address.Port);
        Head = new RequestHeadWriter(address);
        _idle = [.. loops.All.Select(_ => new IdleList())];
        if (address.Scheme == Uri.UriSchemeHttps)
        {
            _tls = ServerTrust.OptionsFor(ca);
            _tls.TargetHost = address.IdnHost;
            _tls.ApplicationProtocols = [SslApplicationProtocol.Http11];
        }
    }

    internal TimeProvider Time { get; }

    internal RequestHeadWriter Head { get; }

    /// <summary>Connections that wait for an exchange.</summary>
    public int Idle => _idle.Sum(list => list.Count);

    public override ValueTask<UpstreamAnswer> SendAsync(UpstreamMessage message, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return Take() is { } idle ? idle.ExchangeAsync(message, cancellation) : SendFreshAsync(message, cancellation);
    }

    /// <summary>For a request that no connection is at hand for: none was idle, or the one that was had been closed, and did not take it.</summary>
    internal async ValueTask<UpstreamAnswer> SendFreshAsync(UpstreamMessage message, CancellationToken cancellation)
    {
        UpstreamConnection fresh = await OpenAsync(cancellation).ConfigureAwait(false);
        return await fresh.ExchangeAsync(message, cancellation).ConfigureAwait(false);
    }

    /// <summary>Called for a connection that is whole and carries nothing.</summary>
    internal void Return(UpstreamConnection connection)
    {
        long now = Time.GetTimestamp();
        if (_isDisposed || !connection.IsYoung(now))
        {
            connection.Dispose();
            return;
        }

        connection.BeginIdle(now);
        IdleList list = ListOf(connection);
        list.Add(connection);
        // Both may have happened before it was in the list, where alone it is looked for.
        if (_isDisposed ? list.Remove(connection) : list.RemoveSpent(connection, now))
        {
            connection.Dispose();
        }
    }

    internal void DropIfIdle(UpstreamConnection connection)
    {
        if (ListOf(connection).Remove(connection))
        {
            connection.Dispose();
        }
    }

    internal void DropIfSpent(UpstreamConnection connection)
    {
        if (ListOf(connection).RemoveSpent(connection, Time.GetTimestamp()))
        {
            connection.Dispose();
        }
    }

    protected override void Dispose(bool disposing)
    {
        _isDisposed = true;
        foreach (IdleList list in _idle)
        {
            while (list.TryTake(out UpstreamConnection? connection))
            {
                connection.Dispose();
            }
        }
    }

    /// <summary>The youngest of this thread's loop that is still good: those that are needed no more grow old.</summary>
    private UpstreamConnection? Take()
    {
        long now = Time.GetTimestamp();
        int own = IndexOf(EventLoop.Current);
        // A thread that is no loop's takes from any of them.
        for (int i = 0; i < _idle.Length; i++)
        {
            IdleList list = _idle[own >= 0 ? own : i];
            while (list.TryTake(out UpstreamConnection? connection))
            {
                if (connection.IsUsable(now))
                {
                    return connection;
                }

                connection.Dispose();
            }

            if (own >= 0)
            {
                break;
            }
        }

        return null;
    }

    private IdleList ListOf(UpstreamConnection connection) => _idle[IndexOf(connection.Loop)];

    private int IndexOf(EventLoop? loop)
    {
        for (int i = 0; loop is not null && i < _idle.Length; i++)
        {
            if (ReferenceEquals(_loops.All[i], loop))
            {
                return i;
            }
        }

        return -1;
    }

    private async ValueTask<UpstreamConnection> OpenAsync(CancellationToken cancellation)
    {
        using CancellationTokenSource timeout = new(_connectTimeout, Time);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            return await ConnectAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or SocketException or AuthenticationException or OperationCanceledException or ObjectDisposedException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new UpstreamException(
                exception switch
                {
                    AddressRefusedException => GatewayError.AddressRefused,
                    AuthenticationException => GatewayError.TlsFailed,
                    _ => GatewayError.ConnectFailed,
                },
                exception);
        }
    }

    private async ValueTask<UpstreamConnection> ConnectAsync(CancellationToken cancellation)
    {
        EventLoop loop = _loops.Mine;
        IPAddress[] addresses = await AddressPolicy.ResolveAsync(_endPoint.Host, _isAllowed, cancellation).ConfigureAwait(false);
        SocketException? refused = null;
        foreach (IPAddress address in addresses)
        {
            CancellationTokenRegistration registration = default;
            Connection? socket = null;
            try
            {
                socket = await loop.ConnectAsync(
                    new IPEndPoint(address, _endPoint.Port),
                    started => registration = cancellation.UnsafeRegister(static state => ((Connection)state!).Abort(), started)).ConfigureAwait(false);
                Connection connection = _tls is null ? socket : await SecureAsync(socket, _tls).ConfigureAwait(false);
                return new UpstreamConnection(this, connection, socket);
            }
            catch (SocketException exception)
            {
                refused = exception;
            }
            catch
            {
                socket?.Dispose();
                throw;
            }
            finally
            {
                await registration.DisposeAsync().ConfigureAwait(false);
            }

            cancellation.ThrowIfCancellationRequested();
        }

        throw refused ?? new SocketException((int)SocketError.HostNotFound);
    }

    private static async ValueTask<Connection> SecureAsync(Connection socket, SslClientAuthenticationOptions options)
    {
        SslStream stream = new(new ConnectionStream(socket), leaveInnerStreamOpen: true);
        try
        {
            // The registration that ends the connect ends this, too: a connection that is aborted fails its reads.
            await stream.AuthenticateAsClientAsync(options, CancellationToken.None).ConfigureAwait(false);
            return new StreamConnection(stream, socket);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Idle connections of one loop, the youngest last.</summary>
    private sealed class IdleList
    {
        private readonly Lock _lock = new();
        private readonly List<UpstreamConnection> _all = [];

        public int Count { get { lock (_lock) { return _all.Count; } } }

        public void Add(UpstreamConnection connection)
        {
            lock (_lock)
            {
                _all.Add(connection);
            }
        }

        public bool Remove(UpstreamConnection connection)
        {
            lock (_lock)
            {
                return _all.Remove(connection);
            }
        }

        /// <summary>Takes it out if it is idle and no good any more; what is in use is not looked at.</summary>
        public bool RemoveSpent(UpstreamConnection connection, long now)
        {
            lock (_lock)
            {
                return _all.Contains(connection) && !connection.IsUsable(now) && _all.Remove(connection);
            }
        }

        public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out UpstreamConnection? connection)
        {
            lock (_lock)
            {
                connection = _all.Count > 0 ? _all[^1] : null;
                if (connection is not null)
                {
                    _all.RemoveAt(_all.Count - 1);
                }

                return connection is not null;
            }
        }
    }
}
