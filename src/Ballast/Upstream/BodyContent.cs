using System.Net;

namespace Ballast.Upstream;

/// <summary>A request body in memory that knows whether it was handed to a connection: only then can the platform have seen the request.</summary>
public sealed class BodyContent : HttpContent
{
    private readonly ReadOnlyMemory<byte> _body;

    public BodyContent(ReadOnlyMemory<byte> body)
    {
        _body = body;
        Headers.ContentType = new("application/json");
    }

    public bool WasSent { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        WasSent = true;
        return stream.WriteAsync(_body, cancellationToken).AsTask();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _body.Length;
        return true;
    }
}
