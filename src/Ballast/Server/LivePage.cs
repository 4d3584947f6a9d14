using Ballast.Balance;
using Ballast.Catalog;
using Microsoft.AspNetCore.Http;

namespace Ballast.Server;

/// <summary>The one read-only page of the administration port, and the figures it draws.</summary>
public sealed class LivePage(BallastServer server)
{
    /// <summary>No inline script or style, nothing from elsewhere, no frame around it: a name that smuggles markup has nothing to run it.</summary>
    public const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

    private static readonly byte[] s_html = Load("page.html");
    private static readonly byte[] s_style = Load("page.css");
    private static readonly byte[] s_script = Load("page.js");
    private static readonly byte[] s_balance = Load("balance.js");

    private volatile Exposure? _exposure;

    public Task HandleAsync(HttpContext http)
    {
        HttpResponse response = http.Response;
        switch (http.Request.Path.Value)
        {
            case "" or "/":
                response.Headers.ContentSecurityPolicy = Policy;
                return AdminHandler.BytesAsync(response, s_html, "text/html; charset=utf-8");
            case "/page.css":
                return AdminHandler.BytesAsync(response, s_style, "text/css; charset=utf-8");
            case "/page.js":
                return AdminHandler.BytesAsync(response, s_script, "text/javascript; charset=utf-8");
            case "/balance.js":
                return AdminHandler.BytesAsync(response, s_balance, "text/javascript; charset=utf-8");
            case "/live.json":
                CatalogSnapshot catalog = server.Catalog.Current;
                return AdminHandler.BytesAsync(response, LiveJson.Write(server, catalog, ExposureOf(catalog)), "application/json");
            default:
                return AdminHandler.TextAsync(response, StatusCodes.Status404NotFound,
                    "There is nothing at this path. Served are /, /live.json, /health, /ready and /metrics.\n");
        }
    }

    /// <summary>What stops without what follows from the catalog alone: it is worked out once for each, not once a second.</summary>
    private IReadOnlyList<ComponentExposure> ExposureOf(CatalogSnapshot catalog)
    {
        Exposure? known = _exposure;
        if (known is null || !ReferenceEquals(known.Catalog, catalog))
        {
            _exposure = known = new Exposure(catalog, [.. ExposureReport.Build(catalog, []).Components.Where(component => component.Component.Kind != ComponentKind.Provider)]);
        }

        return known.Components;
    }

    private static byte[] Load(string file)
    {
        using Stream stream = typeof(LivePage).Assembly.GetManifestResourceStream($"Ballast.Server.Page.{file}")!;
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private sealed record Exposure(CatalogSnapshot Catalog, IReadOnlyList<ComponentExposure> Components);
}
