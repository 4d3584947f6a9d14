using Ballast.Transport;
using Microsoft.Extensions.Logging;

namespace Ballast.Server;

/// <summary>The port for clients, whichever engine serves it.</summary>
internal abstract class ClientPort : IAsyncDisposable
{
    /// <summary>
    /// What an engine takes of a body, in bytes; <see cref="Ballast.Configuration.LimitsOptions.RequestBodyBytesMax"/> is checked by the gateway itself. What lies
    /// beyond is read and thrown away (for 5 seconds at most) so that the client sees the refusal: a connection closed on unread bytes is reset, and the answer is lost.
    /// </summary>
    protected const long DiscardBytesMax = 2L * 1024 * 1024 * 1024;

    /// <param name="address">Where to listen.</param>
    /// <param name="loops">The loops of the program's own engine; null for the framework's.</param>
    /// <param name="logging">For the framework's engine.</param>
    /// <param name="tls">What the port proves itself with: the framework's engine has TLS and HTTP/2 by ALPN. Null for clear text.</param>
    /// <param name="asksClients">Clients must show a certificate, where authorities for them are named.</param>
    public static ClientPort Open(Uri address, EventLoops? loops, ILoggerFactory logging, TlsCertificate? tls = null, bool asksClients = false) =>
        loops is null || tls is not null ? new KestrelClientPort(address, logging, tls, asksClients) : new Http1ClientPort(address, loops, logging);

    /// <summary>Begins to take requests and returns the address they reach.</summary>
    /// <exception cref="AddressInUseException">The port is taken.</exception>
    public abstract Task<Uri> StartAsync(Func<HttpCall, Task> handle, CancellationToken cancellation);

    /// <summary>Takes no more connections and waits for the running requests; what outlasts the token is cut.</summary>
    public abstract Task StopAsync(CancellationToken cancellation);

    public abstract ValueTask DisposeAsync();

    private sealed class KestrelClientPort(Uri address, ILoggerFactory logging, TlsCertificate? tls, bool asksClients) : ClientPort
    {
        private readonly HttpPort _port = new(address, DiscardBytesMax, logging, tls, asksClients);

        public override Task<Uri> StartAsync(Func<HttpCall, Task> handle, CancellationToken cancellation) =>
            _port.StartAsync(http => handle(new KestrelCall(http)), cancellation);

        public override Task StopAsync(CancellationToken cancellation) => _port.StopAsync(cancellation);

        public override ValueTask DisposeAsync() => _port.DisposeAsync();
    }
}
