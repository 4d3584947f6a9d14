using System.Globalization;
using System.Net.Mime;
using System.Text;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;
using Ballast.Sandbox.Tls;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Aws;

/// <summary>
/// Where AWS gives out temporary keys, all on one port: STS (<c>POST /</c>), the sign-on portal (<c>GET /federation/credentials</c>), a container's credentials
/// (<c>GET /v2/credentials/…</c>) and a machine's metadata service, version 2 (<c>/latest/…</c>).
/// </summary>
internal sealed class AwsServer : IAsyncDisposable
{
    public const string Name = "aws";

    public const int BodyBytesMax = 64 * 1024;

    private const string RolePath = "/latest/meta-data/iam/security-credentials/";

    private readonly SandboxServices _services;
    private readonly StsEndpoint _sts;
    private readonly Listener _listener;
    private readonly string _metadataToken = Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));

    public AwsServer(SandboxServices services, int port, TlsIdentity? tls)
    {
        _services = services;
        _sts = new StsEndpoint(services);
        _listener = new Listener(services.Options.Address, port, HandleAsync, tls);
    }

    public bool IsThere { get; private set; }

    public async Task OpenAsync(CancellationToken cancellation)
    {
        await _listener.OpenAsync(cancellation).ConfigureAwait(false);
        _services.Aws.Endpoint = _listener.Address;
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
        HttpRequest request = http.Request;
        string path = request.Path.Value ?? "/";
        if (path is not ("/latest/api/token" or RolePath))
        {
            _services.Aws.CountCall();
        }

        return (request.Method, path) switch
        {
            ("POST", "/") => _sts.AnswerAsync(http),
            ("GET", "/federation/credentials") => PortalAsync(http),
            ("GET", { } at) when at.StartsWith("/v2/credentials/", StringComparison.Ordinal) => ContainerAsync(http),
            ("PUT", "/latest/api/token") => request.Headers["x-aws-ec2-metadata-token-ttl-seconds"].Count == 0
                ? SendTextAsync(http, 400, "")
                : SendTextAsync(http, 200, _metadataToken),
            ("GET", { } at) when at.StartsWith("/latest/", StringComparison.Ordinal) => MetadataAsync(http, at),
            _ => SendTextAsync(http, 404, "There is no such path."),
        };
    }

    private Task PortalAsync(HttpContext http)
    {
        IQueryCollection query = http.Request.Query;
        if (http.Request.Headers["x-amz-sso_bearer_token"] != SandboxAws.SsoAccessToken)
        {
            http.Response.Headers["x-amzn-errortype"] = "UnauthorizedException";
            return SendAsync(http, 401, new JsonObject { ["message"] = "Session token not found or invalid", ["__type"] = "UnauthorizedException" });
        }

        if (query["role_name"].Count == 0 || query["account_id"].Count == 0)
        {
            http.Response.Headers["x-amzn-errortype"] = "InvalidRequestException";
            return SendAsync(http, 400, new JsonObject { ["message"] = "role_name and account_id are required" });
        }

        AwsKey key = _services.AwsKeys.Issue();
        return SendAsync(http, 200, new JsonObject
        {
            ["roleCredentials"] = new JsonObject
            {
                ["accessKeyId"] = key.Id,
                ["secretAccessKey"] = key.Secret,
                ["sessionToken"] = key.SessionToken,
                ["expiration"] = key.Expires.ToUnixTimeMilliseconds(),
            },
        });
    }

    private Task ContainerAsync(HttpContext http) => http.Request.Headers.Authorization == SandboxAws.ContainerToken
        ? SendAsync(http, 200, Describe(_services.AwsKeys.Issue()))
        : SendAsync(http, 401, new JsonObject { ["code"] = "AccessDenied", ["message"] = "The authorization token is missing or wrong." });

    private Task MetadataAsync(HttpContext http, string path)
    {
        if (http.Request.Headers["x-aws-ec2-metadata-token"] != _metadataToken)
        {
            return SendTextAsync(http, 401, "");
        }

        switch (path)
        {
            case RolePath or "/latest/meta-data/iam/security-credentials":
                return SendTextAsync(http, 200, SandboxAws.InstanceRole);
            case RolePath + SandboxAws.InstanceRole:
                JsonObject described = Describe(_services.AwsKeys.Issue());
                described["Code"] = "Success";
                described["Type"] = "AWS-HMAC";
                described["LastUpdated"] = _services.AwsKeys.Now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
                return SendAsync(http, 200, described);
            default:
                return SendTextAsync(http, 404, "");
        }
    }

    private static JsonObject Describe(AwsKey key) => new()
    {
        ["AccessKeyId"] = key.Id,
        ["SecretAccessKey"] = key.Secret,
        ["Token"] = key.SessionToken,
        ["Expiration"] = key.ExpiresText,
    };

    private static async Task SendTextAsync(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = MediaTypeNames.Text.Plain;
        await http.Response.WriteAsync(text, Encoding.UTF8, http.RequestAborted).ConfigureAwait(false);
    }

    private static async Task SendAsync(HttpContext http, int status, JsonNode body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = MediaTypeNames.Application.Json;
        await http.Response.WriteAsync(body.ToJsonString(RelaxedJson.Options), http.RequestAborted).ConfigureAwait(false);
    }
}
