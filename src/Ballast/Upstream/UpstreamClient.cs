using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Upstream.Providers;
using Ballast.Upstream.Signing;

namespace Ballast.Upstream;

/// <summary>
/// The HTTP side towards providers: one connection pool for each address and connect rule. No redirects (the framework would carry <c>x-api-key</c> and the body to
/// another host), no cookies, no proxy, no decompression, no ambient headers.
/// </summary>
public sealed class UpstreamClient(CredentialBook credentials) : IDisposable
{
    /// <summary>Providers that differ in any of these never share a connection.</summary>
    private readonly record struct PoolKey(string Authority, bool AllowPrivate, CertificateAuthority? Ca);

    private readonly ConcurrentDictionary<PoolKey, HttpMessageInvoker> _pools = new();

    /// <summary>The same pools by the provider at hand: a reload makes new providers, and pools must outlive it.</summary>
    private readonly ConditionalWeakTable<Provider, HttpMessageInvoker> _poolOf = [];

    /// <summary>Signs, sends and returns at the answer's head. It waits for a credential only where none is at hand.</summary>
    /// <exception cref="CredentialsUnavailableException">There is none to sign with; nothing was sent.</exception>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Provider provider, LimitsOptions limits, CancellationToken cancellation)
    {
        ValueTask<Credential?> credential = credentials.GetAsync(provider, limits.CredentialTimeout, cancellation);
        return credential.IsCompletedSuccessfully
            ? SendSignedAsync(request, provider, credential.Result, limits, cancellation)
            : WaitAndSendAsync(credential.AsTask(), request, provider, limits, cancellation);
    }

    /// <summary>The platform refused the credentials of a request: what was fetched for it may have been withdrawn.</summary>
    public void NoteRefused(Provider provider) => credentials.NoteRefused(provider);

    private async Task<HttpResponseMessage> WaitAndSendAsync(
        Task<Credential?> credential, HttpRequestMessage request, Provider provider, LimitsOptions limits, CancellationToken cancellation) =>
        await SendSignedAsync(request, provider, await credential.ConfigureAwait(false), limits, cancellation).ConfigureAwait(false);

    private Task<HttpResponseMessage> SendSignedAsync(
        HttpRequestMessage request, Provider provider, Credential? credential, LimitsOptions limits, CancellationToken cancellation)
    {
        ProviderEndpoint.Of(provider.Kind).Sign(request, provider, credential);
        if (!_poolOf.TryGetValue(provider, out HttpMessageInvoker? pool))
        {
            PoolKey key = new(provider.BaseAddress.GetLeftPart(UriPartial.Authority), provider.AllowPrivateAddresses, provider.Ca);
            pool = _pools.GetOrAdd(key, static (made, connectTimeout) => NewPool(made, connectTimeout), limits.ConnectTimeout);
            _poolOf.AddOrUpdate(provider, pool);
        }

        return pool.SendAsync(request, cancellation);
    }

    public void Dispose()
    {
        foreach (HttpMessageInvoker pool in _pools.Values)
        {
            pool.Dispose();
        }
    }

    private static HttpMessageInvoker NewPool(PoolKey key, TimeSpan connectTimeout) =>
        new(NewHandler(address => AddressPolicy.IsAllowed(address, key.AllowPrivate), key.Ca, connectTimeout));

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

    /// <summary>The first value of a header as it came; null where there is none.</summary>
    public static string? Header(HttpResponseMessage response, string name)
    {
        if (response.Headers.NonValidated.TryGetValues(name, out HeaderStringValues values))
        {
            foreach (string value in values)
            {
                return value;
            }
        }

        return null;
    }

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
