using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Ballast.Server;

namespace Ballast.EndToEnd.Tests.Tenancy;

/// <summary>Asks one gateway and administers it, over connections of its own.</summary>
/// <param name="server">The gateway.</param>
/// <param name="key">Whose requests they are where a test names nobody.</param>
internal sealed class TenantClient(BallastServer server, string key) : IDisposable
{
    public HttpClient Http { get; } = new(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 500 }) { BaseAddress = server.Address, Timeout = TimeSpan.FromSeconds(120) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static HttpRequestMessage NewRequest(string path, string body, string key)
    {
        HttpRequestMessage request = new(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("x-api-key", key);
        if (path.StartsWith("/v1/messages", StringComparison.Ordinal))
        {
            request.Headers.Add("anthropic-version", "2023-06-01");
        }

        return request;
    }

    public async Task<(int Status, string Body, HttpResponseHeaders Headers)> AskAsync(string path, string body, string? who = null, int hangUpMilliseconds = Timeout.Infinite)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        either.CancelAfter(hangUpMilliseconds);
        using HttpRequestMessage request = NewRequest(path, body, who ?? key);
        using HttpResponseMessage response = await Http.SendAsync(request, either.Token);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(either.Token), response.Headers);
    }

    public async Task<(int Status, JsonElement Body)> AdministerAsync(string token, string method, string path, string? body)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), new Uri(server.AdminAddress, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await Http.SendAsync(request, Cancellation);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        return ((int)response.StatusCode, text.Length > 0 ? JsonDocument.Parse(text).RootElement : default);
    }

    public void Dispose() => Http.Dispose();
}
