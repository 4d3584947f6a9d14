using System.Globalization;
using Ballast.Balance;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;
using Ballast.Routing.Shares;
using Microsoft.Extensions.Logging;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>A balance policy in force in the real gateway, under load, while Azure goes and comes back: what the ledger says of the shares.</summary>
[Collection("Faults")]
public sealed class ShareTests
{
    private const int AtOnce = 16;

    /// <summary>Small, so that a few hundred requests show whether a cap holds.</summary>
    private const int Burst = 2_000;

    /// <summary>By how much an estimate may be wrong: answers are taken for 500 tokens long before any is known.</summary>
    private const int ErrorMax = 500;

    private const string Policy = """
        apiVersion: ballast/v1
        kind: BalancePolicy
        metadata: { name: org, version: 1 }
        scopes:
          - id: org
            rules:
              - { id: az50, cap: { platform: azure }, share: 0.50, burst: 2000 }
              - { id: aws45, cap: { platform: bedrock }, share: 0.45, burst: 2000 }
        """;

    [Fact]
    public Task AzureGoesAndReturns_ThirdPlatform_CapsHoldAndNobodyIsRefused() => GoAndReturnAsync(600, 60);

    /// <summary>The same over as many requests as 200 a second make in a minute.</summary>
    [LongFact]
    public Task AzureGoesAndReturns_AMinutesRequests_CapsHoldAndNobodyIsRefused() => GoAndReturnAsync(12_000, 2_000);

    private static async Task GoAndReturnAsync(int requests, int first)
    {
        await using FaultGateway gateway = await StartAsync("azure/m=gpt-5-mini", "bedrock/m=openai.gpt-5-mini", "openai/m=gpt-5-mini");

        ClientAnswer[] steady = await AskAsync(gateway, requests);
        int before = (await gateway.SettleAsync()).Count;
        await gateway.Sandbox.DisappearAsync("azure");
        ClientAnswer[] right = await AskAsync(gateway, first);
        ClientAnswer[] later = await AskAsync(gateway, requests - first);
        LedgerEntry[] dark = [.. (await gateway.SettleAsync()).Skip(before)];
        await gateway.Sandbox.ReturnAsync("azure");
        await ReturnedAsync(gateway);
        int returned = (await gateway.SettleAsync()).Count;
        ClientAnswer[] after = await AskAsync(gateway, requests);
        LedgerEntry[] back = [.. (await gateway.SettleAsync()).Skip(returned)];

        // E4: success from the first moment on, the other cloud's cap kept, no storm of retries.
        Assert.InRange(right.Count(static answer => answer.IsComplete) / (double)right.Length, 0.99, 1);
        Assert.InRange(later.Count(static answer => answer.IsComplete) / (double)later.Length, 0.999, 1);
        AssertCapped(dark, "bedrock", 0.45);
        double attempts = dark.Length / (double)dark.Select(static row => row.ExchangeId).Distinct().Count();
        Assert.InRange(attempts, 1, 1.3);
        Assert.Empty(RelaxationEvents.Read(await gateway.Reader.EventsAsync(LedgerEvent.Suspension, LedgerFilter.Everything, 100, TestContext.Current.CancellationToken)));

        // E5: nobody is over a cap while Azure comes back, and it does come back.
        LedgerEntry[] first50 = [.. (await gateway.SettleAsync()).Take(before)];
        AssertCapped(first50, "azure", 0.50);
        AssertCapped(first50, "bedrock", 0.45);
        AssertCapped(back, "azure", 0.50);
        AssertCapped(back, "bedrock", 0.45);
        Assert.InRange(Share(back, "azure"), 0.3, 0.6);
        Assert.All([.. steady, .. after], static answer => Assert.True(answer.IsComplete, answer.ToString()));
        TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture,
            $"E4/E5 {requests} requests a phase: steady azure {Share(first50, "azure"):P2} bedrock {Share(first50, "bedrock"):P2}; outage bedrock {Share(dark, "bedrock"):P2}, {attempts:0.000} attempts, {right.Count(static a => !a.IsComplete) + later.Count(static a => !a.IsComplete)} failed; back azure {Share(back, "azure"):P2} bedrock {Share(back, "bedrock"):P2}"));
    }

    /// <summary>Where no third platform is left the cap is suspended, and said to be in ledger, log and metrics: rule, cause, volume, begin and end.</summary>
    [Fact]
    public async Task AzureGoes_NoThirdPlatform_SuspensionIsInLedgerLogAndMetrics()
    {
        LogLines log = new();
        await using FaultGateway gateway = await StartAsync(["azure/m=gpt-5-mini", "bedrock/m=openai.gpt-5-mini"], setup => setup with { LogLevel = LogLevel.Information, LogTo = log }, Policy.Replace("share: 0.45", "share: 0.60", StringComparison.Ordinal));
        await AskAsync(gateway, 100);
        await gateway.Sandbox.DisappearAsync("azure");
        ClientAnswer[] dark = await AskAsync(gateway, 200);
        await gateway.SettleAsync();

        Assert.All(dark, static answer => Assert.True(answer.IsComplete, answer.ToString()));
        await UntilAsync(async () => (await EventsAsync(gateway)).Any(static one => one.Subject == "aws45"));
        Relaxation begun = RelaxationEvents.Read(await EventsAsync(gateway)).Single(static one => one.Rule == "aws45");
        Assert.Equal((RelaxationCause.Health, "org", 1), (begun.Cause, begun.PolicyName, begun.PolicyVersion));
        string metrics = await MetricsAsync(gateway);
        Assert.Contains("ballast_balance_suspended{rule=\"aws45\"} 1", metrics, StringComparison.Ordinal);
        Assert.InRange(Metric(metrics, "ballast_balance_suspended_requests_total{rule=\"aws45\"}"), 20, 200);
        Assert.InRange(Metric(metrics, "ballast_balance_suspension_start_seconds{rule=\"aws45\",cause=\"health\"}"), begun.StartedAt.ToUnixTimeSeconds() - 1, begun.StartedAt.ToUnixTimeSeconds() + 1);
        double volume = Metric(metrics, "ballast_balance_suspended_units_total{rule=\"aws45\"}");
        Assert.Contains(log.All, static line => line.Contains("Share rule aws45 is suspended since ", StringComparison.Ordinal) && line.Contains("cause: health", StringComparison.Ordinal));

        // A stop ends it; so do thirty quiet seconds.
        await gateway.Server.DisposeAsync();
        Relaxation over = RelaxationEvents.Read(await EventsAsync(gateway)).Single(static one => one.Rule == "aws45");
        Assert.True(over.IsOver && over.LastAt >= over.StartedAt);
        Assert.Equal(volume, over.Volume, tolerance: 1);
        Assert.InRange(over.Requests, 20, 200);
        Assert.Contains(log.All, static line => line.Contains("Share rule aws45 holds again: it was suspended from ", StringComparison.Ordinal) && line.Contains("cause: health", StringComparison.Ordinal));
    }

    /// <summary>An app that can wait is refused before the cap gives way: no suspension, and who is critical is still served.</summary>
    [Fact]
    public async Task AppThatCanWait_IsRefusedBeforeTheCapGivesWay()
    {
        await using FaultGateway gateway = await StartAsync(
            ["azure/m=gpt-5-mini", "bedrock/m=openai.gpt-5-mini"], static setup => setup, Policy.Replace("share: 0.45", "share: 0.60", StringComparison.Ordinal) + "\ncriticality: { faults: 3 }");
        await AskAsync(gateway, 60);
        await gateway.Sandbox.DisappearAsync("azure");
        ClientAnswer[] dark = await AskAsync(gateway, 120);
        await gateway.SettleAsync();

        ClientAnswer[] refused = [.. dark.Where(static answer => !answer.IsComplete)];
        Assert.NotEmpty(refused);
        Assert.Contains(refused, static answer => answer is { Status: 503, ErrorCode: "ballast_tier_shed" } && answer.Headers.ContainsKey("retry-after"));
        Assert.Empty(RelaxationEvents.Read(await EventsAsync(gateway)));
        string metrics = await MetricsAsync(gateway);
        Assert.Equal(0, Metric(metrics, "ballast_balance_suspended_requests_total{rule=\"aws45\"}"));
        Assert.InRange(Metric(metrics, "ballast_balance_refused_requests_total{rule=\"aws45\"}"), 1, 200);
    }

    /// <summary>A rule that queues: requests wait while its cap has no room, and go on once somebody else is back.</summary>
    [Fact]
    public async Task RuleThatQueues_RequestsWaitUntilThePlatformIsBack()
    {
        await using FaultGateway gateway = await StartAsync(
            ["azure/m=gpt-5-mini", "bedrock/m=openai.gpt-5-mini"], static setup => setup, Policy.Replace("share: 0.45, ", "share: 0.45, on_conflict: queue, wait: 1m, ", StringComparison.Ordinal));
        await gateway.Sandbox.DisappearAsync("azure");
        Task<ClientAnswer[]> asking = AskAsync(gateway, 40);
        await UntilAsync(() => Task.FromResult(gateway.Server.Room.Waiting > 0));
        await gateway.Sandbox.ReturnAsync("azure");
        ClientAnswer[] answers = await asking.WaitAsync(TimeSpan.FromSeconds(55), TimeProvider.System, TestContext.Current.CancellationToken);
        await gateway.SettleAsync();

        Assert.All(answers, static answer => Assert.True(answer.IsComplete || answer.Status == 502, answer.ToString()));
        Assert.True(gateway.Server.Room.Served > 0);
        Assert.Equal(0, Metric(await MetricsAsync(gateway), "ballast_balance_suspended_requests_total{rule=\"aws45\"}"));
    }

    /// <summary>What the vendor's headers allow reaches the ledger, for the exposure report.</summary>
    [Fact]
    public async Task Answers_WithRateLimitHeaders_TellTheQuota()
    {
        await using FaultGateway gateway = await StartAsync("openai/m=gpt-5-mini");
        await AskAsync(gateway, 2);
        await gateway.SettleAsync();
        await gateway.Server.DisposeAsync();

        LedgerEvent told = Assert.Single(await gateway.Reader.EventsAsync(LedgerEvent.Quota, LedgerFilter.Everything, 100, TestContext.Current.CancellationToken));
        Assert.Equal("openai/m", told.Subject);
        Assert.Contains("\"requests_per_minute\":", told.Body, StringComparison.Ordinal);
        Assert.Contains("\"tokens_per_minute\":", told.Body, StringComparison.Ordinal);
    }

    private static Task<FaultGateway> StartAsync(params string[] deployments) => StartAsync(deployments, static setup => setup);

    private static Task<FaultGateway> StartAsync(string[] deployments, Func<Ballast.Server.ServerSetup, Ballast.Server.ServerSetup> server, string policy = Policy) => FaultGateway.StartAsync(new FaultSetup
    {
        Models = [("m", deployments)],
        Limits = ["breaker_failures: 3", "breaker_open: 300ms", "ramp_up: 500ms", "retry_floor: 1000", "first_token_timeout: 30s"],
        Policy = policy,
        Server = server,
    });

    /// <summary>By so many at once, each with a prompt of another length.</summary>
    private static async Task<ClientAnswer[]> AskAsync(FaultGateway gateway, int requests)
    {
        ClientAnswer[] answers = new ClientAnswer[requests];
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is int index && index < requests)
            {
                answers[index] = await gateway.AskAsync(Caller.OpenAI, "m", stream: index % 3 == 0, string.Concat(Enumerable.Repeat("word ", 5 + (index * 7 % 90))));
            }
        }));
        return answers;
    }

    /// <summary>Its breaker is closed again and its ramp is over.</summary>
    private static Task ReturnedAsync(FaultGateway gateway) => UntilAsync(async () =>
    {
        await AskAsync(gateway, AtOnce);
        return (await gateway.SettleAsync()).TakeLast(AtOnce).Count(static row => row.Platform == "azure" && row.Outcome == AttemptOutcome.Completed) >= AtOnce / 4;
    });

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60), "it does not come about");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    private static Task<IReadOnlyList<LedgerEvent>> EventsAsync(FaultGateway gateway) =>
        gateway.Reader.EventsAsync(LedgerEvent.Suspension, LedgerFilter.Everything, 100, TestContext.Current.CancellationToken);

    private static async Task<string> MetricsAsync(FaultGateway gateway)
    {
        using HttpClient admin = new() { BaseAddress = gateway.Server.AdminAddress };
        return await admin.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
    }

    private static double Metric(string metrics, string name) =>
        double.Parse(metrics.Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal))[(name.Length + 1)..], CultureInfo.InvariantCulture);

    private static double Tokens(LedgerEntry row) => row.InputTokens + row.CacheReadTokens + row.OutputTokens;

    private static double Share(IEnumerable<LedgerEntry> rows, string platform)
    {
        LedgerEntry[] answered = [.. rows.Where(static row => row.Outcome == AttemptOutcome.Completed)];
        return answered.Where(row => row.Platform == platform).Sum(Tokens) / answered.Sum(Tokens);
    }

    /// <summary>The proven bound: burst, the largest request, and what the estimates that ran at the window's ends were wrong by.</summary>
    private static void AssertCapped(LedgerEntry[] rows, string platform, double cap)
    {
        LedgerEntry[] answered = [.. rows.Where(static row => row.Outcome == AttemptOutcome.Completed)];
        double ahead = answered.Where(row => row.Platform == platform).Sum(Tokens) - (cap * answered.Sum(Tokens));
        double bound = Burst + (AtOnce * ErrorMax);
        Assert.True(ahead <= bound, $"{platform} is {ahead:0} tokens ahead of {cap:P0}, the bound is {bound:0}");
    }
}
