using System.Net;
using System.Security.Authentication;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Exchanges;

namespace Ballast.Upstream.Framework;

/// <summary>Connections by the framework's own client: HTTP/2, and HTTP/1.1 where the lean client does not run.</summary>
public sealed class FrameworkPool(Func<IPAddress, bool> isAllowed, CertificateAuthority? ca, HttpUse http, TimeSpan connectTimeout) : UpstreamPool
{
    private readonly HttpMessageInvoker _invoker = new(NewHandler(isAllowed, ca, connectTimeout));
    private readonly Version _version = http == HttpUse.Http11 ? HttpVersion.Version11 : HttpVersion.Version20;
    private readonly HttpVersionPolicy _versionPolicy = http == HttpUse.Http2 ? HttpVersionPolicy.RequestVersionExact : HttpVersionPolicy.RequestVersionOrLower;

    public override async ValueTask<UpstreamAnswer> SendAsync(UpstreamMessage message, CancellationToken cancellation)
    {
        try
        {
            // Disposing of the request would only dispose of its content, which owns nothing.
            return new FrameworkAnswer(await _invoker.SendAsync(RequestOf(message), cancellation).ConfigureAwait(false), cancellation);
        }
        catch (HttpRequestException exception)
        {
            bool isConnect = exception.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.VersionNegotiationError;
            throw new UpstreamException(
                exception.InnerException switch
                {
                    AddressRefusedException => GatewayError.AddressRefused,
                    AuthenticationException => GatewayError.TlsFailed,
                    _ => message.WasSent && !isConnect ? GatewayError.ConnectionLost : GatewayError.ConnectFailed,
                },
                exception);
        }
    }

    protected override void Dispose(bool disposing) => _invoker.Dispose();

    /// <summary>What all connections out of this gateway have in common.</summary>
    internal static SocketsHttpHandler NewHandler(Func<IPAddress, bool> isAllowed, CertificateAuthority? ca, TimeSpan connectTimeout) =>
        new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            ConnectTimeout = connectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(90),
            MaxResponseHeadersLength = 64,
            // An answer that is given up ends its connection at once, and with it the vendor's work and bill. Whole answers were read to their end before.
            ResponseDrainTimeout = TimeSpan.Zero,
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            SslOptions = ServerTrust.OptionsFor(ca),
            ConnectCallback = (context, cancellation) => AddressPolicy.ConnectAsync(context.DnsEndPoint, isAllowed, cancellation),
        };

    private HttpRequestMessage RequestOf(UpstreamMessage message)
    {
        BodyContent content = new(message);
        HttpRequestMessage request = new(HttpMethod.Parse(message.Method), message.Address)
        {
            Content = content,
            Version = _version,
            VersionPolicy = _versionPolicy,
        };
        UpstreamHeaders headers = message.Headers;
        for (int i = 0; i < headers.Count; i++)
        {
            (string name, string value) = headers[i];
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return request;
    }
}
