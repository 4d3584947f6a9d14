using System.Collections.Concurrent;
using System.Net;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Guards;
using Ballast.Protocols;
using Ballast.Routing;
using Ballast.Telemetry;
using Ballast.Tenancy;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Guards;

/// <summary>
/// What requests share on their path behaves, whatever runs at once, as if one thing had happened after the other: operations run in parallel, and what they returned and left
/// behind must be what some order of them, one by one, returns and leaves behind.
/// </summary>
public sealed class ParallelStructureTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Each is a state, up to fifteen operations on it, and every order in which they could have come; so many of each structure.</summary>
    private static long Interleavings => Environment.GetEnvironmentVariable("BALLAST_LONG") is { Length: > 0 } ? 5_000 : 150;

    [Fact]
    public void Budget_ReservesAndSettles_AreLinear() => Gen.Int[20, 100].Select(static limit => new Observed<BudgetMeter>(NewBudget(limit))).SampleParallel(
        Gen.Int[1, 40].Operation<Observed<BudgetMeter>>(static (seen, amount) => seen.Note($"reserve {amount}", seen.Of.TryReserve(amount, s_now.UtcTicks))),
        Gen.Int[0, 20].Operation<Observed<BudgetMeter>>(static (seen, spent) => seen.Of.Settle(0, spent, s_now.UtcTicks)),
        Gen.Int[1, 10].Operation<Observed<BudgetMeter>>(static (seen, amount) => seen.Of.Settle(amount, 0, s_now.UtcTicks)),
        equal: Same<BudgetMeter>(static meter => (meter.Standing.Spent, meter.Standing.Reserved)), iter: Interleavings);

    [Fact]
    public void Limiter_RequestsAndTokens_AreLinear() => Gen.Int[2, 8].Select(static limit => new Observed<RateMeter>(new RateMeter(
        new RateLimitOptions { RequestsPerMinute = limit, InputTokensPerMinute = 10 * limit, OutputTokensPerMinute = 10 * limit, ConcurrentRequests = limit - 1 }))).SampleParallel(
        Gen.Int[100, 102].Operation<Observed<RateMeter>>(static (seen, second) => seen.Note("begin", seen.Of.TryBegin(102, out _) && second > 0)),
        Gen.Int[1, 30].Operation<Observed<RateMeter>>(static (seen, tokens) => seen.Note($"take {tokens}", seen.Of.TryTake(102, tokens, tokens, out _))),
        Gen.Int[1, 9].Operation<Observed<RateMeter>>(static (seen, tokens) => seen.Of.Correct(102, 102, -tokens, tokens)),
        Gen.Const(0).Operation<Observed<RateMeter>>(static (seen, _) => seen.Of.Undo(102, 102)),
        equal: Same<RateMeter>(static meter => (meter.Running, meter.Requests(102), meter.InputTokens(102), meter.OutputTokens(102))), iter: Interleavings);

    /// <summary>Half open: of all who ask at once one may go.</summary>
    [Fact]
    public void Breaker_ProbesAndReports_AreLinear()
    {
        LimitsOptions limits = new() { BreakerFailures = 2, BreakerOpen = TimeSpan.FromSeconds(10) };
        Gen.Bool.Select(isHalfOpen =>
        {
            FakeTimeProvider time = new(s_now);
            DeploymentHealth health = new(time);
            health.ReportFailure(limits);
            health.ReportFailure(limits);
            time.Advance(TimeSpan.FromSeconds(isHalfOpen ? 11 : 1));
            return new Observed<DeploymentHealth>(health);
        }).SampleParallel(
            Gen.Const(0).Operation<Observed<DeploymentHealth>>((seen, _) => seen.Note("probe", seen.Of.TryBeginProbe(limits))),
            Gen.Const(0).Operation<Observed<DeploymentHealth>>((seen, _) => seen.Of.ReportFailure(limits)),
            Gen.Const(0).Operation<Observed<DeploymentHealth>>(static (seen, _) => seen.Of.ReportSuccess()),
            Gen.Const(0).Operation<Observed<DeploymentHealth>>(static (seen, _) => seen.Of.ReportNothing()),
            equal: Same<DeploymentHealth>(health => (health.IsOpen, health.IsProven, health.Check(limits, out TimeSpan ready, out double share), ready, share)), iter: Interleavings);
    }

    [Fact]
    public void RetryBudget_CountsAndTakes_AreLinear()
    {
        LimitsOptions limits = new() { RetryFloor = 2, RetryShareMax = 0.5 };
        Gen.Const(0).Select(static _ => new Observed<RetryBudget>(new RetryBudget(new FakeTimeProvider(s_now)))).SampleParallel(
            Gen.Const(0).Operation<Observed<RetryBudget>>(static (seen, _) => seen.Of.CountRequest()),
            Gen.Const(0).Operation<Observed<RetryBudget>>((seen, _) => seen.Note("take", seen.Of.TryTake(limits))),
            Gen.Const(0).Operation<Observed<RetryBudget>>(static (seen, _) => seen.Of.CountClientRetry()),
            equal: Same<RetryBudget>(static _ => 0), iter: Interleavings);
    }

    [Fact]
    public void Throttle_Failures_AreLinear() => Gen.Const(0).Select(static _ => new Observed<FailureThrottle>(new FailureThrottle(1))).SampleParallel(
        Gen.Int[1, 2].Operation<Observed<FailureThrottle>>(static (seen, last) => seen.Note($"count {last}", seen.Of.Count(new IPAddress([127, 0, 0, (byte)last]), 5, 3))),
        Gen.Int[1, 2].Operation<Observed<FailureThrottle>>(static (seen, last) => seen.Note($"wait {last}", seen.Of.WaitFor(new IPAddress([127, 0, 0, (byte)last]), 5, 3) > 0)),
        equal: Same<FailureThrottle>(static throttle => (throttle.WaitFor(IPAddress.Parse("127.0.0.1"), 5, 3), throttle.WaitFor(IPAddress.Parse("127.0.0.2"), 5, 3))), iter: Interleavings);

    /// <summary>Once a view without a key is in place, no request that asks afterwards gets in by what was remembered of it.</summary>
    [Fact]
    public void KeyCache_ViewsComeAndGo_IsLinear()
    {
        CatalogSnapshot with = Catalog("first"), without = Catalog("second");
        string header = string.Concat("Bearer ", "key-of-first");
        ReadOnlyMemory<char> key = header.AsMemory("Bearer ".Length);
        Gen.Const(0).Select(_ =>
        {
            Guard guard = new(new FakeTimeProvider(s_now));
            guard.Install(TenantView.Of(with, StoredState.Empty));
            return new Observed<Guard>(guard);
        }).SampleParallel(
            Gen.Const(0).Operation<Observed<Guard>>((seen, _) => seen.Note("ask", IsAdmitted(seen.Of, with, key))),
            Gen.Bool.Operation<Observed<Guard>>((seen, isThere) => seen.Of.Install(TenantView.Of(isThere ? with : without, StoredState.Empty))),
            equal: Same<Guard>(guard => (IsAdmitted(guard, with, key), guard.Running)), iter: Interleavings / 3);
    }

    [Fact]
    public void Queue_AddsAndTakes_AreLinear() => Gen.Int[1, 4].Select(static room => new Observed<BoundedQueue<int>>(new BoundedQueue<int>(room))).SampleParallel(
        Gen.Const(7).Operation<Observed<BoundedQueue<int>>>(static (seen, item) => seen.Note("add", seen.Of.Add(item) > 0)),
        equal: Same<BoundedQueue<int>>(static queue => (queue.Count, queue.Dropped)), iter: Interleavings);

    private static BudgetMeter NewBudget(int limit) =>
        new(new BudgetOptions { Id = "b", SubjectKind = "app", Subject = "a", Usd = limit }, new FakeTimeProvider(s_now), static _ => { });

    private static CatalogSnapshot Catalog(string key)
    {
        LoadResult loaded = OptionsLoader.Load(
            $$"""
            providers:
              local: { kind: ollama, base_url: "http://127.0.0.1:9", platform: local, region: here, allow_private_addresses: true, data: { geo: eu, retention_days: 0, training: false }, deployments: { m: { vendor: meta } } }
            keys:
              k: { key_env: KEY, app: tests }
            """,
            "parallel.yaml", _ => $"key-of-{key}");
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Select(static fault => fault.Print("parallel.yaml"))));
        return CatalogBuilder.Build(loaded.Options, 1);
    }

    private static bool IsAdmitted(Guard guard, CatalogSnapshot catalog, ReadOnlyMemory<char> key)
    {
        Exchange exchange = new(ProtocolList.OpenAIChat, Operation.Chat, catalog, TimeProvider.System);
        try
        {
            guard.Admit(exchange, key);
            return true;
        }
        catch (GatewayException)
        {
            return false;
        }
        finally
        {
            guard.Settle(exchange);
        }
    }

    private static Func<Observed<T>, Observed<T>, bool> Same<T>(Func<T, object> state) =>
        (one, other) => state(one.Of).Equals(state(other.Of)) && one.Returned.SequenceEqual(other.Returned);

    /// <summary>A structure, and what its operations returned: equal where each returned what it could have, in whatever order.</summary>
    private sealed class Observed<T>(T of)
    {
        private readonly ConcurrentQueue<(string What, bool Returned)> _returned = new();

        public T Of { get; } = of;

        public IEnumerable<(string What, bool Returned)> Returned => _returned.Order();

        public void Note(string what, bool returned) => _returned.Enqueue((what, returned));

        public override string ToString() => string.Join(", ", Returned);
    }
}
