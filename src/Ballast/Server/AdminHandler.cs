using Microsoft.AspNetCore.Http;

namespace Ballast.Server;

/// <summary>The administration port's table: health, readiness, metrics, and the read-only page. No writes.</summary>
public sealed class AdminHandler(BallastServer server)
{
    public async Task HandleAsync(HttpContext http)
    {
        HttpResponse response = http.Response;
        response.Headers["x-content-type-options"] = "nosniff";
        response.Headers.CacheControl = "no-store";
        if (http.Request.Method is not ("GET" or "HEAD"))
        {
            response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            response.Headers.Allow = "GET";
            return;
        }

        switch (http.Request.Path.Value)
        {
            case "/health":
                await response.WriteAsync("ok\n").ConfigureAwait(false);
                break;
            case "/ready":
                response.StatusCode = server.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
                await response.WriteAsync(server.IsReady ? "ready\n" : "not ready\n").ConfigureAwait(false);
                break;
            case "/metrics":
                response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
                await response.WriteAsync(MetricsText.Of(server)).ConfigureAwait(false);
                break;
            default:
                await LivePage.HandleAsync(http, server).ConfigureAwait(false);
                break;
        }
    }
}
