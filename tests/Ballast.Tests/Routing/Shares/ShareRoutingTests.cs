using System.Text;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Configuration.Policies;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Routing;
using Ballast.Routing.Shares;
using Ballast.Tenancy;
using Ballast.Tests.Ledger;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Routing.Shares;

/// <summary>A policy on the path of requests: router, plan, ticket, health and keeper as the gateway puts them together, on a virtual clock.</summary>
public sealed class ShareRoutingTests : IDisposable
{
    private static readonly LimitsOptions s_limits = new();

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 8, 0, 0, TimeSpan.Zero));
    private readonly HealthBook _health;
    private readonly ShareControl _control;
    private readonly Router _router;
    private readonly TemporaryFolder _folder = new();
    private readonly Deployment[] _deployments =
    [
        Deployments.Of("azure/gpt", "openai", "azure", "sweden"),
        Deployments.Of("bedrock/gpt", "openai", "aws", "virginia", "us"),
        Deployments.Of("google/gemini", "google", "google", "amsterdam"),
    ];

    private readonly Model _model;
    private readonly ApiKey _everyone = Deployments.Key();
    private readonly ApiKey _european = Deployments.Key(new DataAllowance(new HashSet<string> { "eu" }, null, Training: false)) with { Id = "eu", App = "credit" };

    public ShareRoutingTests()
    {
        _health = new HealthBook(_time);
        _control = new ShareControl(_time);
        _router = new Router(_health, new Random(1), _control);
        _model = new Model("chat", Selection.Ordered, [.. _deployments.Select(static one => new Candidate(one, 1))], 0);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Plan_CapOnTheFirst_HoldsInWhatWasReallyUsed()
    {
        Activate("{ id: az50, cap: { platform: azure }, share: 0.50 }");

        Dictionary<string, long> tokens = Send(2_000, _everyone);

        Assert.InRange((double)tokens["azure/gpt"] / tokens.Values.Sum(), 0.45, 0.5 + (170_000.0 / tokens.Values.Sum()));
    }

    [Fact]
    public void Plan_NoPolicy_TakesTheWrittenOrder() => Assert.Equal(["azure/gpt"], Send(10, _everyone).Keys);

    [Fact]
    public void Plan_CountTokens_TakesNoPartInShares()
    {
        Activate("{ id: az0, cap: { platform: azure }, share: 0 }");

        Assert.Null(_router.Plan(Exchange(_everyone, Operation.CountTokens)).Share);
    }

    [Fact]
    public void TryNext_AfterAFailure_ChargesTheNextAndLeavesTheFirstUncharged()
    {
        Activate("{ id: az50, cap: { platform: azure }, share: 0.50 }");
        Exchange exchange = Exchange(_everyone);
        RoutePlan plan = _router.Plan(exchange);
        Fail(exchange, plan);

        Assert.True(plan.TryNext(out Deployment next));
        Complete(exchange, plan, next, 1_000);

        Assert.NotEqual("azure", next.Platform);
        ShareSnapshot.Bucket bucket = Assert.Single(_control.Save()!.Buckets);
        Assert.Equal((0, 1_000), (bucket.Group, bucket.Total), (left, right) => Math.Abs(left.Item1 - right.Item1) < 1e-6 && Math.Abs(left.Item2 - right.Item2) < 1e-6);
    }

    [Fact]
    public void TryNext_TheNextWouldBreakARule_GoesToOneThatDoesNot()
    {
        Activate("{ id: aws0, cap: { platform: aws }, share: 0, burst: 1 }");
        Send(1, _everyone, "bedrock/gpt"); // in debt from now on

        Exchange exchange = Exchange(_everyone);
        RoutePlan plan = _router.Plan(exchange);
        Fail(exchange, plan);
        plan.TryNext(out Deployment next);

        Assert.Equal("google/gemini", next.Name);
    }

    [Fact]
    public void Plan_EverythingElseIsDown_SuspendsTheRuleAndTellsWhenItHoldsAgain()
    {
        Activate("{ id: az50, cap: { platform: azure }, share: 0.5, burst: 1000 }");
        Break("bedrock/gpt");
        Break("google/gemini");
        Send(20, _everyone);
        Relaxation began = Assert.Single(_control.TakeChanges());
        _time.Advance(ShareControl.RelaxationQuiet);
        Relaxation over = Assert.Single(_control.TakeChanges());

        Assert.Equal(("az50", RelaxationCause.Health, false), (began.Rule, began.Cause, began.IsOver));
        Assert.True(over.IsOver);
        Assert.InRange(over.Requests, 10, 20);
        Assert.Equal(began.StartedAt, over.StartedAt);
    }

    [Fact]
    public void Plan_LawLeavesNoChoice_NamesTheLawAsTheCause()
    {
        Activate("{ id: az50, cap: { component: any, dimension: platform }, share: 0.2, burst: 1000 }");
        ApiKey bound = _european with { Models = null, Allow = new DataAllowance(new HashSet<string> { "us" }, null, false) };

        Send(50, bound);

        Assert.All(_control.TakeChanges(), static change => Assert.Equal(RelaxationCause.Eligibility, change.Cause));
        Assert.Equal("aws", _control.Save()!.Buckets.Single(static bucket => bucket.IsRelaxed).Target.Split(':')[1]);
    }

    [Fact]
    public void Plan_RuleThatSheds_RefusesWithItsOwnCode()
    {
        Activate("{ id: az50, cap: { platform: azure }, share: 0.5, burst: 1000, on_conflict: shed }");
        Break("bedrock/gpt");
        Break("google/gemini");

        GatewayException refusal = Assert.Throws<GatewayException>(() => Send(50, _everyone));

        Assert.Equal("ballast_share_exceeded", refusal.Code);
    }

    /// <summary>Refusing is not only for the first attempt: nobody who fails over is sent where the rule refuses.</summary>
    [Fact]
    public void TryNext_LeftWithARuleThatSheds_IsGivenNothing()
    {
        Activate("{ id: aws0, cap: { platform: aws }, share: 0, burst: 1, on_conflict: shed }, { id: google0, cap: { platform: google }, share: 0, burst: 1, on_conflict: queue }");
        Send(1, _everyone, forced: "bedrock/gpt");
        Send(1, _everyone, forced: "google/gemini");
        RoutePlan plan = _router.Plan(Exchange(_everyone));
        Assert.True(plan.TryNext(out Deployment first));
        plan.NoteFailure(first);

        Assert.Equal("azure/gpt", first.Name);
        Assert.False(plan.TryNext(out _));
        Assert.All(_control.Save()!.Buckets, static bucket => Assert.Equal(0, bucket.RelaxedRequests));
    }

    [Fact]
    public void Plan_ScopeOfOneApp_LeavesOthersAlone()
    {
        Activate("{ id: az0, cap: { platform: azure }, share: 0, burst: 1 }", "match: { apps: [credit] }, ");

        Assert.Equal(["azure/gpt"], Send(20, _everyone).Keys);
        Assert.True(Send(20, _european).GetValueOrDefault("google/gemini") > 0);
    }

    /// <summary>In a storm of failovers many look at the same moment, and only one of them finds the room that all have seen.</summary>
    [Fact]
    public void TryMove_RuleWasUsedUpMeanwhile_MovesNothingAndSuspendsNothing()
    {
        Activate("{ id: aws0, cap: { platform: aws }, share: 0, burst: 1 }");
        Send(1, _everyone, forced: "bedrock/gpt");
        RoutePlan plan = _router.Plan(Exchange(_everyone));
        plan.TryNext(out _);
        Deployment bedrock = _deployments.Single(static one => one.Name == "bedrock/gpt");
        ShareSnapshot.Bucket before = _control.Save()!.Buckets[0];

        Assert.False(plan.Share!.TryMove(bedrock, brokenMax: 0));
        Assert.Equal((before.Credit, before.Total, 0), (_control.Save()!.Buckets[0].Credit, _control.Save()!.Buckets[0].Total, _control.Save()!.Buckets[0].RelaxedRequests));

        Assert.True(plan.Share!.TryMove(bedrock, brokenMax: 1));
        Assert.Equal(1, _control.Save()!.Buckets[0].RelaxedRequests);
    }

    [Fact]
    public void Plan_LongConversation_StaysWhereItsCacheIs()
    {
        Activate("{ id: az50, cap: { platform: azure }, share: 0.5, burst: 200000 }", more: "affinity: { max_debt: 1000000, ttl: 5m, min_cached_prefix: 16 }");
        HashSet<string>[] homes = [.. Enumerable.Range(0, 20).Select(_ => new HashSet<string>())];
        for (int turn = 0; turn < 200; turn++)
        {
            Exchange exchange = Exchange(_everyone, body: $"{{\"model\":\"chat\",\"messages\":[\"conversation number {turn % homes.Length}, with a long beginning that stays\",{turn}]}}");
            RoutePlan plan = _router.Plan(exchange);
            plan.TryNext(out Deployment chosen);
            homes[turn % homes.Length].Add(chosen.Name);
            Complete(exchange, plan, chosen, 2_000);
        }

        Assert.InRange(homes.Count(static home => home.Count == 1), 17, 20);
        Assert.True(homes.SelectMany(static home => home).Distinct().Count() > 1);
    }

    [Fact]
    public void Plan_HalfOpenAndInDebt_IsNotProbedWhileThereIsAnotherWay()
    {
        Activate("{ id: az0, cap: { platform: azure }, share: 0, burst: 1 }");
        Send(1, _everyone);
        Break("azure/gpt");
        _time.Advance(s_limits.BreakerOpen);

        Assert.Null(_router.Plan(Exchange(_everyone)).Probe);
    }

    [Fact]
    public async Task Keeper_Restart_TakesOverDebtAndWhatWasSuspended()
    {
        PolicyFolder folder = NewFolder();
        folder.Activate(Policy("{ id: az50, cap: { platform: azure }, share: 0.5, burst: 1000 }"), "p");
        CatalogHolder catalog = new(Deployments.Catalog(s_limits, _everyone));
        await using (ShareKeeper first = Keeper(_control, catalog, folder))
        {
            first.Start();
            Break("bedrock/gpt");
            Break("google/gemini");
            Send(20, _everyone);
        }

        double debt = _control.Save()!.Buckets[0].Credit;
        ShareControl next = new(_time);
        await using ShareKeeper second = Keeper(next, catalog, folder);
        second.Start();

        Assert.True(debt < 0);
        Assert.Equal(debt, next.Save()!.Buckets[0].Credit, precision: 6);
        Assert.True(Assert.Single(new RelaxationFile(_folder.File("relaxations")).Read()).IsOver);
    }

    [Fact]
    public async Task Keeper_FaultyPolicyIsActivated_KeepsTheLastGoodOne()
    {
        PolicyFolder folder = NewFolder();
        folder.Activate(Policy("{ id: az50, cap: { platform: azure }, share: 0.5 }"), "p");
        await using ShareKeeper keeper = Keeper(_control, new CatalogHolder(Deployments.Catalog(s_limits, _everyone)), folder);
        keeper.Start();
        folder.Activate("kind: Nonsense\n", "p");
        keeper.Tick();
        Assert.Equal("az50", _control.Current!.Book.Rules[0].Id);

        folder.Activate(Policy("{ id: az40, cap: { platform: azure }, share: 0.4 }"), "p");
        keeper.Tick();
        Assert.Equal("az40", _control.Current!.Book.Rules[0].Id);
    }

    [Fact]
    public async Task Keeper_Residency_HoldsForKeysUntilThePolicyIsLifted()
    {
        PolicyFolder folder = NewFolder();
        folder.Activate(Policy("{ id: az50, cap: { platform: azure }, share: 0.5 }", more: "residency: [{ match: { apps: [credit] }, allow: { geo: [eu], zdr: true, no_train: true } }]"), "p");
        CatalogHolder catalog = new(Deployments.Catalog(s_limits, _everyone, _european with { Allow = DataAllowance.Everything }));
        await using ShareKeeper keeper = Keeper(_control, catalog, folder);
        keeper.Start();

        Assert.True(catalog.Current.Keys[0].Allow.Allows(_deployments[1].Data));
        Assert.False(catalog.Current.Keys[1].Allow.Allows(_deployments[1].Data));
        folder.Activate("", "none");
        keeper.Tick();
        Assert.True(catalog.Current.Keys[1].Allow.Allows(_deployments[1].Data));
        Assert.Null(_control.Current);
    }

    /// <summary>Residency is about whose data it is: who made the key, and when, does not matter.</summary>
    [Fact]
    public async Task Keeper_Residency_HoldsForKeysMadeAtRunTimeToo()
    {
        PolicyFolder folder = NewFolder();
        folder.Activate(Policy("{ id: az50, cap: { platform: azure }, share: 0.5 }", more: "residency: [{ match: { tiers: [1] }, allow: { geo: [eu] } }]"), "p");
        CatalogHolder catalog = new(Deployments.Catalog(s_limits, _everyone));
        await using ShareKeeper keeper = Keeper(_control, catalog, folder);
        keeper.Start();

        TenantView view = TenantView.Of(catalog.Current, new StoredState(1,
        [
            new StoredRecord("app", "credit", 1, """{"tier":1}"""), new StoredRecord("key", "made", 1, """{"app":"credit","secrets":[]}"""),
            new StoredRecord("app", "news", 1, """{"tier":3}"""), new StoredRecord("key", "other", 1, """{"app":"news","secrets":[]}"""),
        ]));

        ApiKey[] keys = [.. view.EveryKey()];
        Assert.Equal(["test", "made", "other"], keys.Select(static key => key.Id));
        Assert.Equal([true, false, true], keys.Select(key => key.Allow.Allows(_deployments[1].Data)));
        Assert.True(keys[1].Allow.Allows(_deployments[0].Data));
        Assert.Equal([null, 1, 3], keys.Select(static key => key.Tier));
    }

    private ShareKeeper Keeper(ShareControl control, CatalogHolder catalog, PolicyFolder folder) => new(
        control, catalog, folder, new ShareSnapshotFile(_folder.File("shares")), new RelaxationFile(_folder.File("relaxations")), _time, NullLogger.Instance);

    private PolicyFolder NewFolder() => new(_folder.File("policies"));

    private void Activate(string rules, string match = "", string more = "")
    {
        PolicyLoadResult loaded = PolicyLoader.Load(Policy(rules, match, more), ComponentKindName.All);
        Assert.Empty(loaded.Faults);
        CatalogSnapshot catalog = Deployments.Catalog(s_limits, _everyone, _european) with
        {
            Deployments = System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(_deployments, static one => one.Name),
        };
        _control.Activate(SharePolicy.Compile(loaded.Options!, "digest", catalog, ComponentMap.Plain));
    }

    private static string Policy(string rules, string match = "", string more = "") =>
        $$"""
        apiVersion: ballast/v1
        kind: BalancePolicy
        metadata: { name: test, version: 1 }
        scopes: [{ id: org, {{match}}rules: [{{rules}}] }]
        {{more}}
        """;

    private void Break(string name)
    {
        for (int failure = 0; failure < s_limits.BreakerFailures; failure++)
        {
            _health.Of(_deployments.Single(one => one.Name == name)).ReportFailure(s_limits);
        }
    }

    /// <summary>Sends requests whose estimates are wrong, and says what each deployment really used.</summary>
    private Dictionary<string, long> Send(int requests, ApiKey key, string? forced = null)
    {
        Random random = new(7);
        Dictionary<string, long> tokens = [];
        for (int request = 0; request < requests; request++)
        {
            Exchange exchange = Exchange(key);
            RoutePlan plan = _router.Plan(exchange);
            plan.TryNext(out Deployment chosen);
            if (forced is not null)
            {
                chosen = _deployments.Single(one => one.Name == forced);
                Assert.True(plan.Share!.TryMove(chosen, int.MaxValue));
            }

            long used = random.Next(100, 6_000);
            Complete(exchange, plan, chosen, used);
            tokens[chosen.Name] = tokens.GetValueOrDefault(chosen.Name) + used;
        }

        return tokens;
    }

    private static void Fail(Exchange exchange, RoutePlan plan)
    {
        plan.TryNext(out Deployment first);
        exchange.BeginAttempt(first).Result = AttemptResult.Failed;
        plan.NoteFailure(first);
    }

    private static void Complete(Exchange exchange, RoutePlan plan, Deployment chosen, long tokens)
    {
        Attempt attempt = exchange.BeginAttempt(chosen);
        attempt.Result = AttemptResult.Completed;
        attempt.Usage = new Usage { InputTokens = tokens - 10, OutputTokens = 10 };
        plan.Share?.Settle(exchange.Attempts);
    }

    private Exchange Exchange(ApiKey key, Operation operation = Operation.Chat, string body = """{"model":"chat"}""") =>
        new(ProtocolList.OpenAIChat, operation, Deployments.Catalog(s_limits), _time)
        {
            Key = key,
            Model = _model,
            Envelope = new RequestEnvelope { Body = Encoding.UTF8.GetBytes(body), Model = "chat" },
        };
}
