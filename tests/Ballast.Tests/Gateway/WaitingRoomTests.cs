using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Configuration.Policies;
using Ballast.Exchanges;
using Ballast.Gateway;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Routing;
using Ballast.Routing.Metering;
using Ballast.Routing.Shares;
using Ballast.Tests.Routing;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Gateway;

public class WaitingRoomTests
{
    private readonly CountingTime _time = new(new DateTimeOffset(2026, 12, 1, 8, 0, 0, TimeSpan.Zero));
    private readonly ShareControl _control;
    private readonly QuotaBook _quotas;
    private readonly HealthBook _health;
    private readonly WaitingRoom _room;
    private readonly Deployment[] _both = [Deployments.Of("a/m", "v", "azure", "r"), Deployments.Of("b/m", "v", "aws", "r")];

    public WaitingRoomTests()
    {
        _control = new ShareControl(_time);
        _quotas = new QuotaBook(_time);
        _health = new HealthBook(_time);
        _room = new WaitingRoom(new Router(_health, new Random(1), _control, _quotas));
    }

    [Fact]
    public async Task Plan_QuotaHasRoomWithinTheWait_IsPlannedThen()
    {
        Deployment only = _both[0] with { HardQuota = new HardQuota(1, null) };
        Settle(await PlanAsync([only], s_patient), only);

        Task<RoutePlan> waiting = PlanAsync([only], s_patient);
        await AdvanceAsync(TimeSpan.FromSeconds(59));
        Assert.False(waiting.IsCompleted);
        Assert.Equal(1, _room.Waiting);
        await AdvanceAsync(TimeSpan.FromSeconds(3));

        Assert.Equal(1, (await waiting.WaitAsync(s_long, TestContext.Current.CancellationToken)).Count);
        Assert.Equal((0, 1L), (_room.Waiting, _room.Served));
    }

    [Fact]
    public async Task Plan_QuotaHasNoRoomWithinTheWait_IsRefusedAfterIt()
    {
        Deployment only = _both[0] with { HardQuota = new HardQuota(1, null) };
        LimitsOptions limits = s_patient with { QuotaWait = TimeSpan.FromSeconds(10) };
        Settle(await PlanAsync([only], limits), only);

        Task<RoutePlan> waiting = PlanAsync([only], limits);
        await AdvanceAsync(TimeSpan.FromSeconds(9.5));
        Assert.False(waiting.IsCompleted);
        await AdvanceAsync(TimeSpan.FromSeconds(1));

        GatewayException refusal = await Assert.ThrowsAsync<GatewayException>(() => waiting.WaitAsync(s_long, TestContext.Current.CancellationToken));
        Assert.Equal("ballast_quota_reached", refusal.Code);
        Assert.Equal(0, _room.Waiting);
    }

    [Fact]
    public async Task Plan_AsManyWaitAsMay_TheNextIsRefusedAtOnce()
    {
        Deployment only = _both[0] with { HardQuota = new HardQuota(1, null) };
        LimitsOptions limits = s_patient with { WaitingRequestsMax = 2 };
        Settle(await PlanAsync([only], limits), only);
        using CancellationTokenSource gone = new();

        Task<RoutePlan>[] waiting = [PlanAsync([only], limits, gone), PlanAsync([only], limits, gone)];
        GatewayException refusal = await Assert.ThrowsAsync<GatewayException>(() => PlanAsync([only], limits).WaitAsync(s_long, TestContext.Current.CancellationToken));
        Assert.Equal(("ballast_quota_reached", 2), (refusal.Code, _room.Waiting));

        // A client that goes away waits no more.
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(waiting).WaitAsync(s_long, TestContext.Current.CancellationToken));
        Assert.Equal(0, _room.Waiting);
    }

    [Fact]
    public async Task Plan_RuleThatQueues_WaitsForOthersToFillTheBucket()
    {
        Activate("on_conflict: queue, wait: 3s");
        Break(_both[0]);
        await DrainAsync();
        Task<RoutePlan> waiting = PlanAsync(_both, s_patient);
        Task<RoutePlan> inVain = PlanAsync([_both[1]], s_patient);
        await AdvanceAsync(TimeSpan.FromSeconds(1));
        Assert.False(waiting.IsCompleted);

        // The one that was away is back.
        _health.Of(_both[0]).Reset();
        await AdvanceAsync(TimeSpan.FromSeconds(0.5));
        Assert.True((await waiting.WaitAsync(s_long, TestContext.Current.CancellationToken)).TryNext(out Deployment chosen));
        Assert.Equal("a/m", chosen.Name);

        await AdvanceAsync(TimeSpan.FromSeconds(3));
        if (!inVain.IsCompletedSuccessfully)
        {
            Assert.Equal("ballast_share_exceeded", (await Assert.ThrowsAsync<GatewayException>(() => inVain.WaitAsync(s_long, TestContext.Current.CancellationToken))).Code);
        }
    }

    [Fact]
    public async Task Plan_RuleThatQueues_RefusesWhenTheWaitIsOverAndSuspendsNothing()
    {
        Activate("on_conflict: queue, wait: 3s");
        Break(_both[0]);
        await DrainAsync();
        Task<RoutePlan> waiting = PlanAsync(_both, s_patient);
        await AdvanceAsync(TimeSpan.FromSeconds(3.2));

        GatewayException refusal = await Assert.ThrowsAsync<GatewayException>(() => waiting.WaitAsync(s_long, TestContext.Current.CancellationToken));
        Assert.Equal("ballast_share_exceeded", refusal.Code);
        ShareSnapshot.Bucket bucket = Assert.Single(_control.Save()!.Buckets);
        Assert.Equal(0, bucket.RelaxedRequests);
        Assert.True(bucket.Refused > 0);
    }

    [Fact]
    public async Task Plan_AppThatCanWait_IsRefusedWithItsOwnCodeWhileSomebodyIsAway()
    {
        Activate("on_conflict: serve", "criticality: { test: 3 }");
        Break(_both[0]);
        GatewayException refusal = await Assert.ThrowsAsync<GatewayException>(async () =>
        {
            for (int request = 0; request < 100; request++)
            {
                await PlanAsync(_both, s_patient);
            }
        });

        Assert.Equal(("ballast_tier_shed", ChatErrorKind.Unavailable), (refusal.Code, refusal.Error.Kind));
        Assert.NotNull(refusal.Error.RetryAfter);
        Assert.Empty(_control.TakeChanges());
    }

    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(30);
    private static readonly LimitsOptions s_patient = new() { QuotaWait = TimeSpan.FromMinutes(2) };

    /// <summary>In small steps, each seen by whoever waits: every one of them has looked, and waits on or is done, before the next step.</summary>
    private async Task AdvanceAsync(TimeSpan time)
    {
        for (TimeSpan gone = TimeSpan.Zero; gone < time; gone += WaitingRoom.Step)
        {
            int waiting = _room.Waiting;
            int made = _time.Made;
            _time.Advance(WaitingRoom.Step);
            long start = TimeProvider.System.GetTimestamp();
            while (_time.Made - made < _room.Waiting)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(start) < s_long, $"{waiting} waited, and {_room.Waiting} do not look");
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, TestContext.Current.CancellationToken);
            }
        }
    }

    private Task<RoutePlan> PlanAsync(Deployment[] candidates, LimitsOptions limits, CancellationTokenSource? gone = null) =>
        _room.PlanAsync(NewExchange(candidates, limits), gone?.Token ?? CancellationToken.None).AsTask();

    private Exchange NewExchange(Deployment[] candidates, LimitsOptions limits) => new(ProtocolList.OpenAIChat, Operation.Chat, Deployments.Catalog(limits), _time)
    {
        Key = Deployments.Key(),
        Model = new Model("m", Selection.Ordered, [.. candidates.Select(static one => new Candidate(one, 1))], 0),
        Envelope = new RequestEnvelope { Body = new byte[300], Model = "m", MaxOutputTokens = 100 },
    };

    private void Settle(RoutePlan plan, Deployment deployment)
    {
        Assert.True(plan.TryNext(out _));
        Exchange exchange = NewExchange([deployment], s_patient);
        Attempt attempt = exchange.BeginAttempt(deployment);
        Assert.True(_quotas.TryTake(exchange, attempt));
        (attempt.Reached, attempt.Result) = (true, AttemptResult.Completed);
        _quotas.Settle(attempt);
    }

    /// <summary>Until nothing more may go where the cap is.</summary>
    private async Task DrainAsync()
    {
        for (int request = 0; request < 1_000; request++)
        {
            Task<RoutePlan> plan = PlanAsync(_both, s_patient with { WaitingRequestsMax = 0 });
            try
            {
                await plan.WaitAsync(s_long, TestContext.Current.CancellationToken);
            }
            catch (GatewayException)
            {
                return;
            }
        }

        Assert.Fail("the bucket is never empty");
    }

    private void Activate(string conflict, string more = "")
    {
        PolicyLoadResult loaded = PolicyLoader.Load(
            $$"""
            apiVersion: ballast/v1
            kind: BalancePolicy
            metadata: { name: test, version: 1 }
            scopes: [{ id: org, rules: [{ id: aws50, cap: { platform: aws }, share: 0.50, burst: 2000, {{conflict}} }] }]
            {{more}}
            """, ComponentKindName.All);
        Assert.Empty(loaded.Faults);
        CatalogSnapshot catalog = Deployments.Catalog() with { Deployments = System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(_both, static one => one.Name) };
        _control.Activate(SharePolicy.Compile(loaded.Options!, "digest", catalog, ComponentMap.Plain));
    }

    private void Break(Deployment deployment) => _health.Of(deployment).Rest(TimeSpan.FromMinutes(5), new LimitsOptions());

    /// <summary>A clock that is set by hand and knows how often somebody began to wait by it.</summary>
    private sealed class CountingTime(DateTimeOffset start) : FakeTimeProvider(start)
    {
        private int _made;

        public int Made => Volatile.Read(ref _made);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = base.CreateTimer(callback, state, dueTime, period);
            Interlocked.Increment(ref _made);
            return timer;
        }
    }
}
