using System.Text;
using Ballast.Sandbox.Recorded;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox;

/// <summary>A request as a platform received it.</summary>
public sealed record ArrivedRequest(string Path, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body)
{
    /// <summary>The value of a header, or null.</summary>
    public string? Header(string name) => Headers.FirstOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}

/// <summary>
/// A platform that plays recorded answers: for the request that it is told to expect it gives status, headers and body exactly as recorded, and hands back what
/// arrived. One exchange at a time.
/// </summary>
public sealed class RecordedPlatform : IAsyncDisposable
{
    /// <summary>Written by the server itself for every answer.</summary>
    private static readonly string[] FramingHeaders = ["content-length", "transfer-encoding", "connection", "keep-alive", "content-encoding"];

    private readonly Listener _listener;
    private RecordedExchange? _expected;
    private ArrivedRequest? _arrived;

    private RecordedPlatform() => _listener = new Listener("127.0.0.1", 0, PlayAsync);

    public Uri Address => _listener.Address;

    public static async Task<RecordedPlatform> StartAsync(CancellationToken cancellation)
    {
        RecordedPlatform platform = new();
        await platform._listener.OpenAsync(cancellation).ConfigureAwait(false);
        return platform;
    }

    /// <summary>The next request is answered as this one was.</summary>
    public void Expect(RecordedExchange exchange)
    {
        Volatile.Write(ref _arrived, null);
        Volatile.Write(ref _expected, exchange);
    }

    /// <summary>What arrived since the last <see cref="Expect"/>; null where nothing did.</summary>
    public ArrivedRequest? TakeArrived()
    {
        Volatile.Write(ref _expected, null);
        return Interlocked.Exchange(ref _arrived, null);
    }

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task PlayAsync(HttpContext http)
    {
        using MemoryStream body = new();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted).ConfigureAwait(false);
        RecordedExchange? exchange = Interlocked.Exchange(ref _expected, null);
        if (exchange is null)
        {
            // A second request for one exchange, or one that nobody announced: nothing that was recorded may answer it.
            http.Response.StatusCode = StatusCodes.Status418ImATeapot;
            return;
        }

        List<KeyValuePair<string, string>> headers = [.. http.Request.Headers.Select(header => new KeyValuePair<string, string>(header.Key, header.Value.ToString()))];
        Volatile.Write(ref _arrived, new ArrivedRequest($"{http.Request.Path}{http.Request.QueryString}", headers, body.ToArray()));
        http.Response.StatusCode = exchange.Status;
        foreach ((string name, string value) in exchange.ResponseHeaders)
        {
            if (!FramingHeaders.Contains(name, StringComparer.OrdinalIgnoreCase) && IsSendable(name, value))
            {
                http.Response.Headers.Append(name, value);
            }
        }

        if (!http.Response.Headers.ContainsKey("content-type") && exchange.Answer.Length > 0)
        {
            http.Response.ContentType = exchange.Framing == RecordedFraming.Events ? "text/event-stream" : "application/json";
        }

        bool wantsEvents = exchange.Framing == RecordedFraming.Array && http.Request.QueryString.Value?.Contains("alt=sse", StringComparison.Ordinal) == true;
        await http.Response.Body.WriteAsync(wantsEvents ? Events(exchange.Answer) : exchange.Answer, http.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>An array whose items are asked for as events.</summary>
    private static byte[] Events(ReadOnlyMemory<byte> array) => Encoding.UTF8.GetBytes(string.Concat(
        AnswerFrames.Split(RecordedFraming.Array, array).Select(item => $"data: {item.Data.ReplaceLineEndings(" ")}\r\n\r\n")));

    /// <summary>Recorders put marks of their own into values that HTTP does not allow.</summary>
    private static bool IsSendable(string name, string value) =>
        name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') && value.All(c => c is >= ' ' and <= '~' or '\t');
}
