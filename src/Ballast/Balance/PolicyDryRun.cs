using Ballast.Catalog;
using Ballast.Configuration.Policies;
using Ballast.Exchanges;
using Ballast.Ledger;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Routing;
using Ballast.Routing.Shares;

namespace Ballast.Balance;

/// <summary>
/// A policy held against requests that the ledger remembers, before it is put in force: the gateway's own router on the clock of those requests, with everything up.
/// The sizes are the true ones; a deployment is taken to need as many tokens as the one that answered.
/// </summary>
public sealed class PolicyDryRun
{
    /// <summary>Requests that are replayed, the newest of the window.</summary>
    public const int RequestsMax = 1_000_000;

    private const int BytesPerToken = 4;
    private const int TokensMax = 1_000_000;

    private static readonly byte[] s_blank = new byte[BytesPerToken * TokensMax];

    public required IReadOnlyList<DryRunRule> Rules { get; init; }

    /// <summary>Requests replayed.</summary>
    public required long Requests { get; init; }

    /// <summary>Requests that would have gone to another deployment.</summary>
    public required long Moved { get; init; }

    /// <summary>Requests that would have been refused, by <c>on_conflict: shed</c> or by residency.</summary>
    public required long Refused { get; init; }

    /// <summary>Requests whose model or key is no longer in the configuration.</summary>
    public required long Unknown { get; init; }

    public static PolicyDryRun Run(PolicyOptions options, CatalogSnapshot catalog, ComponentMap components, IReadOnlyList<ServedRequest> served)
    {
        CatalogSnapshot restricted = catalog with { Keys = [.. catalog.Keys.Select(key => SharePolicy.Restrict(key, options))] };
        // The ledger holds no prompts, so what was warm cannot be told.
        SharePolicy policy = SharePolicy.Compile(options with { Affinity = null }, "dry run", restricted, components);
        ReplayClock clock = new();
        ShareControl control = new(clock);
        control.Activate(policy);
        Router router = new(new HealthBook(clock), new Random(1), control);
        double[] group = new double[policy.Book.Rules.Count];
        double[] total = new double[policy.Book.Rules.Count];
        Dictionary<string, ApiKey> keys = restricted.Keys.ToDictionary(static key => key.Id, StringComparer.Ordinal);
        (long requests, long moved, long refused, long unknown) = (0, 0, 0, 0);
        foreach (ServedRequest request in served)
        {
            if (!keys.TryGetValue(request.KeyId, out ApiKey? key) || catalog.FindModel(request.RequestedModel) is not { } model
                || ProtocolList.Find(request.Protocol) is not { } protocol || !catalog.Deployments.TryGetValue(request.Deployment, out Deployment? answered))
            {
                unknown++;
                continue;
            }

            requests++;
            clock.Now = request.At;
            Usage usage = request.Usage;
            policy.AddAsServed(answered, model, key, policy.Units(answered, usage, request.At), group, total);
            try
            {
                Exchange exchange = new(protocol, Operation.Chat, restricted, clock)
                {
                    Key = key,
                    Model = model,
                    Envelope = new RequestEnvelope { Body = s_blank.AsMemory(0, (int)(BytesPerToken * Math.Min(usage.TotalInputTokens, TokensMax))), Model = request.RequestedModel },
                };
                RoutePlan plan = router.Plan(exchange);
                plan.TryNext(out Deployment chosen);
                Attempt attempt = exchange.BeginAttempt(chosen);
                (attempt.Result, attempt.Usage) = (AttemptResult.Completed, usage);
                plan.Share?.Settle(exchange.Attempts);
                moved += chosen.Name == request.Deployment ? 0 : 1;
            }
            catch (GatewayException)
            {
                refused++;
            }
        }

        ShareSnapshot after = control.Save()!;
        return new PolicyDryRun
        {
            Rules =
            [
                .. policy.Book.Rules.Select((rule, index) => new DryRunRule(
                    rule, total[index] <= 0 ? null : rule.IsFloor ? 1 - (group[index] / total[index]) : group[index] / total[index],
                    after.Buckets[index].Share, after.Buckets[index].RelaxedRequests)),
            ],
            Requests = requests,
            Moved = moved,
            Refused = refused,
            Unknown = unknown,
        };
    }

    /// <summary>Stands where the replayed request stood.</summary>
    private sealed class ReplayClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => Now.UtcTicks;
    }
}
