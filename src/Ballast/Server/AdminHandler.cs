using System.Net;
using Microsoft.AspNetCore.Http;

namespace Ballast.Server;

/// <summary>The administration port's table: health, readiness, metrics, the read-only page, and administration by token. Nothing for other sites.</summary>
public sealed class AdminHandler(BallastServer server)
{
    private readonly LivePage _page = new(server);

    public Task HandleAsync(HttpContext http)
    {
        HttpResponse response = http.Response;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.CacheControl = "no-store";
        response.Headers["cross-origin-resource-policy"] = "same-origin";
        response.Headers["referrer-policy"] = "no-referrer";
        if (!IsLoopbackName(http.Request.Host.Host))
        {
            return TextAsync(response, StatusCodes.Status421MisdirectedRequest,
                "The administration port answers to loopback names only: use http://127.0.0.1, http://[::1] or http://localhost.\n");
        }

        if (http.Request.Path.Value!.StartsWith(Admin.AdminApi.Prefix, StringComparison.Ordinal))
        {
            return server.AdminApi.HandleAsync(http);
        }

        if (http.Request.Method is not ("GET" or "HEAD"))
        {
            response.Headers.Allow = "GET, HEAD";
            return TextAsync(response, StatusCodes.Status405MethodNotAllowed, "This path only reads: GET or HEAD.\n");
        }

        return http.Request.Path.Value switch
        {
            "/health" => TextAsync(response, StatusCodes.Status200OK, "ok\n"),
            "/ready" when server.IsReady => TextAsync(response, StatusCodes.Status200OK, "ready\n"),
            "/ready" => TextAsync(response, StatusCodes.Status503ServiceUnavailable, "draining\n"),
            "/metrics" => TextAsync(response, StatusCodes.Status200OK, MetricsText.Of(server), "text/plain; version=0.0.4; charset=utf-8"),
            _ => _page.HandleAsync(http),
        };
    }

    public static Task TextAsync(HttpResponse response, int status, string text, string contentType = "text/plain; charset=utf-8")
    {
        response.StatusCode = status;
        return BytesAsync(response, System.Text.Encoding.UTF8.GetBytes(text), contentType);
    }

    /// <summary>With its length, which a HEAD is told too; the server itself leaves the body of its answer out.</summary>
    public static Task BytesAsync(HttpResponse response, ReadOnlyMemory<byte> bytes, string contentType)
    {
        response.ContentType = contentType;
        response.ContentLength = bytes.Length;
        return response.Body.WriteAsync(bytes).AsTask();
    }

    /// <summary>
    /// A foreign name that resolves to this machine is how a web site reads what listens on loopback (DNS rebinding). Only browsers do that, and they always
    /// name a host: a request without one comes from a health checker that speaks HTTP/1.0.
    /// </summary>
    public static bool IsLoopbackName(string host) =>
        host.Length == 0
        || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));
}
