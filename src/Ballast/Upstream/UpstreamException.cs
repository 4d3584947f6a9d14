using Ballast.Exchanges;

namespace Ballast.Upstream;

/// <summary>No answer came, or it broke off. Says which of the gateway's errors that is; the message holds no address and nothing that was sent.</summary>
/// <param name="error">
/// <see cref="GatewayError.ConnectionLost"/> and <see cref="GatewayError.StreamCut"/> where the upstream may have seen the request; all others where it cannot have.
/// </param>
/// <param name="inner">What the connection said.</param>
public sealed class UpstreamException(GatewayError error, Exception? inner = null) : IOException(error.Message, inner)
{
    public GatewayError Error { get; } = error;
}
