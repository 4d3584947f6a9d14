using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;
using Ballast.Sandbox.Tls;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Google;

/// <summary>
/// Where Google's tokens come from, on one port: <c>POST /token</c> for service accounts and users (https://developers.google.com/identity/protocols/oauth2/service-account),
/// <c>POST /v1/token</c> to exchange another party's token (https://cloud.google.com/iam/docs/reference/sts/rest), <c>:generateAccessToken</c> to act as a service account,
/// and the metadata server of a machine.
/// </summary>
internal sealed class GoogleTokenServer : IAsyncDisposable
{
    public const string Name = "google-tokens";

    private const int FormBytesMax = 64 * 1024;

    private const string Exchange = "urn:ietf:params:oauth:grant-type:token-exchange";

    private readonly SandboxServices _services;
    private readonly Listener _listener;

    public GoogleTokenServer(SandboxServices services, int port, TlsIdentity? tls)
    {
        _services = services;
        _listener = new Listener(services.Options.Address, port, HandleAsync, tls);
    }

    public bool IsThere { get; private set; }

    private SandboxGoogle Google => _services.Google;

    private DateTimeOffset Now => _services.Time.GetUtcNow() + Google.ClockOffset;

    public async Task OpenAsync(CancellationToken cancellation)
    {
        await _listener.OpenAsync(cancellation).ConfigureAwait(false);
        Google.Address = _listener.Address;
        IsThere = true;
    }

    public Task CloseAsync()
    {
        IsThere = false;
        return _listener.CloseAsync(Task.CompletedTask);
    }

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task HandleAsync(HttpContext http)
    {
        http.Response.Headers.Date = Now.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);
        string path = http.Request.Path.Value ?? "/";
        Google.CountCall();
        (int status, JsonNode body) = (http.Request.Method, path) switch
        {
            ("POST", "/token") => Grant(await FormAsync(http).ConfigureAwait(false)),
            ("POST", "/v1/token") => Exchanged(await FormAsync(http).ConfigureAwait(false)),
            ("POST", _) when path == $"/v1/projects/-/serviceAccounts/{SandboxGoogle.ServiceAccountEmail}:generateAccessToken" => await ImpersonateAsync(http).ConfigureAwait(false),
            ("GET", "/computeMetadata/v1/instance/service-accounts/default/token") => FromMachine(http),
            _ => (404, Error("not_found", "There is no such path.")),
        };
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.Headers.CacheControl = "no-cache, no-store, max-age=0, must-revalidate";
        await http.Response.WriteAsync(body.ToJsonString(RelaxedJson.Options), http.RequestAborted).ConfigureAwait(false);
    }

    private static async Task<IFormCollection> FormAsync(HttpContext http) => http.Request.HasFormContentType && http.Request.ContentLength is not (null or > FormBytesMax)
        ? await http.Request.ReadFormAsync(http.RequestAborted).ConfigureAwait(false)
        : FormCollection.Empty;

    private (int Status, JsonNode Body) Grant(IFormCollection form)
    {
        switch (form["grant_type"].ToString())
        {
            case "urn:ietf:params:oauth:grant-type:jwt-bearer":
                // Google's own libraries ask for tokens where the file says, or where Google is.
                string[] audiences = [Google.TokenUrl, "https://oauth2.googleapis.com/token"];
                string? fault = GoogleAssertion.Fault(
                    form["assertion"].ToString(), Google.ServiceAccountKey, SandboxGoogle.ServiceAccountKeyId, SandboxGoogle.ServiceAccountEmail, audiences, Now);
                return fault is null ? Token(SandboxGoogle.ServiceAccountEmail) : (400, Error("invalid_grant", fault));
            case "refresh_token":
                return form["client_id"] != SandboxGoogle.ClientId || form["client_secret"] != SandboxGoogle.ClientSecret
                    ? (401, Error("invalid_client", "Unauthorized"))
                    : form["refresh_token"] != SandboxGoogle.RefreshToken ? (400, Error("invalid_grant", "Token has been expired or revoked."))
                    : Token("user@sandbox.invalid");
            case "":
                return (400, Error("invalid_request", "Missing required parameter: grant_type"));
            default:
                return (400, Error("unsupported_grant_type", "Invalid grant_type: " + form["grant_type"]));
        }
    }

    private (int Status, JsonNode Body) Exchanged(IFormCollection form)
    {
        if (form["grant_type"] != Exchange || form["requested_token_type"] != "urn:ietf:params:oauth:token-type:access_token")
        {
            return (400, Error("unsupported_grant_type", "Invalid grant_type or requested_token_type."));
        }

        if (form["audience"] != SandboxGoogle.FederationAudience)
        {
            return (400, Error("invalid_target", "The target service indicated by the \"audience\" parameters is invalid."));
        }

        if (form["subject_token_type"].ToString() is not ("urn:ietf:params:oauth:token-type:jwt" or "urn:ietf:params:oauth:token-type:id_token"))
        {
            return (400, Error("invalid_request", "Invalid subject_token_type."));
        }

        if (GoogleAssertion.ForeignFault(form["subject_token"].ToString(), SandboxGoogle.FederationAudience, Now) is { } fault)
        {
            return (400, Error("invalid_grant", fault));
        }

        (int status, JsonNode body) = Token(SandboxGoogle.FederatedPrincipal);
        body["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token";
        return (status, body);
    }

    /// <summary>Only who came by federation may act as the service account.</summary>
    private async Task<(int Status, JsonNode Body)> ImpersonateAsync(HttpContext http)
    {
        string bearer = http.Request.Headers.Authorization.ToString();
        string token = bearer.StartsWith("Bearer ", StringComparison.Ordinal) ? bearer["Bearer ".Length..] : "";
        if (Google.Issuer.PrincipalOf(token) != SandboxGoogle.FederatedPrincipal)
        {
            return (403, GoogleErrors.Body(new VendorError(
                403, "PERMISSION_DENIED", "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).", "IAM_PERMISSION_DENIED")));
        }

        using JsonDocument document = await JsonDocument.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted).ConfigureAwait(false);
        JsonElement asked = document.RootElement;
        if (asked.ValueKind != JsonValueKind.Object || !asked.TryGetProperty("scope", out JsonElement scope) || scope.ValueKind != JsonValueKind.Array)
        {
            return (400, GoogleErrors.Body(new VendorError(400, GoogleErrors.InvalidArgument, "Scope required.")));
        }

        Google.CountIssued();
        return (200, new JsonObject
        {
            ["accessToken"] = Google.Issuer.Issue(SandboxGoogle.ServiceAccountEmail, Google.TokenLifetime),
            ["expireTime"] = (Now + Google.TokenLifetime).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        });
    }

    private (int Status, JsonNode Body) FromMachine(HttpContext http)
    {
        http.Response.Headers["Metadata-Flavor"] = "Google";
        return http.Request.Headers["Metadata-Flavor"] == "Google"
            ? Token("machine@sandbox.invalid")
            : (403, Error("forbidden", "Missing Metadata-Flavor:Google header."));
    }

    private (int Status, JsonNode Body) Token(string principal)
    {
        Google.CountIssued();
        return (200, new JsonObject
        {
            ["access_token"] = Google.Issuer.Issue(principal, Google.TokenLifetime),
            ["expires_in"] = (long)Math.Ceiling(Google.TokenLifetime.TotalSeconds),
            ["token_type"] = "Bearer",
        });
    }

    private static JsonObject Error(string word, string description) => new() { ["error"] = word, ["error_description"] = description };
}
