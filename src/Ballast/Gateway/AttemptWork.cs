using Ballast.Exchanges;
using Ballast.Upstream;

namespace Ballast.Gateway;

/// <summary>What an attempt sends and what becomes of its answer, where that is not a model's answer to be passed on.</summary>
public abstract class AttemptWork
{
    /// <summary>Builds the request of one attempt.</summary>
    public abstract UpstreamMessage Build(Attempt attempt);

    /// <summary>
    /// Takes an answer of status 2xx and answers the client with it; null where that went well. What it throws for broken answers and broken connections is judged as
    /// for any answer.
    /// </summary>
    public abstract Task<UpstreamFailure?> TakeAsync(Attempt attempt, UpstreamAnswer upstream, AttemptTimer timer, CancellationToken aborted);

    /// <summary>What of a failure the client is told, and whether another deployment may be tried.</summary>
    public virtual UpstreamFailure Tell(UpstreamFailure failure) => failure;
}
