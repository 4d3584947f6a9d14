using Ballast.Exchanges;
using Ballast.Protocols.Conversation;

namespace Ballast.Upstream;

/// <summary>Why an attempt failed, as a value: what the client would be told, and what it says of the deployment.</summary>
/// <param name="Code">For ledger, log and metrics.</param>
/// <param name="Error">What the client is told if nothing else can answer.</param>
/// <param name="IsRetryable">Another deployment may be tried.</param>
/// <param name="BlamesDeployment">Counts against the deployment's health.</param>
/// <param name="RestFor">The deployment asked to be left alone for this long.</param>
public sealed record UpstreamFailure(string Code, ChatError Error, bool IsRetryable, bool BlamesDeployment, TimeSpan? RestFor = null)
{
    /// <summary>The upstream's own error body, where it may go to a caller of the same protocol as it is.</summary>
    public ReadOnlyMemory<byte> RawBody { get; init; }

    /// <summary>What no other deployment could have mended (the request's own time is up) is not held against this one.</summary>
    public static UpstreamFailure Of(GatewayError error) => new(error.Code, error.ToChatError(), error.IsRetryable, BlamesDeployment: error.IsRetryable);
}
