namespace Ballast.Upstream;

/// <summary>Connections to one address under one set of rules.</summary>
public abstract class UpstreamPool : IDisposable
{
    /// <summary>Sends a signed request and returns at the answer's head. The token ends the whole exchange, the reading of the body included.</summary>
    /// <exception cref="UpstreamException">No answer came.</exception>
    public abstract ValueTask<UpstreamAnswer> SendAsync(UpstreamMessage message, CancellationToken cancellation);

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
