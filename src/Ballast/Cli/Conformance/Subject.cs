using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Ballast.Cli.Conformance;

/// <summary>The server under test: where it is, how a caller is known there, and one plain HTTP client with no retries, redirects or proxies.</summary>
internal sealed class Subject : IDisposable
{
    /// <summary>Largest answer that is read, in bytes.</summary>
    public const int AnswerBytesMax = 16 * 1024 * 1024;

    private readonly HttpClient _http;
    private readonly TimeSpan _timeout;
    private readonly IReadOnlyList<KeyValuePair<string, string>> _headers;

    public Subject(Uri url, string key, string model, IReadOnlyList<KeyValuePair<string, string>> headers, TimeSpan timeout)
    {
        Key = key;
        Model = model;
        _headers = headers;
        _timeout = timeout;
        string root = url.GetLeftPart(UriPartial.Path).TrimEnd('/');
        Root = root.EndsWith("/v1", StringComparison.Ordinal) ? root[..^"/v1".Length] : root;
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>The address without <c>/v1</c>: SDKs of one vendor are given it with, those of the other without.</summary>
    public string Root { get; }

    public string Key { get; }

    /// <summary>What requests ask for.</summary>
    public string Model { get; }

    /// <summary>Sends a question to the subject's model.</summary>
    public Task<Reply> PostAsync(Surface surface, string body, CancellationToken cancellation, bool stream = false) =>
        SendAsync(HttpMethod.Post, surface.PathOf(Model, stream), new Call(surface, Encoding.UTF8.GetBytes(body)), cancellation);

    /// <exception cref="NonconformanceException">No answer came in time, or the connection broke.</exception>
    public async Task<Reply> SendAsync(HttpMethod method, string path, Call call, CancellationToken cancellation)
    {
        using CancellationTokenSource limit = new(_timeout, TimeProvider.System);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        using HttpRequestMessage request = Build(method, path, call);
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            using Stream stream = await response.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
            byte[] buffer = new byte[AnswerBytesMax];
            int length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, either.Token).ConfigureAwait(false);
            return new Reply(response, buffer.AsMemory(0, length));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new NonconformanceException($"no whole answer within {_timeout.TotalSeconds:0} s");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw new NonconformanceException($"the connection broke: {exception.Message}");
        }
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Build(HttpMethod method, string path, Call call)
    {
        HttpRequestMessage request = new(method, Root + path);
        if (call.IsHttp2)
        {
            (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        }

        if (call.Body is { } body)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        call.Surface.SetKey(request.Headers, call.Key ?? Key);
        foreach ((string name, string value) in _headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }
}

/// <summary>What is sent: as whose protocol, which bytes, with which key (null takes the subject's, empty sends none).</summary>
internal sealed record Call(Surface Surface, byte[]? Body = null, string? Key = null)
{
    /// <summary>Over HTTP/2; on clear text with prior knowledge.</summary>
    public bool IsHttp2 { get; init; }
}
