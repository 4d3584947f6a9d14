using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Google;

namespace Ballast.Sandbox;

/// <summary>The simulated token endpoints of Google Cloud: whom they know, how long their tokens last, how often they were asked.</summary>
public sealed class SandboxGoogle : IDisposable
{
    /// <summary>The project that <c>vertex</c> serves.</summary>
    public const string ProjectId = "sandbox-project";

    public const string ServiceAccountEmail = "gateway@sandbox-project.iam.gserviceaccount.com";

    public const string ClientId = "764086051850-sandbox.apps.googleusercontent.com";

    public const string ClientSecret = "sandbox-google-client-secret";

    public const string RefreshToken = "1//sandbox-google-refresh-token";

    /// <summary>The workload identity provider whose tokens are exchanged. Tokens for it name it as their audience, with <c>https:</c> before it.</summary>
    public const string FederationAudience = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/sandbox/providers/sandbox";

    internal const string ServiceAccountKeyId = "5a4db0b0c0000000000000000000000000000042";

    internal const string FederatedPrincipal = "principal://sandbox/subject";

    private readonly Lazy<RSA> _key = new(static () => RSA.Create(2048));
    private long _calls;
    private long _issued;

    internal SandboxGoogle(TimeProvider time) => Issuer = new GoogleTokenIssuer(time);

    /// <summary>Scheme, host and port of all of them.</summary>
    public Uri Address { get; internal set; } = new("http://127.0.0.1");

    /// <summary>Of tokens that are issued from now on.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How far the endpoints' clock is ahead of this machine's.</summary>
    public TimeSpan ClockOffset { get; set; }

    /// <summary>Requests, refused ones included.</summary>
    public long Calls => Interlocked.Read(ref _calls);

    /// <summary>Tokens given out.</summary>
    public long Issued => Interlocked.Read(ref _issued);

    internal GoogleTokenIssuer Issuer { get; }

    internal RSA ServiceAccountKey => _key.Value;

    internal string TokenUrl => Address.GetLeftPart(UriPartial.Authority) + "/token";

    /// <summary>A token as any of the endpoints would issue it now, for clients that are given one.</summary>
    public string IssueToken() => Issuer.Issue(ServiceAccountEmail, TokenLifetime);

    /// <summary>The credentials file of the service account.</summary>
    public string ServiceAccountFile() => new JsonObject
    {
        ["type"] = "service_account",
        ["project_id"] = ProjectId,
        ["private_key_id"] = ServiceAccountKeyId,
        ["private_key"] = ServiceAccountKey.ExportPkcs8PrivateKeyPem(),
        ["client_email"] = ServiceAccountEmail,
        ["client_id"] = "108000000000000000042",
        ["token_uri"] = TokenUrl,
        ["universe_domain"] = "googleapis.com",
    }.ToJsonString();

    /// <summary>The credentials file of a user who has logged in.</summary>
    public string AuthorizedUserFile() => new JsonObject
    {
        ["type"] = "authorized_user",
        ["client_id"] = ClientId,
        ["client_secret"] = ClientSecret,
        ["refresh_token"] = RefreshToken,
        ["token_uri"] = TokenUrl,
    }.ToJsonString();

    /// <summary>The credentials file of another party's workload.</summary>
    /// <param name="subjectTokenPath">Where its own token lies.</param>
    /// <param name="impersonates">It acts as the service account.</param>
    public string FederationFile(string subjectTokenPath, bool impersonates)
    {
        string address = Address.GetLeftPart(UriPartial.Authority);
        JsonObject file = new()
        {
            ["type"] = "external_account",
            ["audience"] = FederationAudience,
            ["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt",
            ["token_url"] = address + "/v1/token",
            ["credential_source"] = new JsonObject { ["file"] = subjectTokenPath },
        };
        if (impersonates)
        {
            file["service_account_impersonation_url"] = $"{address}/v1/projects/-/serviceAccounts/{ServiceAccountEmail}:generateAccessToken";
        }

        return file.ToJsonString();
    }

    public void Dispose()
    {
        if (_key.IsValueCreated)
        {
            _key.Value.Dispose();
        }
    }

    internal void CountCall() => Interlocked.Increment(ref _calls);

    internal void CountIssued() => Interlocked.Increment(ref _issued);
}
