using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Telemetry;
using Ballast.Transport;
using Ballast.Upstream.Framework;
using Ballast.Upstream.Http1;
using Ballast.Upstream.Providers;
using Ballast.Upstream.Signing;
using Microsoft.Extensions.Logging;

namespace Ballast.Upstream;

/// <summary>
/// The HTTP side towards providers: one connection pool for each address and connect rule. No redirects (the framework would carry <c>x-api-key</c> and the body to
/// another host), no cookies, no proxy, no decompression, no ambient headers.
/// </summary>
/// <param name="credentials">What requests are signed with where it has to be fetched.</param>
/// <param name="time">For limits of connecting and of standing connections.</param>
/// <param name="loops">What the lean HTTP/1.1 client runs on; null where the framework's client does it all.</param>
/// <param name="log">Told of a clock that differs.</param>
public sealed class UpstreamClient(CredentialBook credentials, TimeProvider time, EventLoops? loops = null, ILogger? log = null) : IDisposable
{
    /// <summary>A smaller difference of clocks is none of a refusal's reasons: AWS lets five minutes pass.</summary>
    public static readonly TimeSpan SkewMin = TimeSpan.FromMinutes(4);

    /// <summary>How far a provider's clock is ahead of this machine's, where it was learned; by name, so that it outlives a reload.</summary>
    private readonly ConcurrentDictionary<string, TimeSpan> _skews = new(StringComparer.Ordinal);

    /// <summary>Providers that differ in any of these never share a connection.</summary>
    private readonly record struct PoolKey(string Authority, bool AllowPrivate, CertificateAuthority? Ca, HttpUse Http);

    private readonly ConcurrentDictionary<PoolKey, UpstreamPool> _pools = new();

    /// <summary>The same pools by the provider at hand: a reload makes new providers, and pools must outlive it.</summary>
    private readonly ConditionalWeakTable<Provider, UpstreamPool> _poolOf = [];

    /// <summary>Signs, sends and returns at the answer's head. It waits for a credential only where none is at hand.</summary>
    /// <exception cref="CredentialsUnavailableException">There is none to sign with; nothing was sent.</exception>
    /// <exception cref="UpstreamException">No answer came.</exception>
    public ValueTask<UpstreamAnswer> SendAsync(UpstreamMessage message, Provider provider, LimitsOptions limits, CancellationToken cancellation)
    {
        ValueTask<Credential?> credential = credentials.GetAsync(provider, limits.CredentialTimeout, cancellation);
        return credential.IsCompletedSuccessfully
            ? SendSignedAsync(message, provider, credential.Result, limits, cancellation)
            : WaitAndSendAsync(credential, message, provider, limits, cancellation);
    }

    /// <summary>The platform refused the credentials of a request: what was fetched for it may have been withdrawn.</summary>
    public void NoteRefused(Provider provider) => credentials.NoteRefused(provider);

    private async ValueTask<UpstreamAnswer> WaitAndSendAsync(
        ValueTask<Credential?> credential, UpstreamMessage message, Provider provider, LimitsOptions limits, CancellationToken cancellation) =>
        await SendSignedAsync(message, provider, await credential.ConfigureAwait(false), limits, cancellation).ConfigureAwait(false);

    private ValueTask<UpstreamAnswer> SendSignedAsync(
        UpstreamMessage message, Provider provider, Credential? credential, LimitsOptions limits, CancellationToken cancellation)
    {
        ProviderEndpoint endpoint = ProviderEndpoint.Of(provider.Kind);
        UpstreamPool pool = PoolOf(provider, limits);
        if (endpoint.SignsTime(provider))
        {
            return SendTimedAsync(endpoint, pool, message, provider, credential, cancellation);
        }

        endpoint.Sign(message, provider, credential);
        return pool.SendAsync(message, cancellation);
    }

    /// <summary>Signs for the platform's time. Where that turns out to be another than thought, it is learned, and the request is sent once more.</summary>
    private async ValueTask<UpstreamAnswer> SendTimedAsync(
        ProviderEndpoint endpoint, UpstreamPool pool, UpstreamMessage message, Provider provider, Credential? credential, CancellationToken cancellation)
    {
        int plain = message.Headers.Count;
        message.SignedAt = time.GetUtcNow() + _skews.GetValueOrDefault(provider.Name);
        endpoint.Sign(message, provider, credential);
        UpstreamAnswer answer = await pool.SendAsync(message, cancellation).ConfigureAwait(false);
        if (endpoint.TimeToldBy(answer) is not { } theirs || (theirs - message.SignedAt).Duration() < SkewMin)
        {
            return answer;
        }

        answer.Dispose();
        TimeSpan skew = theirs - time.GetUtcNow();
        _skews[provider.Name] = skew;
        log?.ClockSkewed(provider.Name, (int)skew.TotalSeconds);
        message.Headers.Truncate(plain);
        message.SignedAt = time.GetUtcNow() + skew;
        endpoint.Sign(message, provider, credential);
        return await pool.SendAsync(message, cancellation).ConfigureAwait(false);
    }

    private UpstreamPool PoolOf(Provider provider, LimitsOptions limits)
    {
        if (!_poolOf.TryGetValue(provider, out UpstreamPool? pool))
        {
            PoolKey key = new(provider.BaseAddress.GetLeftPart(UriPartial.Authority), provider.AllowPrivateAddresses, provider.Ca, provider.Http);
            pool = _pools.GetOrAdd(key, NewPool, limits.ConnectTimeout);
            _poolOf.AddOrUpdate(provider, pool);
        }

        return pool;
    }

    public void Dispose()
    {
        foreach (UpstreamPool pool in _pools.Values)
        {
            pool.Dispose();
        }
    }

    private UpstreamPool NewPool(PoolKey key, TimeSpan connectTimeout)
    {
        bool allowPrivate = key.AllowPrivate;
        bool IsAllowed(IPAddress address) => AddressPolicy.IsAllowed(address, allowPrivate);
        return loops is not null && key.Http == HttpUse.Http11
            ? new Http1Pool(loops, time, new Uri(key.Authority), IsAllowed, key.Ca, connectTimeout)
            : new FrameworkPool(IsAllowed, key.Ca, key.Http, connectTimeout);
    }
}
