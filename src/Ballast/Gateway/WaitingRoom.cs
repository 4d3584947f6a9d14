using Ballast.Exchanges;
using Ballast.Routing;

namespace Ballast.Gateway;

/// <summary>
/// Where requests wait for which nobody has room now: a hard quota (<c>limits.quota_wait</c>) or a share whose rule says <c>on_conflict: queue</c>. Never longer than that says and never more at
/// once than <c>limits.waiting_requests_max</c>; who comes first is not served first. Thread-safe.
/// </summary>
public sealed class WaitingRoom(Router router)
{
    /// <summary>Between two looks for room.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    private int _waiting;
    private long _served;

    /// <summary>Requests that wait now.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Requests that waited and found room, since the start.</summary>
    public long Served => Interlocked.Read(ref _served);

    /// <summary>The plan of a request, at once or after a while.</summary>
    /// <exception cref="GatewayException">As of <see cref="Router.Plan"/>, and where the wait was in vain.</exception>
    public ValueTask<RoutePlan> PlanAsync(Exchange exchange, CancellationToken aborted)
    {
        try
        {
            return new ValueTask<RoutePlan>(router.Plan(exchange));
        }
        catch (GatewayException refusal) when (refusal.WaitMax > TimeSpan.Zero)
        {
            return new ValueTask<RoutePlan>(WaitAsync(exchange, refusal, aborted));
        }
    }

    private async Task<RoutePlan> WaitAsync(Exchange exchange, GatewayException first, CancellationToken aborted)
    {
        long start = exchange.Time.GetTimestamp();
        GatewayException refusal = first;
        try
        {
            if (Interlocked.Increment(ref _waiting) > exchange.Catalog.Limits.WaitingRequestsMax)
            {
                throw refusal;
            }

            while (true)
            {
                TimeSpan left = refusal.WaitMax - exchange.Time.GetElapsedTime(start);
                if (left <= TimeSpan.Zero)
                {
                    throw refusal;
                }

                await Task.Delay(left < Step ? left : Step, exchange.Time, aborted).ConfigureAwait(false);
                try
                {
                    RoutePlan plan = router.Plan(exchange);
                    Interlocked.Increment(ref _served);
                    return plan;
                }
                catch (GatewayException again) when (again.WaitMax > TimeSpan.Zero)
                {
                    refusal = again;
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
