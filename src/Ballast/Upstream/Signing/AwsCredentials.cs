using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;
using Amazon.RuntimeDependencies;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using Amazon.SSO;
using Amazon.SSOOIDC;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Upstream.Framework;

namespace Ballast.Upstream.Signing;

/// <summary>
/// Keys of an AWS account, by AWSSDK's chain: environment, shared profiles, single sign-on, web identity, the metadata services of containers and machines; and a role that is
/// assumed with them. Roles named in the configuration are assumed over this gateway's own connections; what the chain itself asks, it asks by the library's.
/// </summary>
public sealed partial record AwsCredentials(AwsIdentity Identity, bool AllowPrivate, CertificateAuthority? Ca) : CredentialSource
{
    /// <summary>Keys that tell no end are looked up anew so often: a file may have new ones.</summary>
    private static readonly TimeSpan s_lookUpEvery = TimeSpan.FromMinutes(15);

    /// <summary>Keys that were just given and by this machine's clock have ended already: AWS gives none for less than a quarter of an hour, so that the clock is wrong.</summary>
    private static readonly TimeSpan s_shortest = TimeSpan.FromMinutes(10);

    /// <summary>So many profiles may name each other as their source.</summary>
    private const int ProfilesMax = 5;

    private static readonly Lock s_registration = new();
    private static bool s_isRegistered;

    private readonly Lock _lock = new();
    private OwnConnections? _connections;

    public bool Equals(AwsCredentials? other) => other is not null && other.Identity == Identity && other.AllowPrivate == AllowPrivate && Equals(other.Ca, Ca);

    public override int GetHashCode() => HashCode.Combine(Identity, AllowPrivate, Ca);

    public override async Task<Credential> FetchAsync(TimeSpan connectTimeout, CancellationToken cancellation)
    {
        Register();
        try
        {
            AwsSession? own = Identity.Keys is { } keys ? new AwsSession(keys, s_lookUpEvery) : null;
            if (Identity.RoleArn is not { } role)
            {
                return own ?? await FindAsync(Identity.Profile, 0, connectTimeout, cancellation).ConfigureAwait(false);
            }

            if (Identity.TokenFile is { } file)
            {
                return await AssumeByTokenAsync(role, file, connectTimeout, cancellation).ConfigureAwait(false);
            }

            own ??= await FindAsync(Identity.Profile, 0, connectTimeout, cancellation).ConfigureAwait(false);
            AssumeRoleRequest request = new() { RoleArn = role, RoleSessionName = Identity.RoleSessionName, ExternalId = Identity.ExternalId };
            return await AssumeAsync(request, own, Identity.Region, connectTimeout, cancellation).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not CredentialsUnavailableException && (!cancellation.IsCancellationRequested || exception is not OperationCanceledException))
        {
            throw Explain(exception);
        }
    }

    /// <summary>The keys of a profile, or with none named what AWS's chain finds. Roles of profiles are assumed here: the library would do it by reflection.</summary>
    private async Task<AwsSession> FindAsync(string? profile, int depth, TimeSpan connectTimeout, CancellationToken cancellation)
    {
        CredentialProfileStoreChain files = new();
        string name = profile ?? Environment.GetEnvironmentVariable("AWS_PROFILE") ?? "default";
        CredentialProfileOptions? written = files.TryGetProfile(name, out CredentialProfile found) ? found.Options : null;
        if (written?.CredentialProcess is not null || written?.MfaSerial is not null)
        {
            // A gateway starts no programs, and nobody sits at it.
            throw new CredentialsUnavailableException(written.CredentialProcess is null ? "mfa_serial needs a person" : "credential_process is not run", isRefused: true);
        }

        bool isAsked = profile is not null || Environment.GetEnvironmentVariable("AWS_WEB_IDENTITY_TOKEN_FILE") is null;
        if (isAsked && written is { RoleArn: { } role } && (written.SourceProfile ?? written.CredentialSource) is not null)
        {
            AwsSession source = await SourceOfAsync(name, written, depth, connectTimeout, cancellation).ConfigureAwait(false);
            AssumeRoleRequest request = new() { RoleArn = role, RoleSessionName = written.RoleSessionName ?? Identity.RoleSessionName, ExternalId = written.ExternalID };
            return await AssumeAsync(request, source, found.Region?.SystemName ?? Identity.Region, connectTimeout, cancellation).ConfigureAwait(false);
        }

        if (profile is not null)
        {
            return files.TryGetAWSCredentials(profile, out AWSCredentials its)
                ? await ToSessionAsync(its, cancellation).ConfigureAwait(false)
                : throw new CredentialsUnavailableException("no such profile", isRefused: true);
        }

        using DefaultAWSCredentialsIdentityResolver chain = new();
        return await ToSessionAsync(await chain.ResolveIdentityAsync(null!, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);
    }

    /// <summary>With what a profile's role is assumed: another profile, its own keys, or one of the machine's sources.</summary>
    private async Task<AwsSession> SourceOfAsync(string name, CredentialProfileOptions written, int depth, TimeSpan connectTimeout, CancellationToken cancellation)
    {
        if (written.SourceProfile is { } next)
        {
            return next == name ? new AwsSession(new AwsKeys(written.AccessKey, new Secret(written.SecretKey), null), s_lookUpEvery)
                : depth < ProfilesMax ? await FindAsync(next, depth + 1, connectTimeout, cancellation).ConfigureAwait(false)
                : throw new CredentialsUnavailableException("profiles name each other", isRefused: true);
        }

        AWSCredentials source = written.CredentialSource switch
        {
            "Environment" => new EnvironmentVariablesAWSCredentials(),
            "Ec2InstanceMetadata" => new InstanceProfileAWSCredentials(),
            "EcsContainer" => new GenericContainerCredentials(),
            _ => throw new CredentialsUnavailableException("unknown credential_source", isRefused: true),
        };
        return await ToSessionAsync(source, cancellation).ConfigureAwait(false);
    }

    private static async Task<AwsSession> ToSessionAsync(AWSCredentials found, CancellationToken cancellation)
    {
        ImmutableCredentials keys = await found.GetCredentialsAsync().WaitAsync(cancellation).ConfigureAwait(false);
        return NewSession(keys.AccessKey, keys.SecretKey, keys.Token, found.Expiration);
    }

    private async Task<AwsSession> AssumeAsync(AssumeRoleRequest request, AwsSession source, string region, TimeSpan connectTimeout, CancellationToken cancellation)
    {
        using AmazonSecurityTokenServiceClient client = new(FromKeys(source.Keys), ConfigOf(region, connectTimeout));
        Credentials keys = (await client.AssumeRoleAsync(request, cancellation).ConfigureAwait(false)).Credentials;
        return NewSession(keys.AccessKeyId, keys.SecretAccessKey, keys.SessionToken, keys.Expiration);
    }

    private async Task<AwsSession> AssumeByTokenAsync(string role, string file, TimeSpan connectTimeout, CancellationToken cancellation)
    {
        using AmazonSecurityTokenServiceClient client = new(new AnonymousAWSCredentials(), ConfigOf(Identity.Region, connectTimeout));
        AssumeRoleWithWebIdentityRequest request = new()
        {
            RoleArn = role, RoleSessionName = Identity.RoleSessionName, WebIdentityToken = (await File.ReadAllTextAsync(file, cancellation).ConfigureAwait(false)).Trim(),
        };
        Credentials keys = (await client.AssumeRoleWithWebIdentityAsync(request, cancellation).ConfigureAwait(false)).Credentials;
        return NewSession(keys.AccessKeyId, keys.SecretAccessKey, keys.SessionToken, keys.Expiration);
    }

    private AmazonSecurityTokenServiceConfig ConfigOf(string region, TimeSpan connectTimeout)
    {
        // One more try, for the library's own correction of a clock that differs.
        AmazonSecurityTokenServiceConfig config = new() { AuthenticationRegion = region, HttpClientFactory = Connections(connectTimeout), MaxErrorRetry = 1 };
        if (Identity.StsUrl is { } url)
        {
            config.ServiceURL = url.ToString();
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }

        return config;
    }

    private static AWSCredentials FromKeys(AwsKeys own) => own.SessionToken is { } token
        ? new SessionAWSCredentials(own.AccessKeyId, own.SecretAccessKey.Reveal(), token.Reveal())
        : new BasicAWSCredentials(own.AccessKeyId, own.SecretAccessKey.Reveal());

    private static AwsSession NewSession(string id, string secret, string? token, DateTime? end)
    {
        TimeSpan lifetime = end is { } until ? until.ToUniversalTime() - TimeProvider.System.GetUtcNow().UtcDateTime : s_lookUpEvery;
        lifetime = lifetime > TimeSpan.Zero ? lifetime : s_shortest;
        return new AwsSession(new AwsKeys(id, new Secret(secret), string.IsNullOrEmpty(token) ? null : new Secret(token)), lifetime);
    }

    private OwnConnections Connections(TimeSpan connectTimeout)
    {
        lock (_lock)
        {
            return _connections ??= new OwnConnections(new HttpClient(FrameworkPool.NewHandler(address => AddressPolicy.IsAllowed(address, AllowPrivate), Ca, connectTimeout)));
        }
    }

    /// <summary>Tells the library the clients that it would else find by reflection, which ahead-of-time compilation does not have.</summary>
    private static void Register()
    {
        lock (s_registration)
        {
            if (s_isRegistered)
            {
                return;
            }

            s_isRegistered = true;
            GlobalRuntimeDependencyRegistry registry = GlobalRuntimeDependencyRegistry.Instance;
            registry.RegisterSecurityTokenServiceClient(static context => new AmazonSecurityTokenServiceClient(
                new AnonymousAWSCredentials(), new AmazonSecurityTokenServiceConfig { RegionEndpoint = context.SecurityTokenServiceClientContextData?.Region }));
            registry.RegisterSSOClient(static context => new AmazonSSOClient(new AnonymousAWSCredentials(), new AmazonSSOConfig { RegionEndpoint = context.SSOClientContextData?.Region }));
            registry.RegisterSSOOIDCClient(static context => new AmazonSSOOIDCClient(
                new AnonymousAWSCredentials(), new AmazonSSOOIDCConfig { RegionEndpoint = context.SSOOIDCClientContextData?.Region }));
        }
    }

    /// <summary>The library's messages repeat requests and answers: only a code leaves here.</summary>
    private static CredentialsUnavailableException Explain(Exception exception)
    {
        for (Exception? inner = exception; inner is not null; inner = inner.InnerException)
        {
            if (inner is AmazonServiceException { StatusCode: var status } service && (int)status >= 400)
            {
                bool isWord = service.ErrorCode is { Length: > 0 and <= 64 } code && code.All(char.IsAsciiLetterOrDigit);
                return new CredentialsUnavailableException(
                    isWord ? service.ErrorCode : $"status {(int)status}", isRefused: (int)status is >= 400 and < 500 and not (408 or 429) && service.ErrorCode != "Throttling");
            }

            if (inner is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
            {
                return new CredentialsUnavailableException("token file unreadable", isRefused: false);
            }

            if (inner is HttpRequestException or WebException or System.Net.Sockets.SocketException or AddressRefusedException)
            {
                return new CredentialsUnavailableException("unreachable", isRefused: false);
            }
        }

        return new CredentialsUnavailableException("no source has any", isRefused: false);
    }

    private sealed class OwnConnections(HttpClient http) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => http;

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
    }
}
