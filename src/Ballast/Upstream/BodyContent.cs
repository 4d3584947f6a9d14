using System.Net;
using Ballast.Exchanges;

namespace Ballast.Upstream;

/// <summary>
/// A request body in pooled memory that knows whether it was handed to a connection: only then can the platform have seen the request. It owns the memory.
/// </summary>
public sealed class BodyContent : HttpContent
{
    private readonly PooledBuffer _body;

    /// <summary>Writes that have begun and did not end well yet; below zero once the memory is given back.</summary>
    private int _writes;

    public BodyContent(PooledBuffer body)
    {
        _body = body;
        Headers.TryAddWithoutValidation("Content-Type", "application/json");
    }

    public bool WasSent { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        WasSent = true;
        ObjectDisposedException.ThrowIf(Interlocked.Increment(ref _writes) < 0, this);
        ValueTask writing = stream.WriteAsync(_body.WrittenMemory, cancellationToken);
        if (writing.IsCompletedSuccessfully)
        {
            Interlocked.Decrement(ref _writes);
            return Task.CompletedTask;
        }

        return FinishAsync(writing);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _body.WrittenCount;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        // An HTTP/2 answer may be given up while its request is still being sent, and nobody waits for that. Such memory is left to the collector, as is that
        // of a write that failed: another request's bytes must never be sent in its place.
        if (disposing && Interlocked.CompareExchange(ref _writes, int.MinValue, 0) == 0)
        {
            _body.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task FinishAsync(ValueTask writing)
    {
        await writing.ConfigureAwait(false);
        Interlocked.Decrement(ref _writes);
    }
}
