using System.Numerics;
using System.Runtime.InteropServices;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Routing.Shares;

namespace Ballast.Routing;

/// <summary>The part of the router that keeps a balance policy: the same candidates, chosen by share credits.</summary>
public sealed partial class Router
{
    private const int BytesPerToken = 4;

    /// <summary>What is refused for a share may come again: buckets fill by others' requests, which nobody foresees.</summary>
    private static readonly TimeSpan s_shedRetry = TimeSpan.FromSeconds(5);

    private RoutePlan PlanByShares(Exchange exchange, ShareControl control, SharePolicy policy)
    {
        ModelShares model = policy.Of(exchange.Model);
        Standing standing = Look(exchange, model.CandidateCount);
        double input = (double)exchange.Envelope.Body.Length / BytesPerToken;
        double output = Math.Min(model.Answer, exchange.Envelope.MaxOutputTokens ?? double.MaxValue);
        ulong rules = policy.RulesOf(exchange.Key, model);
        ulong session = SessionOf(exchange, policy);
        bool isLeast = policy.YieldsFirst(exchange.Key);
        bool yields = false;
        TimeSpan wait = TimeSpan.Zero;
        DateTimeOffset now = control.Time.GetUtcNow();
        int probe = -1;
        ShareDecision decision;
        ShareClass requests;
        double units;
        using (control.Enter())
        {
            requests = model.ClassOf(standing.Lawful);
            probe = ChooseProbe(exchange, policy, requests, rules, standing, isLeast);
            ulong eligible = standing.Eligible | (probe >= 0 ? 1UL << probe : 0);
            if (eligible == 0)
            {
                throw Resting(standing.Soonest, standing.Full != 0, exchange.Catalog.Limits);
            }

            yields = isLeast && eligible != standing.Lawful;
            units = policy.Units(model.Candidate(BitOperations.TrailingZeroCount(eligible)), input, output, now);
            decision = probe >= 0 ? policy.Book.Charge(requests, probe, rules, units)
                : policy.Book.Decide(requests, new ShareAsk(rules, standing.Preferred, eligible, units, Warm(policy, control, session), policy.DebtMax, yields));
            if (decision.Index >= 0)
            {
                double own = policy.Units(model.Candidate(decision.Index), input, output, now);
                policy.Book.Correct(requests, decision, own - units);
                units = own;
                control.Note(policy, decision, units, CauseOf(standing, eligible));
                policy.Sessions.Note(session, decision.Index, control.Time.GetTimestamp());
            }
            else
            {
                wait = policy.Book.WaitFor(requests, eligible, rules);
                control.NoteRefused(policy, decision);
            }
        }

        if (decision.Index < 0)
        {
            throw Refused(yields ? GatewayError.TierShed : GatewayError.ShareExceeded, wait);
        }

        ShareTicket ticket = new(control, policy, model, requests, rules, input, output, session, decision, units, isLeast);
        return new RoutePlan(
            InPlan(model, standing.Eligible, decision.Index), probe < 0 ? null : model.Candidate(probe),
            standing.Soonest == TimeSpan.MaxValue ? null : standing.Soonest, ticket);
    }

    private static GatewayException Refused(GatewayError error, TimeSpan wait) =>
        new(error.ToChatError(param: "model") with { RetryAfter = s_shedRetry }, error.Code) { WaitMax = wait };

    /// <summary>Why a rule had to give way, if it had to: who is down comes before who is at its quota.</summary>
    private static RelaxationCause CauseOf(in Standing standing, ulong eligible)
    {
        ulong gone = standing.Lawful & ~eligible;
        return gone == 0 ? RelaxationCause.Eligibility : (gone & ~standing.Full) != 0 ? RelaxationCause.Health : RelaxationCause.Quota;
    }

    /// <summary>Only chat, embeddings and their like take part in shares; what costs nothing, or stays where it is, does not.</summary>
    private static bool IsShared(Operation operation) => operation is not (Operation.CountTokens or Operation.Models or Operation.State) && !OperationName.IsOfKept(operation);

    /// <summary>The lawful candidates, and which of them are up.</summary>
    private Standing Look(Exchange exchange, int count)
    {
        Standing standing = new() { Soonest = TimeSpan.MaxValue };
        string? space = SpaceOf(exchange);
        bool isOffered = false;
        for (int index = 0; index < count; index++)
        {
            Deployment deployment = exchange.Model.Candidates[index].Deployment;
            if (!exchange.IsOfferedBy(deployment))
            {
                continue;
            }

            isOffered = true;
            if (!IsLawful(exchange, deployment, space))
            {
                continue;
            }

            ulong bit = 1UL << index;
            standing.Lawful |= bit;
            if (IsFull(exchange, deployment, ref standing.Soonest))
            {
                standing.Full |= bit;
                continue;
            }

            switch (health.Of(deployment).Check(exchange.Catalog.Limits, out TimeSpan readyIn, out double share))
            {
                case Availability.Ready:
                    standing.Preferred |= bit;
                    standing.Eligible |= bit;
                    break;
                case Availability.Ramping:
                    standing.Preferred |= Roll() < share ? bit : 0;
                    standing.Eligible |= bit;
                    break;
                case Availability.Probe:
                    standing.Probes |= bit;
                    break;
                default:
                    standing.Soonest = readyIn < standing.Soonest ? readyIn : standing.Soonest;
                    break;
            }
        }

        return standing.Lawful != 0 ? standing : throw NoneLawful(exchange, isOffered);
    }

    /// <summary>A breaker that is never probed never closes; but a probe breaks no rule while there is another way.</summary>
    private int ChooseProbe(Exchange exchange, SharePolicy policy, ShareClass requests, ulong rules, in Standing standing, bool isLeast)
    {
        for (ulong left = standing.Probes; left != 0; left &= left - 1)
        {
            int index = BitOperations.TrailingZeroCount(left);
            bool isFree = policy.Book.Breaks(requests, index, rules) == 0;
            bool isRefused = policy.Book.Refuses(requests, index, rules, isLeast);
            if (!isRefused && (isFree || standing.Eligible == 0) && health.Of(exchange.Model.Candidates[index].Deployment).TryBeginProbe(exchange.Catalog.Limits))
            {
                return index;
            }
        }

        return -1;
    }

    /// <summary>The chosen one first, then the others in their order from there on, so that a failure does not send everybody to the same place.</summary>
    private static List<Deployment> InPlan(ModelShares model, ulong eligible, int chosen)
    {
        List<Deployment> plan = new(model.CandidateCount) { model.Candidate(chosen) };
        for (int step = 1; step < model.CandidateCount; step++)
        {
            int index = (chosen + step) % model.CandidateCount;
            if ((eligible & (1UL << index)) != 0)
            {
                plan.Add(model.Candidate(index));
            }
        }

        return plan;
    }

    private static int Warm(SharePolicy policy, ShareControl control, ulong session)
    {
        if (policy.Affinity is not { } affinity || session == 0)
        {
            return -1;
        }

        long ttl = (long)(affinity.Ttl.TotalSeconds * control.Time.TimestampFrequency);
        return policy.Sessions.Find(session, control.Time.GetTimestamp() - ttl);
    }

    /// <summary>
    /// What a vendor's cache would know a conversation by: who asks which model, and how the request begins. 0 where it is too short for a cache to be worth keeping.
    /// </summary>
    private static ulong SessionOf(Exchange exchange, SharePolicy policy)
    {
        int prefix = policy.Affinity is { } affinity ? affinity.CachedPrefixMin * BytesPerToken : int.MaxValue;
        if (exchange.Envelope.Body.Length < prefix)
        {
            return 0;
        }

        ulong hash = (ulong)(uint)exchange.Key.Id.GetHashCode(StringComparison.Ordinal) | ((ulong)(uint)exchange.Model.Name.GetHashCode(StringComparison.Ordinal) << 32);
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(exchange.Envelope.Body.Span[..prefix]))
        {
            hash = BitOperations.RotateLeft((hash ^ word) * 0x9E3779B97F4A7C15UL, 29);
        }

        return hash | 1;
    }

    private struct Standing
    {
        public ulong Lawful;
        public ulong Preferred;
        public ulong Eligible;
        public ulong Probes;
        public ulong Full;
        public TimeSpan Soonest;
    }
}
