using System.Diagnostics;
using System.Globalization;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Gateway;
using Ballast.Guards;
using Ballast.Guards.Leases;
using Ballast.Protocols;
using Ballast.Routing;
using Ballast.Routing.Metering;
using Ballast.Tenancy;
using Ballast.Tenancy.Leases;

namespace Ballast.Benchmarks;

/// <summary>
/// Each of a million admissions timed by itself, so that the slow ones are told and not only the mean: key, limits of key, app and team, two budgets, the models and places that are lawful, room of a
/// hard quota. With parts of limits and budgets that several gateways share, as a store in memory deals them out once a second; requests never ask it.
/// </summary>
internal static class AdmissionTail
{
    private const int Admissions = 1_000_000;
    private const int WarmUps = 200_000;
    private const string Key = "sk-ballast-limited-0123456789abcdef0123456789";

    private const string Text =
        """
        providers:
          local:
            kind: openai-compatible
            platform: local
            region: lan
            base_url: "http://127.0.0.1:9/v1"
            api_key: ${PLATFORM_KEY}
            allow_private_addresses: true
            vendor: openai
            data: { geo: eu, retention_days: 0, training: false }
            quota: { requests_per_minute: 2000000000, tokens_per_minute: 1000000000000, enforce: hard }
            deployments: { gpt: { price: p } }
        models: { gpt: { deployments: [local/gpt] } }
        teams: { bench: { rate_limits: { requests_per_minute: 2000000000 } } }
        apps: { bench: { team: bench, allow: { geo: [eu] }, rate_limits: { requests_per_minute: 2000000000, input_tokens_per_minute: 2000000000 } } }
        keys: { limited: { key_env: KEY, app: bench, rate_limits: { requests_per_minute: 2000000000, output_tokens_per_minute: 2000000000, concurrent_requests: 1000 } } }
        budgets: { app: { app: bench, usd: 100000000 }, team: { team: bench, tokens: 1000000000000 } }
        prices: { p: { input: 0.15, output: 0.60 } }
        """;

    /// <summary>Rows of the table of targets.</summary>
    public static async Task<string> MeasureAsync() => Row(false, await RunAsync(isShared: false)) + Row(true, await RunAsync(isShared: true));

    private static string Row(bool isShared, (double Median, double Tail, double Worst, double Bytes) told) => string.Create(
        CultureInfo.InvariantCulture,
        $"| admission with hard quotas{(isShared ? " and shared limits and budgets" : "")}, p99 of {Admissions:N0} | {told.Tail:F2} µs (median {told.Median:F2}, p99.99 {told.Worst:F2}), {told.Bytes:F2} B allocated | ≤ 5 µs | ≤ 2 µs | {(told.Tail <= 2 ? "aim met" : told.Tail <= 5 ? "holds" : "missed")} |\n");

    private static async Task<(double Median, double Tail, double Worst, double Bytes)> RunAsync(bool isShared)
    {
        LoadResult loaded = OptionsLoader.Load(Text, "bench.yaml", static name => name == "KEY" ? Key : "sk-platform");
        CatalogSnapshot catalog = CatalogBuilder.Build(loaded.Options ?? throw new InvalidOperationException(string.Join(Environment.NewLine, loaded.Faults.Select(static fault => fault.Print("bench.yaml")))), revision: 1);
        TimeProvider time = TimeProvider.System;
        Guard guard = new(time);
        LeaseFile? file = null;
        LeaseKeeper? keeper = null;
        if (isShared)
        {
            file = LeaseFile.Open(Path.Combine(Directory.CreateTempSubdirectory("ballast-bench-").FullName, "bench.leases"), 1, time);
            guard.Meters.Share = new LeaseShare(file, time);
            keeper = guard.Leases = new LeaseKeeper(new GenerousStore(), guard.Meters, static _ => Task.FromResult(0m), static failure => throw failure);
        }

        guard.Install(TenantView.Of(catalog, StoredState.Empty));
        await (keeper?.StartAsync(CancellationToken.None) ?? Task.CompletedTask);
        HealthBook health = new(time);
        QuotaBook quotas = new(time);
        quotas.Bind(catalog);
        Router router = new(health, new Random(1), null, quotas);
        Exchange exchange = new(ProtocolList.OpenAIChat, Operation.Chat, catalog, time)
        {
            RequestedModel = "gpt",
            Model = catalog.FindModel("gpt")!,
        };
        exchange.Envelope = exchange.Protocol.Peek("""{"model":"gpt","max_tokens":256,"messages":[{"role":"user","content":"How high is the tide?"}]}"""u8.ToArray());
        Deployment deployment = exchange.Model.Candidates[0].Deployment;
        await FillAsync(guard, exchange, deployment, keeper);
        long[] took = new long[Admissions];
        for (int i = 0; i < WarmUps; i++)
        {
            _ = AdmitOr(keeper, guard, quotas, exchange, deployment);
        }

        GC.Collect();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Admissions; i++)
        {
            took[i] = AdmitOr(keeper, guard, quotas, exchange, deployment);
        }

        double bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)Admissions;
        if (!router.Plan(exchange).TryNext(out Deployment planned) || planned != deployment)
        {
            throw new InvalidOperationException("Nothing is planned.");
        }

        await (keeper?.DisposeAsync() ?? ValueTask.CompletedTask);
        file?.Dispose();
        Array.Sort(took);
        return (Microseconds(took[Admissions / 2]), Microseconds(took[Admissions * 99L / 100]), Microseconds(took[Admissions * 9999L / 10000]), bytes);
    }

    /// <summary>A gateway begins with small parts: they are asked for until they do for a second.</summary>
    private static async Task FillAsync(Guard guard, Exchange exchange, Deployment deployment, LeaseKeeper? keeper)
    {
        for (int second = 0; keeper is not null && second < 3; second++)
        {
            for (int i = 0; i < 20_000; i++)
            {
                try
                {
                    Begin(guard, exchange, deployment);
                    guard.Settle(exchange, new Spending(0.0001m, 229, 19, 210));
                }
                catch (LeaseShortException)
                {
                    guard.Settle(exchange);
                    await keeper.ShareAsync(CancellationToken.None);
                }
            }

            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            await keeper.ShareAsync(CancellationToken.None);
        }
    }

    /// <summary>A part that is used up is asked for again, outside of what is timed: here a second's worth of requests passes in no time.</summary>
    private static long AdmitOr(LeaseKeeper? keeper, Guard guard, QuotaBook quotas, Exchange exchange, Deployment deployment)
    {
        while (true)
        {
            try
            {
                return Admit(guard, quotas, exchange, deployment);
            }
            catch (LeaseShortException) when (keeper is not null)
            {
                guard.Settle(exchange);
                keeper.ShareAsync(CancellationToken.None).GetAwaiter().GetResult();
            }
        }
    }

    /// <summary>What it took, in ticks of the clock; the settlement that follows is not of it.</summary>
    private static long Admit(Guard guard, QuotaBook quotas, Exchange exchange, Deployment deployment)
    {
        long start = Stopwatch.GetTimestamp();
        Begin(guard, exchange, deployment);
        bool hasRoom = exchange.Key.Allow.Allows(deployment.Data) && quotas.HasRoom(exchange, deployment);
        long took = Stopwatch.GetTimestamp() - start;
        guard.Settle(exchange, new Spending(0.0001m, 229, 19, 210));
        return hasRoom ? took : throw new InvalidOperationException("There is no room.");
    }

    private static void Begin(Guard guard, Exchange exchange, Deployment deployment)
    {
        exchange.Reservation = default;
        guard.Admit(exchange, Key.AsMemory());
        Guard.Check(exchange, exchange.Model, 200, 256);
        CostBound.Reserve(exchange, deployment);
    }

    private static double Microseconds(long ticks) => ticks * 1_000_000.0 / Stopwatch.Frequency;

    /// <summary>Gives whatever is wanted: the gateway is alone with it.</summary>
    private sealed class GenerousStore : ILeaseStore
    {
        public Task<LeaseReply> ShareAsync(LeaseRequest request, CancellationToken cancellation) => Task.FromResult(new LeaseReply(
            1,
            [.. request.Rates.Select(static one => new RateGrant(one.Meter, one.Dimension, one.Wanted, 0, 0))],
            [.. request.Budgets.Select(static one => new BudgetGrant(one.Sheet, true, one.Wanted, 0, 0, 0))]));

        public Task SeedAsync(string sheet, decimal spent, CancellationToken cancellation) => Task.CompletedTask;

        public Task<bool> TryTellAsync(string alert, CancellationToken cancellation) => Task.FromResult(true);

        public Task LeaveAsync(TimeSpan lately, CancellationToken cancellation) => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
