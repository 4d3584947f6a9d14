using Ballast.Catalog;
using Ballast.Configuration.Policies;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Routing;
using Ballast.Routing.Metering;
using Ballast.Routing.Shares;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Routing.Metering;

public class QuotaBookTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 8, 0, 0, TimeSpan.Zero));
    private readonly HealthBook _health;
    private readonly QuotaBook _quotas;
    private readonly ShareControl _control;
    private readonly Router _router;

    public QuotaBookTests()
    {
        _health = new HealthBook(_time);
        _quotas = new QuotaBook(_time);
        _control = new ShareControl(_time);
        _router = new Router(_health, new Random(1), _control, _quotas);
    }

    [Fact]
    public void Plan_FirstIsAtItsQuota_GoesToTheNext_UntilAMinuteAfterTheAnswer()
    {
        Deployment[] both = [Limited("a/m", requests: 2), Deployments.Of("b/m", "v", "aws", "r")];

        Assert.Equal(["a/m", "a/m", "b/m"], [Send(both), Send(both), Send(both)]);
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal("b/m", Send(both));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("a/m", Send(both));
        QuotaStanding standing = _quotas.StandingOf(both[0])!;
        Assert.Equal((1, 2, false), (standing.Requests, standing.TurnedAway, standing.IsUsedUp));
    }

    [Fact]
    public void Plan_AllAtTheirQuotas_Is429AndSaysHowLong()
    {
        Deployment only = Limited("a/m", requests: 1);
        Send([only]);
        _time.Advance(TimeSpan.FromSeconds(20));

        GatewayException refusal = Assert.Throws<GatewayException>(() => Send([only]));

        Assert.Equal(("ballast_quota_reached", ChatErrorKind.RateLimited), (refusal.Code, refusal.Error.Kind));
        Assert.Equal(TimeSpan.FromSeconds(41), refusal.Error.RetryAfter);
        _time.Advance(TimeSpan.FromSeconds(41));
        Assert.Equal("a/m", Send([only]));
    }

    [Fact]
    public void Plan_MoreTokensThanTheQuotaHas_IsNeverSentThere()
    {
        Deployment small = Limited("a/m", tokens: 1_000);

        GatewayException refusal = Assert.Throws<GatewayException>(() => Send([small], output: 1_000));

        Assert.Equal("ballast_quota_reached", refusal.Code);
        Assert.Equal("a/m", Send([small], output: 900));
    }

    [Fact]
    public void Settle_FewerTokensThanTaken_MakesRoomAtOnce()
    {
        Deployment only = Limited("a/m", tokens: 1_000);
        Attempt running = Begin([only], output: 800);
        Assert.Throws<GatewayException>(() => Send([only], output: 800));

        End(running, used: 50);

        Assert.Equal("a/m", Send([only], output: 800));
    }

    [Fact]
    public void Settle_NeverSent_GivesAllBack()
    {
        Deployment only = Limited("a/m", requests: 1, tokens: 1_000);
        Attempt attempt = Begin([only], output: 800);
        _quotas.Settle(attempt);
        _quotas.Settle(attempt);

        QuotaStanding standing = _quotas.StandingOf(only)!;
        Assert.Equal((0, 0), (standing.Requests, standing.Tokens));
    }

    /// <summary>Nobody knows what an answer took whose end was not seen: the most that it may have been.</summary>
    [Fact]
    public void Settle_CutAnswer_CountsWhatWasTaken()
    {
        Deployment only = Limited("a/m", tokens: 1_000);
        Attempt attempt = Begin([only], output: 800);
        attempt.Reached = true;
        attempt.Result = AttemptResult.Interrupted;
        _quotas.Settle(attempt);

        Assert.Throws<GatewayException>(() => Send([only], output: 800));
    }

    /// <summary>A request that takes its time to arrive is still counted when the vendor counts it.</summary>
    [Fact]
    public void TryTake_AnAnswerThatTakesMinutes_CountsUntilAMinuteAfterItsHead()
    {
        Deployment only = Limited("a/m", requests: 1);
        Attempt slow = Begin([only]);
        _time.Advance(TimeSpan.FromMinutes(3));
        Assert.Throws<GatewayException>(() => Send([only]));

        slow.Reached = true;
        _quotas.NoteArrival(slow);
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Throws<GatewayException>(() => Send([only]));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("a/m", Send([only]));
    }

    [Fact]
    public void TryTake_AccountHasNoRoom_LeavesTheDeploymentsOwnUntouched()
    {
        Provider account = Deployments.Of("a/m", "v", "azure", "r").Provider with { HardQuota = new HardQuota(1, null) };
        Deployment first = Limited("a/m", requests: 5) with { Provider = account };
        Deployment second = Limited("a/n", requests: 5) with { Provider = account };
        Send([first]);

        Attempt attempt = NewExchange([second]).BeginAttempt(second);

        Assert.False(_quotas.TryTake(NewExchange([second]), attempt));
        Assert.Equal(0, _quotas.StandingOf(second)!.Requests);
    }

    [Fact]
    public void TryTake_OfTheAccountOnly_AsksNoModelsQuota()
    {
        Deployment only = Limited("a/m", requests: 1) with { Provider = Deployments.Of("a/m", "v", "azure", "r").Provider with { HardQuota = new HardQuota(2, 10) } };
        Send([only], output: 0);
        Exchange exchange = NewExchange([only]);

        Assert.True(_quotas.TryTake(exchange, exchange.BeginAttempt(only), isOfAccount: true));
        Assert.False(_quotas.TryTake(exchange, exchange.BeginAttempt(only), isOfAccount: true));
    }

    [Fact]
    public void Plan_CountingTokens_GoesOn()
    {
        Deployment only = Limited("a/m", requests: 1);
        Send([only]);
        Exchange exchange = NewExchange([only], operation: Operation.CountTokens);

        Assert.Equal(1, _router.Plan(exchange).Count);
        Assert.False(_quotas.TryTake(exchange, exchange.BeginAttempt(only)));
    }

    /// <summary>P2 goes before P4: a quota is never exceeded for the sake of a cap, and that the cap gave way has its cause.</summary>
    [Fact]
    public void Plan_CapAndQuotaInConflict_SuspendsTheCapAndSaysWhy()
    {
        Deployment[] both = [Deployments.Of("a/m", "v", "azure", "r"), Limited("b/m", requests: 1)];
        PolicyOptions policy = new()
        {
            Name = "p",
            Version = 1,
            Scopes = [new PolicyScopeOptions { Id = "org", Rules = [new ShareRuleOptions { Id = "az", Kind = "platform", Name = "azure", Share = 0.1, IsHard = true, Burst = 10 }] }],
        };
        _control.Activate(SharePolicy.Compile(policy, "d", Deployments.Catalog(), ComponentMap.Plain));

        Assert.Equal(["a/m", "b/m", "a/m"], [Send(both), Send(both), Send(both)]);
        Relaxation relaxation = Assert.Single(_control.TakeChanges());
        Assert.Equal((RelaxationCause.Quota, "quota", "az"), (relaxation.Cause, relaxation.CauseName, relaxation.Rule));
    }

    [Fact]
    public void Bind_AnotherCatalog_ChangesTheLimitAndKeepsTheCount()
    {
        Deployment before = Limited("a/m", requests: 2);
        Send([before]);
        Deployment after = Limited("a/m", requests: 1);

        _quotas.Bind(Deployments.Catalog() with { Deployments = System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary([after], static one => one.Name) });

        Assert.Throws<GatewayException>(() => Send([after]));
        Assert.Throws<GatewayException>(() => Send([before]));
    }

    [Fact]
    public void Decision_Warm_AllocatesNothing()
    {
        Deployment deployment = Limited("a/m", requests: 1_000_000, tokens: long.MaxValue / 2) with
        {
            Provider = Deployments.Of("a/m", "v", "azure", "r").Provider with { HardQuota = new HardQuota(1_000_000, null) },
        };
        Exchange exchange = NewExchange([deployment]);
        Attempt attempt = exchange.BeginAttempt(deployment);
        attempt.Reached = true;
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int request = 0; request < 1_000; request++)
            {
                _ = _quotas.HasRoom(exchange, deployment) && _quotas.TryTake(exchange, attempt);
                _quotas.NoteArrival(attempt);
                _quotas.Settle(attempt);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
        Assert.Equal(5_000, _quotas.StandingOf(deployment)!.Requests);
    }

    private static Deployment Limited(string name, long? requests = null, long? tokens = null) =>
        Deployments.Of(name, "v", name[0] == 'a' ? "azure" : "aws", "r") with { HardQuota = new HardQuota(requests, tokens) };

    private Exchange NewExchange(Deployment[] candidates, int output = 10, Operation operation = Operation.Chat) => new(ProtocolList.OpenAIChat, operation, Deployments.Catalog(), _time)
    {
        Key = Deployments.Key(),
        Model = new Model("m", Selection.Ordered, [.. candidates.Select(static one => new Candidate(one, 1))], 0),
        Envelope = new RequestEnvelope { Body = new byte[30], Model = "m", MaxOutputTokens = output },
    };

    private Attempt Begin(Deployment[] candidates, int output = 10)
    {
        Exchange exchange = NewExchange(candidates, output);
        Assert.True(_router.Plan(exchange).TryNext(out Deployment chosen));
        Attempt attempt = exchange.BeginAttempt(chosen);
        Assert.True(_quotas.TryTake(exchange, attempt));
        return attempt;
    }

    private void End(Attempt attempt, long used)
    {
        attempt.Reached = true;
        attempt.Result = AttemptResult.Completed;
        attempt.Usage = new Usage { InputTokens = 10, OutputTokens = used - 10 };
        _quotas.Settle(attempt);
    }

    /// <summary>One request, answered at once; who answered it.</summary>
    private string Send(Deployment[] candidates, int output = 10)
    {
        Attempt attempt = Begin(candidates, output);
        End(attempt, used: 10 + output);
        return attempt.Deployment.Name;
    }
}
