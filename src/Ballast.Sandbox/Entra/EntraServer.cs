using System.Globalization;
using System.Net.Mime;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;
using Ballast.Sandbox.Tls;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Entra;

/// <summary>
/// The token endpoint: <c>POST /{tenant}/oauth2/v2.0/token</c> with a client's secret or assertion, and the documents by which clients find it
/// (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
/// </summary>
internal sealed class EntraServer : IAsyncDisposable
{
    public const string Name = "entra";

    private const int FormBytesMax = 64 * 1024;

    private readonly SandboxServices _services;
    private readonly Listener _listener;

    public EntraServer(SandboxServices services, int port, TlsIdentity? tls)
    {
        _services = services;
        _listener = new Listener(services.Options.Address, port, HandleAsync, tls);
    }

    public bool IsThere { get; private set; }

    public async Task OpenAsync(CancellationToken cancellation)
    {
        await _listener.OpenAsync(cancellation).ConfigureAwait(false);
        _services.Entra.Authority = _listener.Address;
        IsThere = true;
    }

    public Task CloseAsync()
    {
        IsThere = false;
        return _listener.CloseAsync(Task.CompletedTask);
    }

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private Task HandleAsync(HttpContext http)
    {
        string[] path = (http.Request.Path.Value ?? "/").Split('/', StringSplitOptions.RemoveEmptyEntries);
        return (http.Request.Method, path) switch
        {
            ("POST", [var tenant, "oauth2", "v2.0", "token"]) => AnswerAsync(http, tenant),
            ("GET", [var tenant, "v2.0", ".well-known", "openid-configuration"]) => SendAsync(http, 200, Discovery(tenant)),
            ("GET", ["common", "discovery", "instance"]) => SendAsync(http, 200, Instance()),
            _ => SendAsync(http, 404, Error("invalid_request", "AADSTS900144", "There is no such path.")),
        };
    }

    private async Task AnswerAsync(HttpContext http, string tenant)
    {
        _services.Entra.CountCall();
        if (!http.Request.HasFormContentType || http.Request.ContentLength is null or > FormBytesMax)
        {
            await SendAsync(http, 400, Error("invalid_request", "AADSTS900144", "The request body must contain the following parameter: 'grant_type'.")).ConfigureAwait(false);
            return;
        }

        IFormCollection form = await http.Request.ReadFormAsync(http.RequestAborted).ConfigureAwait(false);
        if (Refusal(tenant, form) is { } refusal)
        {
            await SendAsync(http, refusal.Status, refusal.Body).ConfigureAwait(false);
            return;
        }

        SandboxEntra entra = _services.Entra;
        TimeSpan lifetime = entra.TokenLifetime;
        string scope = form["scope"].ToString();
        int seconds = (int)Math.Ceiling(lifetime.TotalSeconds);
        entra.CountIssued();
        await SendAsync(http, 200, new JsonObject
        {
            ["token_type"] = "Bearer",
            ["expires_in"] = seconds,
            ["ext_expires_in"] = seconds,
            ["access_token"] = _services.Tokens.Issue(scope[..^"/.default".Length], entra.Authority, lifetime),
        }).ConfigureAwait(false);
    }

    private (int Status, JsonObject Body)? Refusal(string tenant, IFormCollection form)
    {
        string scope = form["scope"].ToString();
        if (tenant != SandboxEntra.TenantId)
        {
            return (400, Error("invalid_request", "AADSTS90002", $"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."));
        }

        if (form["grant_type"] != "client_credentials")
        {
            return (400, Error("unsupported_grant_type", "AADSTS70003", "The app requested an unsupported grant type."));
        }

        if (form["client_id"] != SandboxEntra.ClientId)
        {
            return (400, Error("unauthorized_client", "AADSTS700016", $"Application with identifier '{form["client_id"]}' was not found in the directory."));
        }

        if (!scope.EndsWith("/.default", StringComparison.Ordinal))
        {
            return (400, Error("invalid_scope", "AADSTS1002012", "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed."));
        }

        if (form["client_assertion"].ToString() is { Length: > 0 } assertion)
        {
            return form["client_assertion_type"] != ClientAssertion.Type
                ? (400, Error("invalid_request", "AADSTS900144", "The request body must contain the following parameter: 'client_assertion_type'."))
                : ClientAssertion.Fault(assertion, _services.Time.GetUtcNow()) is { } fault ? (401, Error("invalid_client", fault.Code, fault.Text))
                : null;
        }

        return form["client_secret"] == SandboxEntra.ClientSecret
            ? null
            : (401, Error("invalid_client", "AADSTS7000215",
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID."));
    }

    private JsonObject Error(string error, string code, string text)
    {
        DateTimeOffset now = _services.Time.GetUtcNow();
        Dice dice = _services.NextRequestDice(Name);
        string trace = dice.NextGuid().ToString();
        string correlation = dice.NextGuid().ToString();
        string stamp = now.ToString("yyyy-MM-dd HH:mm:ssZ", CultureInfo.InvariantCulture);
        return new JsonObject
        {
            ["error"] = error,
            ["error_description"] = $"{code}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
            ["error_codes"] = new JsonArray(JsonValue.Create(long.Parse(code["AADSTS".Length..], CultureInfo.InvariantCulture))),
            ["timestamp"] = stamp,
            ["trace_id"] = trace,
            ["correlation_id"] = correlation,
            ["error_uri"] = $"https://login.microsoftonline.com/error?code={code["AADSTS".Length..]}",
        };
    }

    private JsonObject Discovery(string tenant)
    {
        string authority = _services.Entra.Authority.GetLeftPart(UriPartial.Authority);
        return new JsonObject
        {
            ["issuer"] = $"{authority}/{tenant}/v2.0",
            ["token_endpoint"] = $"{authority}/{tenant}/oauth2/v2.0/token",
            ["authorization_endpoint"] = $"{authority}/{tenant}/oauth2/v2.0/authorize",
            ["jwks_uri"] = $"{authority}/{tenant}/discovery/v2.0/keys",
        };
    }

    private JsonObject Instance()
    {
        string authority = _services.Entra.Authority.GetLeftPart(UriPartial.Authority);
        return new JsonObject
        {
            ["tenant_discovery_endpoint"] = $"{authority}/{SandboxEntra.TenantId}/v2.0/.well-known/openid-configuration",
            ["api-version"] = "1.1",
            ["metadata"] = new JsonArray(),
        };
    }

    private static async Task SendAsync(HttpContext http, int status, JsonNode body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = MediaTypeNames.Application.Json;
        http.Response.Headers.CacheControl = "no-store, no-cache";
        await http.Response.WriteAsync(body.ToJsonString(RelaxedJson.Options), http.RequestAborted).ConfigureAwait(false);
    }
}
