using Ballast.Exchanges;

namespace Ballast.Upstream;

/// <summary>
/// One request to an upstream: method, address, headers, and a body in pooled memory, which it owns. It knows whether the body was handed to a connection: only
/// then can the platform have seen the request.
/// </summary>
public sealed class UpstreamMessage : IDisposable
{
    private readonly PooledBuffer _body;

    /// <summary>Sends that have begun and did not end well yet; below zero once the memory is given back.</summary>
    private int _sends;

    /// <param name="address">Where it goes.</param>
    /// <param name="body">Owned from here on.</param>
    /// <param name="contentType">Null where there is no body.</param>
    public UpstreamMessage(Uri address, PooledBuffer body, string? contentType = "application/json")
    {
        Address = address;
        _body = body;
        if (contentType is not null)
        {
            HeaderWriter.Add(Headers, "Content-Type", contentType);
        }
    }

    public string Method { get; init; } = "POST";

    /// <summary>Somebody waits for the first word of the answer: the request goes out at once, and not with others'.</summary>
    public bool IsStream { get; init; }

    public Uri Address { get; }

    /// <summary>All but those that the connection itself writes: <c>Host</c> and <c>Content-Length</c>.</summary>
    public UpstreamHeaders Headers { get; } = new();

    public ReadOnlyMemory<byte> Body => _body.WrittenMemory;

    public bool WasSent { get; private set; }

    /// <summary>The platform's time, so far as it is known: for signatures that are good for some minutes.</summary>
    public DateTimeOffset SignedAt { get; set; }

    /// <summary>A connection takes the body now; until <see cref="EndSend"/> its memory is not given back.</summary>
    /// <exception cref="ObjectDisposedException">It was given back before.</exception>
    public void BeginSend()
    {
        WasSent = true;
        ObjectDisposedException.ThrowIf(Interlocked.Increment(ref _sends) < 0, this);
    }

    /// <summary>The connection has taken the whole body and looks at it no more. Not called where sending failed.</summary>
    public void EndSend() => Interlocked.Decrement(ref _sends);

    public void Dispose()
    {
        // An HTTP/2 answer may be given up while its request is still being sent, and nobody waits for that. Such memory is left to the collector, as is that
        // of a send that failed: another request's bytes must never be sent in its place.
        if (Interlocked.CompareExchange(ref _sends, int.MinValue, 0) == 0)
        {
            _body.Dispose();
        }
    }
}
