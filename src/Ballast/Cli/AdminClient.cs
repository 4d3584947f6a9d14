using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Cli;

/// <summary>Asks a running gateway's administration; what it refuses becomes an <see cref="AdminException"/> with the gateway's own words.</summary>
internal sealed class AdminClient : IDisposable
{
    /// <summary>Holds the token: an argument would be seen by everybody on the machine.</summary>
    public const string TokenVariable = "BALLAST_ADMIN_TOKEN";

    /// <summary>Names the PEM file of a certificate and its key, for gateways that ask for one.</summary>
    public const string CertificateVariable = "BALLAST_ADMIN_CERTIFICATE";

    private readonly HttpClient _http;

    /// <exception cref="UsageException">There is no token, or the address is none.</exception>
    public AdminClient(string address, string? token, string? certificate = null)
    {
        if (string.IsNullOrWhiteSpace(token))
        {
            throw new UsageException($"Set {TokenVariable} to a token for administration: the first start of the gateway prints one.");
        }

        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? parsed) || parsed.Scheme is not ("http" or "https"))
        {
            throw new UsageException($"--admin {address}: an address such as http://127.0.0.1:8081.");
        }

        _http = NewHttp(parsed, certificate);
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Trim());
    }

    /// <param name="address">Of the administration port.</param>
    /// <param name="certificate">The file that <see cref="CertificateVariable"/> names; null shows none.</param>
    /// <exception cref="UsageException">The file holds none.</exception>
    public static HttpClient NewHttp(Uri address, string? certificate)
    {
        SocketsHttpHandler handler = new() { AllowAutoRedirect = false, UseProxy = false, UseCookies = false };
        handler.SslOptions.ClientCertificates = CertificateOf(certificate);
        return new HttpClient(handler) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };
    }

    private static X509CertificateCollection? CertificateOf(string? path)
    {
        try
        {
            return string.IsNullOrWhiteSpace(path) ? null : [X509Certificate2.CreateFromPemFile(path)];
        }
        catch (Exception fault) when (fault is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{CertificateVariable}: {path} holds no certificate with its key in PEM.");
        }
    }

    /// <summary>A document and its ETag; null where there is none.</summary>
    public async Task<(JsonObject Document, string ETag)?> FindAsync(string path, CancellationToken cancellation)
    {
        (HttpStatusCode status, JsonObject? body, string? etag) = await SendAsync(HttpMethod.Get, path, null, null, cancellation, HttpStatusCode.NotFound).ConfigureAwait(false);
        return status == HttpStatusCode.NotFound ? null : (body!, etag ?? "*");
    }

    /// <summary>All of a list, page after page.</summary>
    public async Task<JsonArray> ListAsync(string path, CancellationToken cancellation)
    {
        JsonArray all = [];
        string next = $"{path}?limit=1000";
        while (true)
        {
            (_, JsonObject? page, _) = await SendAsync(HttpMethod.Get, next, null, null, cancellation).ConfigureAwait(false);
            foreach (JsonNode? one in page!["data"]!.AsArray())
            {
                all.Add(one!.DeepClone());
            }

            if (page["has_more"]?.GetValue<bool>() != true)
            {
                return all;
            }

            next = $"{path}?limit=1000&after={Uri.EscapeDataString(all[^1]!["id"]!.GetValue<string>())}";
        }
    }

    public async Task<JsonObject> ChangeAsync(HttpMethod method, string path, JsonObject? body, string? etag, CancellationToken cancellation)
    {
        (_, JsonObject? answer, _) = await SendAsync(method, path, body, etag, cancellation).ConfigureAwait(false);
        return answer ?? [];
    }

    public void Dispose() => _http.Dispose();

    private async Task<(HttpStatusCode Status, JsonObject? Body, string? ETag)> SendAsync(
        HttpMethod method, string path, JsonObject? body, string? etag, CancellationToken cancellation, HttpStatusCode? alsoGood = null)
    {
        using HttpRequestMessage request = new(method, "/admin/v1/" + path);
        request.Content = body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        if (etag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", etag);
        }

        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, cancellation).ConfigureAwait(false);
            string text = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
            JsonObject? answer = text.Length == 0 ? null : JsonNode.Parse(text) as JsonObject;
            return response.IsSuccessStatusCode || response.StatusCode == alsoGood
                ? (response.StatusCode, answer, response.Headers.ETag?.ToString())
                : throw new AdminException(answer?["title"]?.GetValue<string>() ?? $"The gateway answered {(int)response.StatusCode}.");
        }
        catch (Exception failure) when (failure is HttpRequestException or JsonException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            throw new AdminException($"The gateway's administration at {_http.BaseAddress} does not answer: is `ballast serve` running, and is --admin right?");
        }
    }
}

/// <summary>The gateway refused, or does not answer. Exit code 1.</summary>
internal sealed class AdminException(string message) : Exception(message);
