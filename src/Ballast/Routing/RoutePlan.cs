using Ballast.Catalog;
using Ballast.Routing.Shares;

namespace Ballast.Routing;

/// <summary>
/// The candidates of one request, in order. After a failure the next one leaves the failed platform first, then the failed region: a cloud's outage takes its
/// neighbours along more often than it takes strangers.
/// </summary>
public sealed class RoutePlan(List<Deployment> candidates, Deployment? probe = null, TimeSpan? restingFor = null, ShareTicket? share = null)
{
    /// <summary>Looks for a candidate that breaks no rule before one is taken as it is: under a storm of failovers each look may come too late.</summary>
    private const int LooksMax = 8;

    // What a candidate has against it after a failure, the worst first: no sum of the lesser reaches the next greater.
    private const int EachBrokenRule = 4;
    private const int FailedPlatform = 2;
    private const int FailedRegion = 1;

    private readonly List<Deployment> _left = candidates;
    private List<Deployment>? _failed;

    public int Count => _left.Count;

    /// <summary>The candidate that was claimed as its breaker's one probe; whoever runs the plan reports on it, or gives it back.</summary>
    public Deployment? Probe { get; } = probe;

    /// <summary>The shortest wait for a lawful candidate that rests and is therefore not in the plan; null where none rests.</summary>
    public TimeSpan? RestingFor { get; } = restingFor;

    /// <summary>The request's charge under the policy in force; null without one. Whoever runs the plan settles it.</summary>
    public ShareTicket? Share { get; } = share;

    public bool TryNext(out Deployment deployment)
    {
        // Between the look and the charge others may have used a rule up: then one looks again rather than suspend it.
        for (int looks = 0; ; looks++)
        {
            int best = Best(out int broken);
            if (best < 0)
            {
                deployment = null!;
                return false;
            }

            deployment = _left[best];
            if (Share is null || Share.TryMove(deployment, looks < LooksMax ? broken : int.MaxValue))
            {
                _left.RemoveAt(best);
                return true;
            }

            if (looks >= LooksMax)
            {
                // It refuses, and has only just begun to.
                _left.RemoveAt(best);
            }
        }
    }

    public void NoteFailure(Deployment deployment) => (_failed ??= []).Add(deployment);

    /// <summary>The one that was taken last had no room when it came to it: it has not failed, and the next is looked at as after a failure.</summary>
    public void NoteFull() => _failed ??= [];

    private int Best(out int broken)
    {
        int best = -1;
        int bestShared = int.MaxValue;
        for (int index = 0; index < _left.Count && bestShared > 0; index++)
        {
            int shared = Shared(_left[index]);
            if (shared < bestShared)
            {
                best = index;
                bestShared = shared;
            }
        }

        broken = best < 0 ? 0 : bestShared / EachBrokenRule;
        return best;
    }

    // Regions of different platforms share a place on the map, not a name.
    private int Shared(Deployment deployment)
    {
        int shared = 0;
        if (_failed is null)
        {
            return shared;
        }

        // A rule is suspended only where no other candidate is left, and one that refuses never.
        int broken = Share?.Breaks(deployment) ?? 0;
        if (broken < 0)
        {
            return int.MaxValue;
        }

        foreach (Deployment failed in _failed)
        {
            int now = (failed.Platform == deployment.Platform ? FailedPlatform : 0) + (failed.Region == deployment.Region ? FailedRegion : 0);
            shared = Math.Max(shared, now);
        }

        return (EachBrokenRule * broken) + shared;
    }
}
