using System.Net;

namespace Ballast.Upstream.Framework;

/// <summary>A message's body as the framework wants it. Its memory stays the message's.</summary>
public sealed class BodyContent(UpstreamMessage message) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        message.BeginSend();
        ValueTask writing = stream.WriteAsync(message.Body, cancellationToken);
        if (writing.IsCompletedSuccessfully)
        {
            message.EndSend();
            return Task.CompletedTask;
        }

        return FinishAsync(writing);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = message.Body.Length;
        return true;
    }

    private async Task FinishAsync(ValueTask writing)
    {
        await writing.ConfigureAwait(false);
        message.EndSend();
    }
}
