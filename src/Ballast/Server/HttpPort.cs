using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Ballast.Server;

/// <summary>
/// One port: Kestrel and nothing around it. The host that makes it is never started: it would run middleware, make a scope and an activity for each request, and
/// its usual form watches the working folder for configuration files of its own, which is where the ledger writes.
/// </summary>
internal sealed class HttpPort : IAsyncDisposable
{
    /// <summary>Connections taken at once; the framework has no limit of its own.</summary>
    private const int ConnectionsMax = 20_000;

    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    private const int HeadersBytesMax = 32 * 1024;

    private readonly Uri _wanted;
    private readonly WebApplication _parts;
    private readonly IServer _server;

    /// <param name="address">Where to listen.</param>
    /// <param name="bodyBytesMax">Largest body.</param>
    /// <param name="logging">For Kestrel.</param>
    /// <param name="tls">What the port proves itself with, in HTTP/1.1 and HTTP/2; null for clear text.</param>
    public HttpPort(Uri address, long bodyBytesMax, ILoggerFactory logging, TlsCertificate? tls = null)
        : this(address, bodyBytesMax, logging, bridge: null, tls)
    {
    }

    /// <summary>Kestrel without a socket: it serves what comes over the bridge, in HTTP/2.</summary>
    public HttpPort(Http2Bridge bridge, long bodyBytesMax, ILoggerFactory logging)
        : this(new Uri("http://127.0.0.1"), bodyBytesMax, logging, bridge, tls: null)
    {
    }

    private HttpPort(Uri address, long bodyBytesMax, ILoggerFactory logging, Http2Bridge? bridge, TlsCertificate? tls)
    {
        _wanted = address;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        builder.Services.AddSingleton(logging);
        // Whatever a socket brings is worked on where it arrives: nothing on a request's path blocks, and a hop to another thread costs more than most of the work.
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.UseKestrelCore();
        if (bridge is not null)
        {
            builder.Services.AddSingleton<IConnectionListenerFactory>(bridge);
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = bodyBytesMax;
            kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
            kestrel.Limits.MaxRequestHeadersTotalSize = HeadersBytesMax;
            if (bridge is not null)
            {
                kestrel.Listen(bridge.EndPoint, static listen => listen.Protocols = HttpProtocols.Http2);
                return;
            }

            kestrel.Listen(IPAddress.Parse(address.Host == "localhost" ? "127.0.0.1" : address.Host.Trim('[', ']')), address.Port, listen => Secure(listen, tls));
        });
        _parts = builder.Build();
        _server = _parts.Services.GetRequiredService<IServer>();
    }

    /// <summary>Asked anew for every connection: a certificate that was renewed is used from the next one on.</summary>
    private static void Secure(ListenOptions listen, TlsCertificate? tls)
    {
        if (tls is null)
        {
            return;
        }

        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeTimeout,
            OnConnection = _ => new ValueTask<SslServerAuthenticationOptions>(
                new SslServerAuthenticationOptions { ServerCertificateContext = tls.Current, EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 }),
        });
    }

    /// <summary>Begins to take requests and returns the address they reach.</summary>
    /// <exception cref="Ballast.Server.AddressInUseException">The port is taken.</exception>
    public async Task<Uri> StartAsync(RequestDelegate handle, CancellationToken cancellation)
    {
        try
        {
            await _server.StartAsync(new Application(handle), cancellation).ConfigureAwait(false);
        }
        catch (IOException exception) when (exception.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new Ballast.Server.AddressInUseException(_wanted, exception);
        }

        return new Uri(_server.Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    /// <summary>Takes no more connections and waits for the running requests; what outlasts the token is cut.</summary>
    public Task StopAsync(CancellationToken cancellation) => _server.StopAsync(cancellation);

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    /// <summary>What Kestrel calls for each request. It keeps one context for each connection: they are used again.</summary>
    private sealed class Application(RequestDelegate handle) : IHttpApplication<DefaultHttpContext>
    {
        public DefaultHttpContext CreateContext(IFeatureCollection contextFeatures)
        {
            if (contextFeatures is not IHostContextContainer<DefaultHttpContext> connection)
            {
                return new DefaultHttpContext(contextFeatures);
            }

            if (connection.HostContext is not { } context)
            {
                return connection.HostContext = new DefaultHttpContext(contextFeatures);
            }

            context.Initialize(contextFeatures);
            return context;
        }

        public Task ProcessRequestAsync(DefaultHttpContext context) => handle(context);

        public void DisposeContext(DefaultHttpContext context, Exception? exception) => context.Uninitialize();
    }
}
