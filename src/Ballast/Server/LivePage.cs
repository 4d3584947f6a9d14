using System.Text;
using System.Text.Json;
using Ballast.Ledger;
using Microsoft.AspNetCore.Http;

namespace Ballast.Server;

/// <summary>The one read-only page of the administration port, and the figures it draws.</summary>
public static class LivePage
{
    public static Task HandleAsync(HttpContext http, BallastServer server)
    {
        HttpResponse response = http.Response;
        switch (http.Request.Path.Value)
        {
            case "/live.json":
                response.ContentType = "application/json";
                return response.Body.WriteAsync(Figures(server)).AsTask();
            default:
                response.StatusCode = StatusCodes.Status404NotFound;
                return response.WriteAsync("There is nothing at this path. Served are /, /live.json, /health, /ready and /metrics.\n");
        }
    }

    private static ReadOnlyMemory<byte> Figures(BallastServer server)
    {
        LiveSnapshot totals = server.Totals.Snapshot();
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("requests", totals.Requests);
            json.WriteNumber("failovers", totals.Failovers);
            json.WriteNumber("cost_usd", totals.CostUsd);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(stream.ToArray()));
    }
}
