using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
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
    /// <summary>The purpose of a client's certificate (RFC 5280, 4.2.1.12).</summary>
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly IServer _server;

    /// <param name="address">Where to listen.</param>
    /// <param name="bodyBytesMax">Largest body.</param>
    /// <param name="logging">For Kestrel.</param>
    /// <param name="tls">What the port proves itself with, in HTTP/1.1 and HTTP/2; null for clear text.</param>
    /// <param name="asksClients">Clients must prove themselves with a certificate of <see cref="TlsCertificate.ClientAuthorities"/>, where there are any.</param>
    public HttpPort(Uri address, long bodyBytesMax, ILoggerFactory logging, TlsCertificate? tls = null, bool asksClients = false)
        : this(address, bodyBytesMax, logging, bridge: null, tls, asksClients)
    {
    }

    /// <summary>Kestrel without a socket: it serves what comes over the bridge, in HTTP/2.</summary>
    public HttpPort(Http2Bridge bridge, long bodyBytesMax, ILoggerFactory logging)
        : this(new Uri("http://127.0.0.1"), bodyBytesMax, logging, bridge, tls: null, asksClients: false)
    {
    }

    private HttpPort(Uri address, long bodyBytesMax, ILoggerFactory logging, Http2Bridge? bridge, TlsCertificate? tls, bool asksClients)
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

            kestrel.Listen(IPAddress.Parse(address.Host == "localhost" ? "127.0.0.1" : address.Host.Trim('[', ']')), address.Port, listen => Secure(listen, tls, asksClients));
        });
        _parts = builder.Build();
        _server = _parts.Services.GetRequiredService<IServer>();
    }

    /// <summary>Asked anew for every connection: a certificate that was renewed is used from the next one on.</summary>
    private static void Secure(ListenOptions listen, TlsCertificate? tls, bool asksClients)
    {
        if (tls is null)
        {
            return;
        }

        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeTimeout,
            OnConnection = _ => new ValueTask<SslServerAuthenticationOptions>(OptionsOf(tls, asksClients ? tls.ClientAuthorities : null)),
        });
    }

    private static SslServerAuthenticationOptions OptionsOf(TlsCertificate tls, X509Certificate2Collection? authorities)
    {
        SslServerAuthenticationOptions options = new() { ServerCertificateContext = tls.Current, EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };
        if (authorities is not null)
        {
            // Nothing of a request is read from whoever shows none, or one of somebody else, out of its time, or made for a server.
            X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(authorities);
            policy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
            options.ClientCertificateRequired = true;
            options.CertificateChainPolicy = policy;
            options.RemoteCertificateValidationCallback = static (_, certificate, _, errors) => certificate is not null && errors == SslPolicyErrors.None;
        }

        return options;
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
