using System.Buffers;
using System.Net;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Guards;
using Ballast.Protocols;
using Ballast.Tenancy;
using Ballast.Tests.Tenancy;
using Ballast.Transport;

namespace Ballast.Tests.Guards;

public sealed class GuardTests : IAsyncLifetime
{
    private TenantHouse _house = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _house = await TenantHouse.OpenAsync(
        """
        budgets:
          support-month: { app: support, usd: 1, unpriced_request_usd: 0.25 }
        """);

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Fact]
    public void Admit_KeyOfTheFile_BelongsToItsTeam() =>
        Assert.Equal(("declared", "support", "research", "acme"), _house.Ask(TenantHouse.DeclaredKey).Key is { } key ? (key.Id, key.App, key.Team, key.Organisation) : default);

    [Fact]
    public void Admit_KeyOfTheFileThatIsExpired_IsUnknown()
    {
        Assert.Null(_house.Ask("an-old-key-of-the-file", Operation.Embeddings).Refusal);
        _house.Time.Advance(TimeSpan.FromDays(60));
        Assert.Equal("ballast_invalid_key", _house.Ask("an-old-key-of-the-file", Operation.Embeddings).Refusal);
    }

    /// <summary>Every operation that there is, with a key for each scope alone.</summary>
    [Fact]
    public async Task Admit_EveryOperation_TakesExactlyItsScope()
    {
        int allowed = 0;
        foreach (string scope in KeyScopeName.All)
        {
            KeyDocument made = await _house.MakeKeyAsync(new KeyDocument { App = "support", Scopes = [scope] });
            foreach (Operation operation in Enum.GetValues<Operation>())
            {
                string? refusal = _house.Ask(made.Key!, operation).Refusal;
                Assert.True(refusal is null or "ballast_scope_missing");
                allowed += refusal is null && operation is not (Operation.Models or Operation.Version or Operation.CountTokens) ? 1 : 0;
            }
        }

        // Each operation has one scope that takes it and no other.
        Assert.Equal(Enum.GetValues<Operation>().Length - 3, allowed);
    }

    /// <summary>Whoever tries keys learns nothing from how they are refused.</summary>
    [Fact]
    public async Task Admit_UnknownRevokedExpired_AreRefusedAlike()
    {
        KeyDocument revoked = await _house.MakeKeyAsync(new KeyDocument { Id = "revoked", App = "support" });
        KeyDocument expired = await _house.MakeKeyAsync(new KeyDocument { Id = "expired", App = "support", ExpiresAt = _house.Time.GetUtcNow().AddSeconds(1) });
        await _house.Desk.RevokeAsync(_house.Root, "revoked", null, Cancellation);
        _house.Time.Advance(TimeSpan.FromSeconds(2));

        string[] messages = [.. new[] { revoked.Key!, expired.Key!, KeyText.MakeKey(), "blst_not-even-one", "another" }.Select(key =>
        {
            GatewayException refused = Assert.Throws<GatewayException>(() => _house.Guard.Admit(NewExchange(), key.AsMemory()));
            return $"{refused.Code} {refused.Error}";
        })];

        Assert.Single(messages.Distinct());
    }

    [Fact]
    public void Admit_ManyWrongKeysFromOneAddress_AreNoLongerLookedAt()
    {
        Call caller = new("192.0.2.7");
        Call other = new("192.0.2.8");
        int max = _house.Catalog.Current.Limits.FailedKeysPerMinute;
        for (int i = 0; i < max; i++)
        {
            Assert.Equal("ballast_invalid_key", Refusal($"wrong-key-{i}", caller));
        }

        Assert.Equal("ballast_keys_throttled", Refusal("wrong-key", caller));
        Assert.Equal("ballast_keys_throttled", Refusal(TenantHouse.DeclaredKey, caller)); // even the right one: it could have been guessed
        Assert.Null(Refusal(TenantHouse.DeclaredKey, other));
        _house.Time.Advance(TimeSpan.FromSeconds(70)); // a minute, and the step that was begun
        Assert.Null(Refusal(TenantHouse.DeclaredKey, caller));
    }

    [Fact]
    public async Task Admit_KeyOfFullLengthFromAThrottledAddress_GoesOn()
    {
        KeyDocument made = await _house.MakeKeyAsync();
        Call caller = new("2001:db8::1");
        for (int i = 0; i < 100; i++)
        {
            Refusal($"wrong-key-{i}", caller);
        }

        Assert.Equal("ballast_keys_throttled", Refusal(KeyText.MakeKey(), new Call("2001:db8::2"))); // the same network
        Assert.Null(Refusal(made.Key!, caller));
    }

    [Fact]
    public async Task Admit_StoreOutOfSightForTooLong_IsEachAppsOwnChoice()
    {
        await _house.Desk.CreateAsync(_house.Root, "app", new TenantDocument { Id = "lights", WhenStoreIsLost = "serve" }, Cancellation);
        KeyDocument serving = await _house.MakeKeyAsync(new KeyDocument { App = "lights" });
        KeyDocument refusing = await _house.MakeKeyAsync();

        _house.Guard.IsStale = true;

        Assert.Null(_house.Ask(serving.Key!).Refusal);
        Assert.Equal("ballast_keys_unavailable", _house.Ask(refusing.Key!).Refusal);
        Assert.Null(_house.Ask(TenantHouse.DeclaredKey).Refusal);
    }

    [Fact]
    public async Task Admit_LimitOfTheApp_CountsAllItsKeysAndGivesBackWhatWasRefused()
    {
        await _house.Desk.CreateAsync(_house.Root, "app", new TenantDocument { Id = "mail", RateLimits = new RateLimitsDocument { RequestsPerMinute = 3 } }, Cancellation);
        KeyDocument one = await _house.MakeKeyAsync(new KeyDocument { App = "mail", RateLimits = new RateLimitsDocument { RequestsPerMinute = 2, ConcurrentRequests = 10 } });
        KeyDocument two = await _house.MakeKeyAsync(new KeyDocument { App = "mail" });

        Assert.Equal([null, null, "ballast_rate_limited", "ballast_rate_limited"], Enumerable.Range(0, 4).Select(_ => _house.Ask(one.Key!).Refusal));
        Assert.Equal([null, "ballast_rate_limited"], Enumerable.Range(0, 2).Select(_ => _house.Ask(two.Key!).Refusal));
        Assert.Equal(0, _house.Guard.Running);
        _house.Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Null(_house.Ask(one.Key!).Refusal);
    }

    [Fact]
    public void Check_LimitOfTheModel_CountsAllCallers()
    {
        Model model = _house.Catalog.Current.FindModel("limited")!;
        for (int i = 0; i < 2; i++)
        {
            Exchange exchange = _house.Begin(TenantHouse.DeclaredKey, Operation.Chat, out _);
            exchange.Model = model;
            Guard.Check(exchange, model);
            Assert.Equal(1 - i, exchange.Standing!.RateLimits(exchange)!.Requests.Remaining);
            _house.Guard.Settle(exchange);
        }

        Exchange last = _house.Begin(TenantHouse.DeclaredKey, Operation.Chat, out _);
        GatewayException refused = Assert.Throws<GatewayException>(() => Guard.Check(last, model));
        Assert.Equal(("ballast_rate_limited", true), (refused.Code, refused.Error.RetryAfter > TimeSpan.Zero));
        _house.Guard.Settle(last);
        Assert.Equal(0, _house.Guard.Running);
    }

    /// <summary>Key of a standing connection, two limits, a budget: nothing is made for the request but the request itself.</summary>
    [Fact]
    public async Task Admit_WithLimitsAndBudget_AllocatesNothing()
    {
        await _house.Desk.CreateAsync(_house.Root, "budget", new BudgetDocument { Id = "team", Team = "research", Usd = 1000 }, Cancellation);
        KeyDocument made = await _house.MakeKeyAsync(new KeyDocument
        {
            App = "support",
            RateLimits = new RateLimitsDocument { RequestsPerMinute = 1_000_000, InputTokensPerMinute = 1_000_000_000, OutputTokensPerMinute = 1_000_000_000, ConcurrentRequests = 10 },
        });
        Model model = _house.Catalog.Current.FindModel("chat")!;
        Exchange exchange = NewExchange();
        long least = long.MaxValue;
        for (int round = 0; round < 10; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
            {
                exchange.Reservation = default;
                _house.Guard.Admit(exchange, made.Key.AsMemory());
                Guard.Check(exchange, model, 100, 100);
                Guard.Reserve(exchange, 0.0001m, 200);
                _house.Guard.Settle(exchange, new Spending(0, 100, 50, 50));
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
        Assert.Equal((0m, 0m), (_house.Guard.Meters.Budget("team")!.Standing.Spent, _house.Guard.Meters.Budget("team")!.Standing.Reserved));
    }

    [Fact]
    public void Reserve_MoreThanIsLeft_IsRefusedInEveryBudgetAlike()
    {
        Exchange first = _house.Begin(TenantHouse.DeclaredKey, Operation.Chat, out _);
        Guard.Reserve(first, 0.75m, 0);
        Exchange second = _house.Begin(TenantHouse.DeclaredKey, Operation.Chat, out _);

        Assert.Equal("ballast_budget_exceeded", Assert.Throws<GatewayException>(() => Guard.Reserve(second, 0.5m, 0)).Code);
        _house.Guard.Settle(second);
        _house.Guard.Settle(first, new Spending(0.25m, 0, 0, 0));
        _house.Guard.Settle(first, new Spending(0.25m, 0, 0, 0));

        Assert.Equal((0.25m, 0m), (_house.Guard.Meters.Budget("support-month")!.Standing.Spent, _house.Guard.Meters.Budget("support-month")!.Standing.Reserved));
        Assert.Equal(0, _house.Guard.Running);
    }

    private Exchange NewExchange() => new(ProtocolList.OpenAIChat, Operation.Chat, _house.Catalog.Current, _house.Time);

    private string? Refusal(string key, HttpCall caller)
    {
        Exchange exchange = NewExchange();
        try
        {
            _house.Guard.Admit(exchange, key.AsMemory(), caller);
            _house.Guard.Settle(exchange);
            return null;
        }
        catch (GatewayException refused)
        {
            return refused.Code;
        }
    }

    /// <summary>A call of which nothing but the address is asked.</summary>
    private sealed class Call(string address) : HttpCall
    {
        public override IPAddress RemoteAddress { get; } = IPAddress.Parse(address);
        public override string Method => "POST";
        public override string Path => "/";
        public override long? ContentLength => null;
        public override CancellationToken Aborted => default;
        public override int Status { get; set; }
        public override long? ResponseLength { get; set; }
        public override IBufferWriter<byte> Output => throw new NotSupportedException();

        public override string? Query(string name) => null;

        public override string? NextHeader(string name, ref int position) => null;

        public override ValueTask<int> ReadBodyAsync(Memory<byte> buffer) => throw new NotSupportedException();

        public override void SetHeader(string name, string value) => throw new NotSupportedException();

        public override void ClearHeaders() => throw new NotSupportedException();

        public override ValueTask<bool> FlushAsync(CancellationToken cancellation) => throw new NotSupportedException();

        public override void Abort() => throw new NotSupportedException();
    }
}
