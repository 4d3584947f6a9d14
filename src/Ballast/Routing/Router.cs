using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Routing.Metering;
using Ballast.Routing.Shares;

namespace Ballast.Routing;

/// <summary>Puts the lawful and available candidates of a request in order. What the key's data terms forbid never enters a plan, so no failover can reach it.</summary>
public sealed partial class Router(HealthBook health, Random random, ShareControl? shares = null, QuotaBook? quotas = null)
{
    private readonly Lock _lock = new();

    /// <exception cref="GatewayException">No candidate is lawful, or all are resting or at their quotas.</exception>
    public RoutePlan Plan(Exchange exchange) =>
        shares?.Current is { } policy && IsShared(exchange.Operation) ? PlanByShares(exchange, shares, policy) : PlanInOrder(exchange);

    private RoutePlan PlanInOrder(Exchange exchange)
    {
        LimitsOptions limits = exchange.Catalog.Limits;
        List<Candidate> lawful = LawfulOf(exchange);
        List<Deployment> first = new(lawful.Count);
        List<Deployment>? later = null;
        Deployment? probe = null;
        bool isFull = false;
        TimeSpan soonest = TimeSpan.MaxValue;
        foreach (Candidate candidate in InOrder(exchange.Model.Selection, lawful))
        {
            Deployment deployment = candidate.Deployment;
            if (IsFull(exchange, deployment, ref soonest))
            {
                isFull = true;
                continue;
            }

            switch (health.Of(deployment).Check(limits, out TimeSpan readyIn, out double share))
            {
                case Availability.Ready:
                    first.Add(deployment);
                    break;
                case Availability.Ramping:
                    (Roll() < share ? first : later ??= []).Add(deployment);
                    break;
                case Availability.Probe when probe is null && health.Of(deployment).TryBeginProbe(limits):
                    // The probe goes first: a breaker that is never probed never closes. If it fails, the request moves on.
                    first.Insert(0, deployment);
                    probe = deployment;
                    break;
                default:
                    soonest = readyIn < soonest ? readyIn : soonest;
                    break;
            }
        }

        first.AddRange(later ?? []);
        if (first.Count == 0)
        {
            throw Resting(soonest, isFull, limits);
        }

        return new RoutePlan(first, probe, soonest == TimeSpan.MaxValue ? null : soonest);
    }

    private static List<Candidate> LawfulOf(Exchange exchange)
    {
        IReadOnlyList<Candidate> candidates = exchange.Model.Candidates;
        List<Candidate> lawful = new(candidates.Count);
        string? space = SpaceOf(exchange);
        bool isOffered = false;
        for (int index = 0; index < candidates.Count; index++)
        {
            Deployment deployment = candidates[index].Deployment;
            if (!exchange.IsOfferedBy(deployment))
            {
                continue;
            }

            isOffered = true;
            if (IsLawful(exchange, deployment, space))
            {
                lawful.Add(candidates[index]);
            }
        }

        return lawful.Count > 0 ? lawful : throw NoneLawful(exchange, isOffered);
    }

    /// <summary>Vectors of different models cannot be compared: whoever asks is answered by the route's first model, or not at all. Null for what is no vector.</summary>
    private static string? SpaceOf(Exchange exchange) =>
        exchange.Protocol.Family == ProtocolFamily.Embeddings ? exchange.Model.Candidates[0].Deployment.EmbeddingSpace : null;

    /// <summary>The law of every plan, with a policy and without.</summary>
    private static bool IsLawful(Exchange exchange, Deployment deployment, string? space) =>
        exchange.Key.Allow.Allows(deployment.Data) && (space is null || deployment.EmbeddingSpace == space);

    private static GatewayException NoneLawful(Exchange exchange, bool isOffered) =>
        isOffered ? new GatewayException(GatewayError.NoLawfulDeployment) : new GatewayException(exchange.NotOffered, param: exchange.DemandingField);

    /// <summary>A quota that is used up is as good as a deployment that is down: nothing is sent there, not even a probe. Counting tokens is asked for elsewhere then.</summary>
    private bool IsFull(Exchange exchange, Deployment deployment, ref TimeSpan soonest)
    {
        if (quotas is null || !deployment.HasHardQuota || exchange.Operation == Operation.CountTokens || quotas.HasRoom(exchange, deployment))
        {
            return false;
        }

        if (exchange.PassOver(deployment))
        {
            quotas.NoteTurnedAway(deployment, exchange.TokensAt(deployment));
        }

        TimeSpan wait = quotas.WaitFor(exchange, deployment);
        soonest = wait < soonest ? wait : soonest;
        return true;
    }

    private static GatewayException Resting(TimeSpan soonest, bool isFull, LimitsOptions limits)
    {
        TimeSpan wait = soonest == TimeSpan.MaxValue ? TimeSpan.FromSeconds(1) : soonest;
        GatewayError error = isFull ? GatewayError.QuotaReached : GatewayError.AllUnavailable;
        return new GatewayException(error.ToChatError() with { RetryAfter = wait }, error.Code) { WaitMax = isFull ? limits.QuotaWait : TimeSpan.Zero };
    }

    private List<Candidate> InOrder(Selection selection, List<Candidate> candidates)
    {
        if (selection == Selection.Ordered || candidates.Count == 1)
        {
            return candidates;
        }

        List<Candidate> left = [.. candidates];
        List<Candidate> ordered = new(left.Count);
        while (left.Count > 0)
        {
            double roll = Roll() * left.Sum(candidate => candidate.Weight);
            int index = 0;
            while (index < left.Count - 1 && (roll -= left[index].Weight) >= 0)
            {
                index++;
            }

            ordered.Add(left[index]);
            left.RemoveAt(index);
        }

        return ordered;
    }

    private double Roll()
    {
        lock (_lock)
        {
            return random.NextDouble();
        }
    }
}
