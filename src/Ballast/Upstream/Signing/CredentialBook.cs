using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Ballast.Catalog;
using Ballast.Telemetry;
using Ballast.Upstream.Providers;
using Microsoft.Extensions.Logging;

namespace Ballast.Upstream.Signing;

/// <summary>The credentials of all providers that fetch theirs. What was fetched survives a reload that does not change how.</summary>
public sealed class CredentialBook(TimeProvider time, ILogger? log)
{
    private readonly ConcurrentDictionary<string, CredentialCache> _byName = new(StringComparer.Ordinal);
    private readonly ConditionalWeakTable<Provider, CredentialCache> _byProvider = [];

    /// <summary>Null, at once, where the provider's requests are signed with what is configured.</summary>
    /// <exception cref="CredentialsUnavailableException">There is none, and none can be had.</exception>
    public ValueTask<Credential?> GetAsync(Provider provider, TimeSpan fetchTimeout, CancellationToken cancellation)
    {
        if (!ProviderEndpoint.Of(provider.Kind).FetchesCredentials(provider))
        {
            return default;
        }

        ValueTask<Credential> credential = CacheOf(provider).GetAsync(fetchTimeout, cancellation);
        return credential.IsCompletedSuccessfully ? new ValueTask<Credential?>(credential.Result) : new ValueTask<Credential?>(credential.AsTask()!);
    }

    /// <summary>The platform refused a request of this provider for its credentials.</summary>
    public void NoteRefused(Provider provider)
    {
        if (_byProvider.TryGetValue(provider, out CredentialCache? cache))
        {
            cache.NoteRefused();
        }
    }

    private CredentialCache CacheOf(Provider provider) =>
        _byProvider.TryGetValue(provider, out CredentialCache? cache) ? cache : _byProvider.GetValue(provider, FindOrCreate);

    private CredentialCache FindOrCreate(Provider provider)
    {
        CredentialSource source = ProviderEndpoint.Of(provider.Kind).SourceOf(provider);
        string name = provider.Name;
        return _byName.AddOrUpdate(name, _ => NewCache(), (_, known) => known.Source.Equals(source) ? known : NewCache());

        CredentialCache NewCache() =>
            new(source, time, failure => log?.CredentialsUnavailable(name, failure.Reason, (int)Math.Ceiling(failure.RetryAfter.TotalSeconds)));
    }
}
