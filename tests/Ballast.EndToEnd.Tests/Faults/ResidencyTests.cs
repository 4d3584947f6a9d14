using Ballast.Ledger;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Residency of a policy under random faults, with retries and failovers: what the platforms saw is the witness.</summary>
[Collection("Faults")]
public sealed class ResidencyTests
{
    /// <summary>The key itself may go anywhere; only the policy says no.</summary>
    private const string Policy = """
        apiVersion: ballast/v1
        kind: BalancePolicy
        metadata: { name: org, version: 1 }
        residency: [{ match: { apps: [faults] }, allow: { geo: [eu], zdr: true, no_train: true } }]
        scopes:
          - id: org
            rules:
              - { id: any50, cap: { component: any, dimension: platform }, share: 0.50, burst: 2000 }
        """;

    private static readonly Dictionary<string, string> s_data = new()
    {
        ["azure"] = "{ geo: eu, retention_days: 0, training: false }",
        ["bedrock"] = "{ geo: eu, retention_days: 0, training: false }",
        ["openai"] = "{ geo: us, retention_days: 0, training: false }",
        ["anthropic"] = "{ geo: eu, retention_days: 0, training: true }",
        ["local"] = "{ geo: eu, retention_days: 1, training: false }",
    };

    private static readonly string[] s_deployments = ["openai/m=gpt-5-mini", "anthropic/m=claude-haiku-4-5", "azure/m=gpt-5-mini", "local/m=llama-4-scout", "bedrock/m=openai.gpt-5-mini", "azure/n=gpt-5.2"];

    [Fact]
    public Task RandomFaults_AFewHundredRequests_NoneReachesAnUnlawfulPlatform() => FuzzAsync(600);

    [LongFact]
    public Task RandomFaults_TenThousandRequests_NoneReachesAnUnlawfulPlatform() => FuzzAsync(10_000);

    private static async Task FuzzAsync(int requests)
    {
        await using FaultGateway gateway = await FaultGateway.StartAsync(new FaultSetup
        {
            // Every rotation of the candidates: an unlawful one is first as often as last.
            Models = [.. Enumerable.Range(0, s_deployments.Length).Select(first => ($"m{first}", (string[])[.. s_deployments[first..], .. s_deployments[..first]])), ("unlawful", [.. s_deployments[..2], s_deployments[3]])],
            Data = s_data,
            Policy = Policy,
            Limits = ["breaker_failures: 200", "breaker_open: 50ms", "ramp_up: 50ms", "retry_floor: 10000", "first_token_timeout: 30s"],
        });
        Random random = new(17);
        FaultKind[] kinds = [FaultKind.Error500, FaultKind.Error503, FaultKind.RateLimit, FaultKind.Reset];
        (int answered, int refused) = (0, 0);
        for (int round = 0; round < requests / 100; round++)
        {
            gateway.Sandbox.Faults.Clear();
            foreach (string platform in (string[])["azure", "bedrock"])
            {
                for (int rule = random.Next(3); rule > 0; rule--)
                {
                    gateway.Sandbox.Faults.Add(new FaultRule { Platform = platform, Kind = kinds[random.Next(kinds.Length)], Count = random.Next(1, 20), RetryAfter = TimeSpan.FromMilliseconds(20) });
                }
            }

            // Now and then nothing lawful is up at all.
            if (round % 5 == 4)
            {
                gateway.Sandbox.Faults.Add(new FaultRule { Platform = "azure", Kind = FaultKind.Error503 });
                gateway.Sandbox.Faults.Add(new FaultRule { Platform = "bedrock", Kind = FaultKind.Error503 });
            }

            int seed = random.Next();
            ClientAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(index => AskAsync(gateway, new Random(seed + index))));
            answered += answers.Count(static answer => answer.IsComplete);
            refused += answers.Count(static answer => answer.IsError);
        }

        IReadOnlyList<LedgerEntry> rows = await gateway.SettleAsync();
        Assert.Equal(requests / 100 * 100, answered + refused);
        Assert.All(gateway.Sandbox.Billing.Rows, static row => Assert.True(row.Platform is "azure" or "bedrock", $"{row.Platform} was reached"));
        Assert.All(rows, static row => Assert.True(row.Platform is "azure" or "bedrock", $"{row.Deployment} was tried"));
        Assert.InRange(rows.Count(static row => row.AttemptNumber > 1), requests / 50, int.MaxValue);
        Assert.InRange(answered, requests / 4, requests);
        TestContext.Current.SendDiagnosticMessage($"E6 real: {requests} requests, {rows.Count} attempts, {rows.Count(static row => row.AttemptNumber > 1)} of them failovers, {refused} refused, 0 unlawful of {gateway.Sandbox.Billing.Rows.Count} seen by platforms");
    }

    private static Task<ClientAnswer> AskAsync(FaultGateway gateway, Random random)
    {
        Caller caller = Caller.All[random.Next(2)];
        string model = random.Next(20) == 0 ? "unlawful" : $"m{random.Next(s_deployments.Length)}";
        return gateway.AskAsync(caller, model, stream: random.Next(2) == 0);
    }
}
