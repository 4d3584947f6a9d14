using System.Globalization;
using System.Net.Mime;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Aws;
using Ballast.Sandbox.Billing;
using Ballast.Sandbox.Entra;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Google;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Control;

/// <summary>
/// The control API: <c>GET /</c>, <c>GET/POST/DELETE /faults[/{id}]</c>, <c>POST /platforms/{name}/disappear|return</c>,
/// <c>GET /platforms</c>, <c>GET /entra</c>, <c>POST /entra/lifetime/{seconds}</c>, <c>GET /google/service-account</c>, <c>GET /aws</c>,
/// <c>POST /aws/lifetime|clock/{seconds}</c>, <c>GET /billing</c>, <c>POST /reset</c>.
/// </summary>
internal sealed class ControlServer : IAsyncDisposable
{
    private const long MaxBodyBytes = 1024 * 1024;

    private readonly SandboxHost _host;
    private readonly Listener _listener;

    public ControlServer(SandboxHost host, SandboxOptions options)
    {
        _host = host;
        _listener = new Listener(options.Address, options.BasePort, HandleAsync);
    }

    public Uri Address => _listener.Address;

    public Task StartAsync(CancellationToken cancellation) => _listener.OpenAsync(cancellation);

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task HandleAsync(HttpContext http)
    {
        string[] path = (http.Request.Path.Value ?? "/").Split('/', StringSplitOptions.RemoveEmptyEntries);
        switch (http.Request.Method, path)
        {
            case ("GET", []):
                await SendAsync(http, 200, Overview()).ConfigureAwait(false);
                break;
            case ("GET", ["platforms"]):
                await SendAsync(http, 200, DescribePlatforms()).ConfigureAwait(false);
                break;
            case ("GET", ["faults"]):
                await SendAsync(http, 200, new JsonArray([.. _host.Faults.Rules.Select(FaultJson.Write)])).ConfigureAwait(false);
                break;
            case ("POST", ["faults"]):
                await AddFaultAsync(http).ConfigureAwait(false);
                break;
            case ("DELETE", ["faults"]):
                _host.Faults.Clear();
                http.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            case ("DELETE", ["faults", var id]):
                http.Response.StatusCode = _host.Faults.Remove(id) ? StatusCodes.Status204NoContent : StatusCodes.Status404NotFound;
                break;
            case ("POST", ["platforms", var name, "disappear" or "return"])
                when name is EntraServer.Name or GoogleTokenServer.Name or AwsServer.Name || _host.Platforms.ContainsKey(name):
                await (path[2] == "return" ? _host.ReturnAsync(name) : _host.DisappearAsync(name)).ConfigureAwait(false);
                await SendAsync(http, 200, DescribePlatforms()).ConfigureAwait(false);
                break;
            case ("GET", ["entra"]):
                await SendAsync(http, 200, DescribeEntra()).ConfigureAwait(false);
                break;
            case ("POST", ["entra", "lifetime", var seconds])
                when double.TryParse(seconds, CultureInfo.InvariantCulture, out double lifetime) && lifetime is > 0 and <= 86_400:
                _host.Entra.TokenLifetime = TimeSpan.FromSeconds(lifetime);
                await SendAsync(http, 200, DescribeEntra()).ConfigureAwait(false);
                break;
            case ("GET", ["google", "service-account"]):
                await SendAsync(http, 200, JsonNode.Parse(_host.Google.ServiceAccountFile())!).ConfigureAwait(false);
                break;
            case ("GET", ["aws"]):
                await SendAsync(http, 200, DescribeAws()).ConfigureAwait(false);
                break;
            case ("POST", ["aws", "lifetime" or "clock", var seconds]) when double.TryParse(seconds, CultureInfo.InvariantCulture, out double amount) && Math.Abs(amount) <= 86_400:
                SetAws(path[1], TimeSpan.FromSeconds(amount));
                await SendAsync(http, 200, DescribeAws()).ConfigureAwait(false);
                break;
            case ("GET", ["billing"]):
                await SendBillingAsync(http).ConfigureAwait(false);
                break;
            case ("POST", ["reset"]):
                await ResetAsync().ConfigureAwait(false);
                http.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            default:
                await SendAsync(http, 404, Error("There is no such path. GET / lists what there is.")).ConfigureAwait(false);
                break;
        }
    }

    /// <summary>No faults, every platform there. The billing log stays: it is append-only.</summary>
    private async Task ResetAsync()
    {
        _host.Faults.Clear();
        foreach (string name in _host.Platforms.Keys.Concat([EntraServer.Name, GoogleTokenServer.Name, AwsServer.Name]))
        {
            await _host.ReturnAsync(name).ConfigureAwait(false);
        }
    }

    private async Task AddFaultAsync(HttpContext http)
    {
        using MemoryStream body = new();
        byte[] part = new byte[16 * 1024];
        int read;
        while ((read = await http.Request.Body.ReadAsync(part, http.RequestAborted).ConfigureAwait(false)) > 0)
        {
            body.Write(part, 0, read);
            if (body.Length > MaxBodyBytes)
            {
                await SendAsync(http, 413, Error("The rule is too large.")).ConfigureAwait(false);
                return;
            }
        }

        try
        {
            FaultRule rule = FaultJson.Read(body.ToArray(), _host.Platforms.Keys);
            await SendAsync(http, 201, FaultJson.Write(_host.Faults.Add(rule))).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is JsonException or FormatException or ArgumentException)
        {
            await SendAsync(http, 400, Error(fault.Message)).ConfigureAwait(false);
        }
    }

    private async Task SendBillingAsync(HttpContext http)
    {
        await _host.Billing.FlushAsync().ConfigureAwait(false);
        http.Response.ContentType = "application/x-ndjson";
        foreach (BillingRow row in _host.Billing.Rows)
        {
            await http.Response.Body.WriteAsync(BillingRowJson.Write(row), http.RequestAborted).ConfigureAwait(false);
            await http.Response.Body.WriteAsync("\n"u8.ToArray(), http.RequestAborted).ConfigureAwait(false);
        }
    }

    private JsonObject Overview() => new()
    {
        ["name"] = "Ballast sandbox",
        ["platforms"] = DescribePlatforms(),
        ["faults"] = _host.Faults.Rules.Count,
        ["fault_kinds"] = new JsonArray([.. FaultKindNames.All.Select(name => (JsonNode)name)]),
        ["billing_rows"] = _host.Billing.Rows.Count,
        ["paths"] = new JsonArray(
            "GET /platforms",
            "POST /platforms/{name}/disappear",
            "POST /platforms/{name}/return",
            "GET /faults",
            "POST /faults",
            "DELETE /faults",
            "DELETE /faults/{id}",
            "GET /entra",
            "POST /entra/lifetime/{seconds}",
            "GET /google/service-account",
            "GET /aws",
            "POST /aws/lifetime/{seconds}",
            "POST /aws/clock/{seconds}",
            "GET /billing",
            "POST /reset"),
    };

    private JsonArray DescribePlatforms() => new([.. _host.Platforms.Values.Select(Describe)]);

    private JsonNode Describe(SandboxPlatform platform) => new JsonObject
    {
        ["name"] = platform.Name,
        ["address"] = platform.Address.ToString(),
        ["key"] = platform.ApiKey,
        ["there"] = _host.IsThere(platform.Name),
        ["models"] = new JsonArray([.. platform.Models.Select(model => (JsonNode)model.Name)]),
    };

    private JsonObject DescribeEntra() => new JsonObject
    {
        ["authority"] = _host.Entra.Authority.ToString(),
        ["there"] = _host.IsThere(EntraServer.Name),
        ["tenant_id"] = SandboxEntra.TenantId,
        ["client_id"] = SandboxEntra.ClientId,
        ["client_secret"] = SandboxEntra.ClientSecret,
        ["token_lifetime_seconds"] = _host.Entra.TokenLifetime.TotalSeconds,
        ["calls"] = _host.Entra.Calls,
        ["issued"] = _host.Entra.Issued,
    };

    private void SetAws(string what, TimeSpan amount)
    {
        if (what == "clock")
        {
            _host.Aws.ClockOffset = amount;
        }
        else if (amount > TimeSpan.Zero)
        {
            _host.Aws.KeyLifetime = amount;
        }
    }

    private JsonObject DescribeAws() => new()
    {
        ["endpoint"] = _host.Aws.Endpoint.ToString(),
        ["there"] = _host.IsThere(AwsServer.Name),
        ["region"] = SandboxAws.Region,
        ["access_key_id"] = SandboxAws.AccessKeyId,
        ["secret_access_key"] = SandboxAws.SecretAccessKey,
        ["role_arn"] = SandboxAws.RoleArn,
        ["container_token"] = SandboxAws.ContainerToken,
        ["sso_access_token"] = SandboxAws.SsoAccessToken,
        ["key_lifetime_seconds"] = _host.Aws.KeyLifetime.TotalSeconds,
        ["clock_offset_seconds"] = _host.Aws.ClockOffset.TotalSeconds,
        ["calls"] = _host.Aws.Calls,
        ["issued"] = _host.Aws.Issued,
    };

    private static JsonObject Error(string message) => new() { ["error"] = message };

    private static async Task SendAsync(HttpContext http, int status, JsonNode body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = MediaTypeNames.Application.Json;
        string text = body.ToJsonString(RelaxedJson.Options);
        await http.Response.WriteAsync(text, http.RequestAborted).ConfigureAwait(false);
    }
}
