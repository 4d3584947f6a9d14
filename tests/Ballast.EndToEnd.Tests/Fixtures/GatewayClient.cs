using System.Net.Sockets;
using System.Text;

namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>Sends what no SDK would. One connection, which it counts.</summary>
internal sealed class GatewayClient : IDisposable
{
    private readonly HttpClient _http;

    public GatewayClient(GatewayHost gateway)
    {
        _http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            MaxConnectionsPerServer = 1,
            ResponseDrainTimeout = TimeSpan.Zero,
            ConnectCallback = async (context, cancellation) =>
            {
                Connections++;
                Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = gateway.Server.Address,
            Timeout = TimeSpan.FromSeconds(30),
        };
    }

    /// <summary>Connections opened so far.</summary>
    public int Connections { get; private set; }

    public static string ProtocolOf(string path) => path.StartsWith("/v1/messages", StringComparison.Ordinal) ? "anthropic" : "openai";

    public Task<GatewayAnswer> PostAsync(string path, string body, string? key, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, Encoding.UTF8.GetBytes(body), key, headers);

    /// <summary>The key goes where the protocol's SDKs put it; null sends none.</summary>
    public async Task<GatewayAnswer> SendAsync(HttpMethod method, string path, byte[]? body, string? key, params (string Name, string Value)[] headers)
    {
        using HttpRequestMessage request = Request(method, path, body, key, headers);
        using HttpResponseMessage response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        return await GatewayAnswer.ReadAsync(response);
    }

    /// <summary>Sends the body without telling its length before.</summary>
    public async Task<GatewayAnswer> SendChunkedAsync(string path, byte[] body, string key)
    {
        using HttpRequestMessage request = Request(HttpMethod.Post, path, body, key, []);
        request.Headers.TransferEncodingChunked = true;
        using HttpResponseMessage response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        return await GatewayAnswer.ReadAsync(response);
    }

    /// <summary>Begins a stream and gives it back open, with its head read.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string path, string body, string key)
    {
        using HttpRequestMessage request = Request(HttpMethod.Post, path, Encoding.UTF8.GetBytes(body), key, []);
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Request(HttpMethod method, string path, byte[]? body, string? key, (string Name, string Value)[] headers)
    {
        HttpRequestMessage request = new(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new("application/json");
        }

        if (key is not null)
        {
            bool isAnthropic = ProtocolOf(path) == "anthropic";
            request.Headers.TryAddWithoutValidation(isAnthropic ? "x-api-key" : "Authorization", isAnthropic ? key : $"Bearer {key}");
        }

        foreach ((string name, string value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content!.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return request;
    }
}
