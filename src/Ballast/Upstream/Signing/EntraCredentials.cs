using System.Net;
using System.Text.RegularExpressions;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Upstream.Framework;
using Microsoft.Identity.Client;

namespace Ballast.Upstream.Signing;

/// <summary>
/// Tokens of Entra ID, by Azure.Identity: client secret, workload identity federation, managed identity. The library speaks over this gateway's own connections, with
/// their address policy and trust; it is made anew for every token, since its own cache would give out the old one when a new one is wanted.
/// </summary>
public sealed partial record EntraCredentials(EntraIdentity Identity, bool AllowPrivate, CertificateAuthority? Ca) : CredentialSource
{
    /// <summary>Largest answer taken from a token endpoint, in bytes.</summary>
    private const int AnswerBytesMax = 256 * 1024;

    private readonly Lock _lock = new();
    private HttpClient? _http;

    public bool Equals(EntraCredentials? other) =>
        other is not null && other.Identity == Identity && other.AllowPrivate == AllowPrivate && Equals(other.Ca, Ca);

    public override int GetHashCode() => HashCode.Combine(Identity, AllowPrivate, Ca);

    public override async Task<Credential> FetchAsync(TimeSpan connectTimeout, CancellationToken cancellation)
    {
        try
        {
            TokenCredential credential = NewCredential(Client(connectTimeout));
            AccessToken token = await credential.GetTokenAsync(new TokenRequestContext([Identity.Scope]), cancellation).ConfigureAwait(false);
            return new BearerToken(token.Token, token.ExpiresOn - TimeProvider.System.GetUtcNow());
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested || exception is not OperationCanceledException)
        {
            throw Explain(exception);
        }
    }

    private TokenCredential NewCredential(HttpClient http)
    {
        // The library insists on https; an authority of plain http is put back on the wire by the handler below.
        Uri authority = new UriBuilder(Identity.Authority) { Scheme = "https", Port = Identity.Authority.Port }.Uri;
        bool isOwn = authority != EntraOptions.DefaultAuthority;
        if (Identity.ClientSecret is { } secret)
        {
            ClientSecretCredentialOptions options = Prepare(new ClientSecretCredentialOptions { DisableInstanceDiscovery = isOwn }, authority, http);
            return new ClientSecretCredential(Identity.TenantId, Identity.ClientId, secret.Reveal(), options);
        }

        if (Identity.TokenFile is { } file)
        {
            return new WorkloadIdentityCredential(Prepare(
                new WorkloadIdentityCredentialOptions { TenantId = Identity.TenantId, ClientId = Identity.ClientId, TokenFilePath = file, DisableInstanceDiscovery = isOwn },
                authority, http));
        }

        ManagedIdentityId id = Identity.ClientId is { } client ? ManagedIdentityId.FromUserAssignedClientId(client) : ManagedIdentityId.SystemAssigned;
        return new ManagedIdentityCredential(Prepare(new ManagedIdentityCredentialOptions(id), authority, http));
    }

    private static TOptions Prepare<TOptions>(TOptions options, Uri authority, HttpClient http)
        where TOptions : TokenCredentialOptions
    {
        options.AuthorityHost = authority;
        options.Transport = new HttpClientTransport(http);
        options.Retry.MaxRetries = 0;
        options.Diagnostics.IsLoggingEnabled = false;
        options.Diagnostics.IsDistributedTracingEnabled = false;
        options.Diagnostics.IsTelemetryEnabled = false;
        return options;
    }

    private HttpClient Client(TimeSpan connectTimeout)
    {
        lock (_lock)
        {
            // A managed identity is asked for at an address that no provider may have, so only there, and at this machine.
            Func<IPAddress, bool> isAllowed = Identity.IsManaged ? AddressPolicy.IsIdentityEndpoint : address => AddressPolicy.IsAllowed(address, AllowPrivate);
            return _http ??= new HttpClient(new TokenHandler(FrameworkPool.NewHandler(isAllowed, Ca, connectTimeout), Identity));
        }
    }

    /// <summary>The library's messages repeat requests and answers: only a code leaves here.</summary>
    private static CredentialsUnavailableException Explain(Exception exception)
    {
        for (Exception? inner = exception; inner is not null; inner = inner.InnerException)
        {
            int status = inner switch
            {
                MsalServiceException service => service.StatusCode,
                Azure.RequestFailedException failed => failed.Status,
                _ => 0,
            };
            if (status > 0)
            {
                string code = ErrorCode().Match(inner.Message) is { Success: true } match ? match.Value : $"status {status}";
                return new CredentialsUnavailableException(code, isRefused: status is >= 400 and < 500 and not (408 or 429));
            }

            if (inner is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
            {
                return new CredentialsUnavailableException("token file unreadable", isRefused: false);
            }

            if (inner is System.Security.Authentication.AuthenticationException)
            {
                return new CredentialsUnavailableException("certificate not accepted", isRefused: false);
            }
        }

        return new CredentialsUnavailableException("unreachable", isRefused: false);
    }

    [GeneratedRegex("AADSTS[0-9]{4,9}")]
    private static partial Regex ErrorCode();

    private sealed class TokenHandler(HttpMessageHandler inner, EntraIdentity identity) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (identity is { IsManaged: false, Authority.Scheme: "http" } && request.RequestUri is { Scheme: "https" } address && address.Authority == identity.Authority.Authority)
            {
                request.RequestUri = new UriBuilder(address) { Scheme = "http", Port = identity.Authority.Port }.Uri;
            }

            HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            await response.Content.LoadIntoBufferAsync(AnswerBytesMax, cancellationToken).ConfigureAwait(false);
            return response;
        }
    }
}
