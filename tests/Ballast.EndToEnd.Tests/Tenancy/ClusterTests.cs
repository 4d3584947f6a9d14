using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;

namespace Ballast.EndToEnd.Tests.Tenancy;

/// <summary>Three gateways on one PostgreSQL database: keys, budgets and limits are those of all of them.</summary>
public sealed class ClusterTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Told by the database at once, looked for twice a second: a revocation counts everywhere within a second.</summary>
    [Fact]
    public Task Revoke_AtOneGateway_CountsAtAllWithinASecond() => RevokeAsync(keys: 20, hammers: 4);

    [LongFact]
    public Task Revoke_AtOneGatewayUnderLoad_CountsAtAllWithinASecond() => RevokeAsync(keys: 500, hammers: 12);

    private static async Task RevokeAsync(int keys, int hammers)
    {
        await using GatewayCluster cluster = await GatewayCluster.StartAsync("");
        (string Key, string Id)[] made = new (string, string)[keys];
        for (int i = 0; i < keys; i++)
        {
            (int status, JsonElement body) = await cluster.Members[i % 3].AdministerAsync("POST", "/admin/v1/keys", """{"app":"tests"}""");
            Assert.Equal(201, status);
            made[i] = (body.GetProperty("key").GetString()!, body.GetProperty("id").GetString()!);
        }

        foreach (GatewayCluster.Member member in cluster.Members)
        {
            Assert.True(await GatewayHost.UntilAsync(async () => (await member.AskAsync("/v1/chat/completions", Chat(5), made[^1].Key)).Status == 200, s_patience), "a key is not known everywhere");
        }

        using CancellationTokenSource stop = new();
        Task[] load = [.. Enumerable.Range(0, hammers).Select(number => HammerAsync(cluster, made, number, stop.Token))];
        List<TimeSpan> latencies = [];
        for (int i = 0; i < keys; i++)
        {
            (int status, _) = await cluster.Members[i % 3].AdministerAsync("POST", $"/admin/v1/keys/{made[i].Id}/revoke", "{}");
            Assert.Equal(200, status);
            long start = Stopwatch.GetTimestamp();
            TimeSpan[] seen = await Task.WhenAll(cluster.Members.Select(async member =>
            {
                while ((await member.AskAsync("/v1/chat/completions", Chat(5), made[i].Key)).Status != 401)
                {
                    Assert.True(Stopwatch.GetElapsedTime(start) < s_patience, "a revoked key goes on");
                }

                return Stopwatch.GetElapsedTime(start);
            }));
            latencies.Add(seen.Max());
        }

        await stop.CancelAsync();
        await Task.WhenAll(load);
        TimeSpan slowest = latencies.Order().ElementAt(keys * 99 / 100);
        TestContext.Current.SendDiagnosticMessage($"revoked everywhere within {slowest.TotalMilliseconds:0} ms (99 %)");
        Assert.True(slowest <= TimeSpan.FromSeconds(1), $"{slowest}");
    }

    private static async Task HammerAsync(GatewayCluster cluster, (string Key, string Id)[] keys, int number, CancellationToken stop)
    {
        Random random = new(number);
        while (!stop.IsCancellationRequested)
        {
            (int status, _, _) = await cluster.Members[random.Next(3)].AskAsync("/v1/chat/completions", Chat(5), keys[random.Next(keys.Length)].Key);
            Assert.True(status is 200 or 401, $"{status}");
        }
    }

    /// <summary>Keys go on as they were last seen; after their time each app's choice counts; the database is back, and all is as before.</summary>
    [Fact]
    public async Task Database_IsAway_KeysGoOnAndThenEachAppsChoiceCounts()
    {
        await using GatewayCluster cluster = await GatewayCluster.StartAsync("apps: { tests: {}, careful: {}, bold: { when_store_is_lost: serve } }", staleAfter: "4s");
        Dictionary<string, string> keys = [];
        foreach (string app in new[] { "careful", "bold" })
        {
            (int status, JsonElement body) = await cluster.Members[0].AdministerAsync("POST", "/admin/v1/keys", $$"""{"app":"{{app}}"}""");
            Assert.Equal(201, status);
            keys[app] = body.GetProperty("key").GetString()!;
        }

        GatewayCluster.Member other = cluster.Members[1];
        Assert.True(await GatewayHost.UntilAsync(async () => (await AskAsync("careful")) == 200 && (await AskAsync("bold")) == 200, s_patience));
        await cluster.Postgres.StopAsync();
        Assert.Equal(200, await AskAsync("careful"));
        Assert.Equal(503, (await other.AdministerAsync("POST", "/admin/v1/keys", """{"app":"tests"}""")).Status);
        Assert.True(await GatewayHost.UntilAsync(async () => (await AskAsync("careful")) == 503, s_patience), "the choice does not count");
        Assert.Equal(200, await AskAsync("bold"));
        Assert.Equal(200, (await other.AskAsync("/v1/chat/completions", Chat(5))).Status); // a key of the file

        await cluster.Postgres.StartAsync();
        Assert.True(await GatewayHost.UntilAsync(async () => (await AskAsync("careful")) == 200, s_patience), "it does not go on");

        async Task<int> AskAsync(string app) => (await other.AskAsync("/v1/chat/completions", Chat(5), keys[app])).Status;
    }

    /// <summary>Requests of every kind at all gateways at once, with random limits and hang-ups, against a budget for a part of them.</summary>
    [Fact]
    public Task Budget_RequestsAtAllGatewaysAtOnce_IsNeverOverspent() => SpendAsync(requests: 600, seed: 3);

    [LongFact]
    public async Task Budget_TwoThousandRequestsAtAllGatewaysAtOnce_IsNeverOverspent()
    {
        for (int round = 0; round < 5; round++)
        {
            await SpendAsync(requests: 2000, Environment.TickCount + round);
        }
    }

    private static async Task SpendAsync(int requests, int seed)
    {
        decimal usd = requests * 0.00005m;
        await using GatewayCluster cluster = await GatewayCluster.StartAsync(
            $$"""
            budgets:
              tests-month: { app: tests, usd: {{usd.ToString(CultureInfo.InvariantCulture)}}, unpriced_request_usd: 0.0005 }
              key-tokens: { key: client, tokens: 100000000 }
            """);
        using CancellationTokenSource watching = new();
        Task<decimal> most = WatchAsync(cluster, watching.Token);
        Random random = new(seed);
        using SemaphoreSlim atOnce = new(90);
        int[] statuses = await Task.WhenAll(Enumerable.Range(0, requests).Select(async number =>
        {
            int dice = random.Next();
            await atOnce.WaitAsync(Cancellation);
            try
            {
                return await AskAnyAsync(cluster.Members[number % 3], number, dice);
            }
            finally
            {
                atOnce.Release();
            }
        }));
        IReadOnlyList<LedgerEntry> rows = await cluster.EntriesAsync();
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(cluster.Members.All(static member => member.Server.Guard.Meters.Budget("tests-month")!.Standing.Reserved == 0)), s_patience), "something stays reserved");
        await watching.CancelAsync();

        await cluster.Sandbox.Billing.FlushAsync();
        decimal billed = cluster.Sandbox.Billing.Rows.Where(static row => row.Model == "gpt-5-mini").Sum(static row => (((row.InputTokens + row.CacheReadTokens) * 1m) + (row.OutputTokens * 10m)) / 1_000_000m);
        decimal told = rows.Sum(static row => row.CostUsd ?? 0);
        Assert.True(await most <= usd, $"at most {await most} of {usd} given out");
        Assert.True(billed <= usd && told <= usd, $"billed {billed}, told {told} of {usd}");
        Assert.Contains(429, statuses);
        int served = statuses.Count(static status => status == 200);
        Assert.True(served > requests / 10, $"{served} answered");
        Assert.DoesNotContain(503, statuses);
        decimal[] spent = [.. cluster.Members.Select(static member => member.Server.Guard.Meters.Budget("tests-month")!.Standing.Spent)];
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(cluster.Members.Select(static member => member.Server.Guard.Meters.Budget("tests-month")!.Standing.Spent).Distinct().Count() == 1), s_patience), string.Join(' ', spent));
        Assert.True(cluster.Members[0].Server.Guard.Meters.Budget("tests-month")!.Standing.Spent is var total && total <= usd && told <= total, $"{total} of {usd}, told {told}");
        TestContext.Current.SendDiagnosticMessage($"{served} of {requests} answered, {total} of {usd} spent, at most {await most} given out");
    }

    /// <summary>Each gateway goes on with its part; nobody gets more; once the database is back the rest is to be had.</summary>
    [Fact]
    public async Task Budget_DatabaseIsAway_GatewaysGoOnWithTheirParts()
    {
        await using GatewayCluster cluster = await GatewayCluster.StartAsync("budgets: { b: { app: tests, usd: 0.02 } }");
        for (int i = 0; i < 15; i++)
        {
            Assert.Equal(200, (await cluster.Members[i % 3].AskAsync("/v1/chat/completions", Chat(30))).Status);
        }

        Assert.True(
            await GatewayHost.UntilAsync(async () => await cluster.AskDatabaseAsync("SELECT count(*) FROM lease_budget_parts WHERE granted - spent > 0.001") == 3, s_patience), "nothing is taken ahead");
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(cluster.Members.All(static member => member.Server.Guard.Meters.Share!.IsUp)), s_patience));
        await cluster.Postgres.StopAsync();
        List<int>[] statuses = [[], [], []];
        for (int i = 0; i < 300; i++)
        {
            (int status, string body, _) = await cluster.Members[i % 3].AskAsync("/v1/chat/completions", Chat(30));
            Assert.True(status is 200 or 429 or 503, body);
            Assert.True(status != 503 || body.Contains("ballast_budget_unavailable", StringComparison.Ordinal), body);
            statuses[i % 3].Add(status);
        }

        Assert.All(statuses, static one => Assert.True(one[0] == 200 && one[^1] == 503, string.Join(' ', one.Take(5)) + " … " + one[^1]));
        await cluster.Sandbox.Billing.FlushAsync();
        decimal before = Billed(cluster);
        Assert.True(before <= 0.02m, $"{before}");

        await cluster.Postgres.StartAsync();
        Assert.True(await GatewayHost.UntilAsync(async () => (await cluster.Members[0].AskAsync("/v1/chat/completions", Chat(30))).Status == 200, s_patience), "it does not go on");
        int last = 0;
        for (int i = 0; i < 1000 && last != 429; i++)
        {
            last = (await cluster.Members[0].AskAsync("/v1/chat/completions", Chat(30))).Status;
        }

        Assert.Equal(429, last);

        // What the others held comes back a second or so after they have said that they need it no more.
        decimal billed = 0;
        Assert.True(
            await GatewayHost.UntilAsync(
                async () =>
                {
                    await cluster.Members[0].AskAsync("/v1/chat/completions", Chat(30));
                    await cluster.Sandbox.Billing.FlushAsync();
                    return (billed = Billed(cluster)) > 0.01m;
                },
                s_patience),
            $"{billed} after {before}");
        Assert.True(billed <= 0.02m, $"{billed}");
    }

    /// <summary>One stops, another comes: what the first had left over is the others' at once.</summary>
    [Fact]
    public async Task Budget_GatewayStops_LeavesNothingBehind()
    {
        await using GatewayCluster cluster = await GatewayCluster.StartAsync("budgets: { b: { app: tests, usd: 0.02 } }", count: 2);
        GatewayCluster.Member leaving = cluster.Members[1];
        Assert.Equal(200, (await leaving.AskAsync("/v1/chat/completions", Chat(30))).Status);
        decimal spent = leaving.Server.Guard.Meters.Budget("b")!.Standing.Spent;
        await cluster.RemoveAsync(leaving);

        Assert.Equal(spent, await cluster.AskDatabaseAsync("SELECT sum(granted) FROM lease_budget_parts WHERE spent > 0"));
        GatewayCluster.Member again = await cluster.AddAsync(leaving.Name);
        Assert.Equal(spent, again.Server.Guard.Meters.Budget("b")!.Standing.Spent);
        Assert.Equal(200, (await again.AskAsync("/v1/chat/completions", Chat(30))).Status);
    }

    /// <summary>At all gateways together no more than the limit is taken, nearly all of it is to be had, however unevenly it is asked for; without the database no more, and most of it.</summary>
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(8, 1, 0)]
    public async Task RateLimit_AskedAtAllGateways_IsTheLimitOfAll(int first, int second, int third)
    {
        const int limit = 300;
        await using GatewayCluster cluster = await GatewayCluster.StartAsync("", keyMore: $$""", rate_limits: { requests_per_minute: {{limit}} }""", limits: ", lease_wait: 1s");
        int[] weights = [first, second, third];
        int accepted = 0, refused = 0;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; refused < 100 || i < limit * 2; i++)
        {
            int[] statuses = await Task.WhenAll(cluster.Members.SelectMany((member, number) => Enumerable.Range(0, weights[number]).Select(async _ => (await member.AskAsync("/v1/chat/completions", Chat(5))).Status)));
            Assert.All(statuses, static status => Assert.True(status is 200 or 429, $"{status}"));
            accepted += statuses.Count(static status => status == 200);
            refused += statuses.Count(static status => status == 429);
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(50))
            {
                break; // the window would move on: a machine this slow shows the bound alone
            }
        }

        Assert.True(accepted <= limit, $"{accepted} of {limit}");
        Assert.True(accepted >= limit * 0.94 || refused < 100, $"{accepted} of {limit}, {refused} refused");
        TestContext.Current.SendDiagnosticMessage($"{accepted} of {limit} taken, {refused} refused");
    }

    private static decimal Billed(GatewayCluster cluster) =>
        cluster.Sandbox.Billing.Rows.Sum(static row => (((row.InputTokens + row.CacheReadTokens) * 1m) + (row.OutputTokens * 10m)) / 1_000_000m);

    /// <summary>The most that was ever given out together, as the database has it.</summary>
    private static async Task<decimal> WatchAsync(GatewayCluster cluster, CancellationToken stop)
    {
        decimal most = 0;
        while (!stop.IsCancellationRequested)
        {
            most = Math.Max(most, await cluster.AskDatabaseAsync(
                """
                SELECT coalesce((SELECT sum(greatest(granted, spent + reserved)) FROM lease_budget_parts WHERE sheet LIKE 'tests-month|%'), 0)
                     + coalesce((SELECT sum(spent_before) FROM lease_budgets WHERE sheet LIKE 'tests-month|%'), 0)
                """));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }

        return most;
    }

    private static async Task<int> AskAnyAsync(GatewayCluster.Member member, int number, int seed)
    {
        Random random = new(seed);
        int tokens = random.Next(1, 60);
        (string path, string body) = (number % 7) switch
        {
            0 => ("/v1/chat/completions", Chat(tokens)),
            1 => ("/v1/chat/completions", Chat(tokens, stream: true)),
            2 => ("/v1/messages", Chat(tokens)),
            3 => ("/v1/messages", Chat(tokens, stream: true)),
            4 => ("/v1/embeddings", """{"model":"openai/text-embedding-3-small","input":"the tide"}"""),
            5 => ("/v1beta/models/priced:generateContent", $$$"""{"contents":[{"role":"user","parts":[{"text":"The tide?"}]}],"generationConfig":{"maxOutputTokens":{{{tokens}}}}}"""),
            _ => ("/v1/images/generations", """{"model":"openai/gpt-image-1-mini","prompt":"a boat"}"""),
        };
        try
        {
            return (await member.AskAsync(path, body, hangUpMilliseconds: random.Next(8) == 0 ? random.Next(1, 40) : Timeout.Infinite)).Status;
        }
        catch (OperationCanceledException) when (!Cancellation.IsCancellationRequested)
        {
            return 0;
        }
    }

    private static string Chat(int maxTokens, bool stream = false) =>
        $$"""{"model":"priced","max_tokens":{{maxTokens}},"stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"Tell me about the tide."}]}""";
}
