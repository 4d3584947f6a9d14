using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using Ballast.Catalog;
using Ballast.Configuration;

namespace Ballast.Upstream;

/// <summary>
/// The HTTP side towards providers: one connection pool for each address and connect rule. No redirects (the framework would carry <c>x-api-key</c> and the body to
/// another host), no cookies, no proxy, no decompression, no ambient headers.
/// </summary>
public sealed class UpstreamClient : IDisposable
{
    private readonly record struct PoolKey(string Authority, bool AllowPrivate);

    private readonly ConcurrentDictionary<PoolKey, HttpMessageInvoker> _pools = new();

    /// <summary>Sends and returns at the answer's head.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Provider provider, LimitsOptions limits, CancellationToken cancellation)
    {
        PoolKey key = new(provider.BaseAddress.GetLeftPart(UriPartial.Authority), provider.AllowPrivateAddresses);
        HttpMessageInvoker pool = _pools.GetOrAdd(key, static (made, connectTimeout) => NewPool(made.AllowPrivate, connectTimeout), limits.ConnectTimeout);
        return pool.SendAsync(request, cancellation);
    }

    public void Dispose()
    {
        foreach (HttpMessageInvoker pool in _pools.Values)
        {
            pool.Dispose();
        }
    }

    private static HttpMessageInvoker NewPool(bool allowPrivate, TimeSpan connectTimeout) => new(
        new SocketsHttpHandler
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
            ConnectCallback = (context, cancellation) => AddressPolicy.ConnectAsync(context.DnsEndPoint, allowPrivate, cancellation),
        });

    /// <summary>Reads Retry-After (seconds or a date) and OpenAI's finer <c>retry-after-ms</c>.</summary>
    public static TimeSpan? RetryAfter(HttpResponseHeaders headers, TimeProvider time)
    {
        if (headers.TryGetValues("retry-after-ms", out IEnumerable<string>? values)
            && double.TryParse(values.FirstOrDefault(), System.Globalization.CultureInfo.InvariantCulture, out double milliseconds)
            && milliseconds is >= 0 and < 1e9)
        {
            return TimeSpan.FromMilliseconds(milliseconds);
        }

        TimeSpan? wait = headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - time.GetUtcNow(),
            _ => null,
        };
        return wait is { } positive && positive < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}
