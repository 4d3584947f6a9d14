using Ballast.Ledger;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Platforms that are down for a while: breaker, probe, ramp, retry budget and Retry-After through the real gateway.</summary>
[Collection("Faults")]
public sealed class OutageTests
{
    private static readonly string[] Everywhere = ["openai/m=gpt-5-mini", "azure/m=gpt-5-mini", "bedrock/m=openai.gpt-5-mini", "local/m=llama-4-scout"];

    [Fact]
    public async Task DeadPlatform_OpenBreaker_SeesProbesOnlyAndTrafficReturns()
    {
        await using FaultGateway gateway = await StartAsync(["openai/m=gpt-5-mini", "azure/m=gpt-5-mini"], "breaker_failures: 3", "breaker_open: 1s", "ramp_up: 500ms");
        await AskAsync(gateway, 3);
        gateway.Sandbox.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.Error503 });

        ClientAnswer[] opening = await AskAsync(gateway, 3);
        long start = TimeProvider.System.GetTimestamp();
        List<ClientAnswer> during = [];
        while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(2.5))
        {
            during.AddRange(await AskAsync(gateway, 8));
        }

        Assert.All([.. opening, .. during], answer => Assert.True(answer.IsComplete, answer.ToString()));
        int seen = gateway.Sandbox.Billing.Rows.Count(row => row.Platform == "openai" && row.Outcome == "error-503") - 3;
        Assert.InRange(seen, 1, 3);
        Assert.Equal(seen, during.Count(answer => answer.Attempts == "2"));

        gateway.Sandbox.Faults.Clear();
        await Task.Delay(TimeSpan.FromMilliseconds(1100), TimeProvider.System, TestContext.Current.CancellationToken);
        ClientAnswer probe = Assert.Single(await AskAsync(gateway, 1));
        Assert.Equal("openai/m", probe.Headers["x-ballast-deployment"]);
        int ramping = (await AskAsync(gateway, 20)).Count(answer => answer.Headers["x-ballast-deployment"] == "openai/m");
        Assert.True(ramping < 20, "the recovered platform gets everything at once");
        await Task.Delay(TimeSpan.FromMilliseconds(600), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.All(await AskAsync(gateway, 5), answer => Assert.Equal("openai/m", answer.Headers["x-ballast-deployment"]));
        await gateway.ReconcileAsync();
    }

    [Fact]
    public async Task HalfOpen_ManyRequestsAtOnce_SendOneProbe()
    {
        await using FaultGateway gateway = await StartAsync(["openai/m=gpt-5-mini", "azure/m=gpt-5-mini"], "breaker_failures: 1", "breaker_open: 400ms", "first_token_timeout: 1500ms");
        gateway.Sandbox.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.Error503, Count = 1 });
        await AskAsync(gateway, 1);
        gateway.Sandbox.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.Blackhole });
        await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, TestContext.Current.CancellationToken);

        ClientAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => gateway.AskAsync(Caller.OpenAI, "m", stream: false)));

        Assert.All(answers, answer => Assert.True(answer.IsComplete, answer.ToString()));
        Assert.Single(answers, answer => answer.Attempts == "2");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EverythingFails_UnderLoad_RetriesKeepToTheBudget(bool areClientRetries)
    {
        await using FaultGateway gateway = await StartAsync(Everywhere, "breaker_failures: 1000", "retry_floor: 10");
        gateway.Sandbox.Faults.Add(new FaultRule { Platform = "*", Kind = FaultKind.Error500 });
        const int requests = 500;
        const int atOnce = 250;
        long start = TimeProvider.System.GetTimestamp();

        ClientAnswer[] answers = [];
        for (int sent = 0; sent < requests; sent += atOnce)
        {
            answers = [.. answers, .. await Task.WhenAll(Enumerable.Range(0, atOnce).Select(async _ =>
            {
                using HttpRequestMessage request = Caller.OpenAI.NewRequest("m", stream: false);
                request.Headers.Add("x-stainless-retry-count", areClientRetries ? "1" : "0");
                return await ClientAnswer.SendAsync(gateway.Http, Caller.OpenAI, stream: false, request);
            }))];
        }

        Assert.All(answers, answer => Assert.True(answer is { Status: 500, IsError: true }, answer.ToString()));
        IReadOnlyList<LedgerEntry> rows = await gateway.SettleAsync();
        Assert.Equal(requests, answers.Length);
        Assert.True(rows.GroupBy(row => row.ExchangeId).All(exchange => exchange.Count() <= 3), "more than three attempts");
        int retries = rows.Count - requests;

        // A fifth of the requests, and the floor anew in every ten seconds that the machine took.
        int floors = 10 * (2 + (int)(TimeProvider.System.GetElapsedTime(start).TotalSeconds / 10));
        Assert.InRange(retries, areClientRetries ? 0 : 10, (areClientRetries ? 0 : requests / 5) + floors);
        await gateway.ReconcileAsync();
    }

    [Fact]
    public async Task RetryAfter_OfSeveral_IsHonouredAndTheSmallestIsTold()
    {
        await using FaultGateway gateway = await StartAsync(["openai/m=gpt-5-mini", "azure/m=gpt-5-mini", "bedrock/m=openai.gpt-5-mini"]);
        foreach ((string platform, int seconds) in (IEnumerable<(string, int)>)[("openai", 40), ("azure", 9), ("bedrock", 25)])
        {
            gateway.Sandbox.Faults.Add(new FaultRule { Platform = platform, Kind = FaultKind.RateLimit, RetryAfter = TimeSpan.FromSeconds(seconds) });
        }

        foreach (Caller caller in Caller.All)
        {
            ClientAnswer refused = await gateway.AskAsync(caller, "m", stream: true);
            Assert.True(refused.IsError, refused.ToString());
            Assert.InRange(int.Parse(refused.Headers["Retry-After"], null), 7, 9);
        }

        ClientAnswer resting = await gateway.AskAsync(Caller.OpenAI, "m", stream: true);
        Assert.True(resting is { Status: 503, ErrorCode: "ballast_all_unavailable" }, resting.ToString());
        Assert.Equal(3, gateway.Sandbox.Billing.Rows.Count);
    }

    [Fact]
    public async Task Retry_NextCandidateIsNotProvenAndThereIsNoBudget_GoesOnToTheProvenOne()
    {
        await using FaultGateway gateway = await StartAsync(Everywhere[..3], "retry_floor: 0", "retry_share_max: 0");
        gateway.Sandbox.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.Error503 });
        ClientAnswer proof = await gateway.AskAsync(Caller.OpenAI, "bedrock/m", stream: false);
        Assert.True(proof.IsComplete, proof.ToString());

        ClientAnswer answer = await gateway.AskAsync(Caller.OpenAI, "m", stream: false);

        Assert.True(answer.IsComplete, answer.ToString());
        Assert.Equal("bedrock/m", answer.Headers["x-ballast-deployment"]);
        Assert.Equal("2", answer.Attempts);
    }

    private static Task<FaultGateway> StartAsync(string[] deployments, params string[] limits) =>
        FaultGateway.StartAsync(new FaultSetup { Models = [("m", deployments)], Limits = limits });

    private static async Task<ClientAnswer[]> AskAsync(FaultGateway gateway, int times)
    {
        ClientAnswer[] answers = new ClientAnswer[times];
        for (int time = 0; time < times; time++)
        {
            answers[time] = await gateway.AskAsync(Caller.OpenAI, "m", stream: time % 2 == 0);
        }

        return answers;
    }
}
