using Ballast.Ledger;
using Ballast.Protocols.Conversation;
using Ballast.Routing;
using Ballast.Server;
using Ballast.Tests.Ledger;
using Ballast.Tests.Routing;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Server;

public sealed class QuotaWatchTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 30, 8, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Tick_WhatVendorsAllow_IsInTheLedgerOnceADayAndWhenItChanges()
    {
        await using TestLedger ledger = new();
        await using SqliteLedgerStore store = SqliteLedgerStore.Open(ledger.Path);
        HealthBook health = new(_time);
        DeploymentHealth azure = health.Of(Deployments.Of("azure/gpt", "openai", "azure", "sweden"));
        await using QuotaWatch watch = new(health, store, _time);
        azure.NoteQuota(new ObservedQuota(600, 90_000));

        await watch.TickAsync(TestContext.Current.CancellationToken);
        await watch.TickAsync(TestContext.Current.CancellationToken);
        azure.NoteQuota(null);
        azure.NoteQuota(new ObservedQuota(600, 120_000));
        _time.Advance(TimeSpan.FromSeconds(1));
        await watch.TickAsync(TestContext.Current.CancellationToken);

        IReadOnlyList<LedgerEvent> events = await ledger.Reader.EventsAsync(LedgerEvent.Quota, LedgerFilter.Everything, 10, TestContext.Current.CancellationToken);
        Assert.Equal(["""{"requests_per_minute":600,"tokens_per_minute":90000}""", """{"requests_per_minute":600,"tokens_per_minute":120000}"""], events.Select(static one => one.Body));
        Assert.All(events, static one => Assert.Equal("azure/gpt", one.Subject));
    }

    [Fact]
    public void WantsQuota_IsTrueOnceInAWhile()
    {
        DeploymentHealth health = new(_time);

        Assert.Equal([true, false, false], Enumerable.Range(0, 3).Select(_ => health.WantsQuota()));
        _time.Advance(DeploymentHealth.QuotaEvery);
        Assert.Equal([true, false], Enumerable.Range(0, 2).Select(_ => health.WantsQuota()));
    }

    [Fact]
    public void Of_HeadersOfEitherVendor_AreAddedUpOrLeftUnknown()
    {
        RateLimit limit(long value) => new(value, null, null);
        Assert.Equal(new ObservedQuota(500, 30_000), ObservedQuota.Of(new RateLimits(limit(500), limit(30_000), default, default)));
        Assert.Equal(new ObservedQuota(50, 48_000), ObservedQuota.Of(new RateLimits(limit(50), default, limit(40_000), limit(8_000))));
        Assert.Equal(new ObservedQuota(50, null), ObservedQuota.Of(new RateLimits(limit(50), default, default, default)));
        Assert.Null(ObservedQuota.Of(new RateLimits(default, default, default, default)));
    }
}
