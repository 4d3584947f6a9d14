using System.CommandLine;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;
using Ballast.Routing.Shares;

namespace Ballast.EndToEnd.Tests.Page;

/// <summary>Two weeks of a made-up organisation's ledger, its configuration and its policy: what the exposure page is looked at with. One of its models has a name that is markup.</summary>
internal sealed class ExposureHouse : IAsyncDisposable
{
    public const string HostileModel = "<img src=x onerror=alert(1)>-a-model-with-a-name-that-is-longer-than-any-column";

    private const string Yaml = """
        providers:
          azure-sweden-production: { kind: openai-compatible, platform: azure, region: swedencentral, base_url: "http://127.0.0.1:1/v1", allow_private_addresses: true, api_key: "${KEY}", data: { geo: eu, retention_days: 0, training: false }, deployments: { gpt-5-2026-08-07-preview: { vendor: openai, quota: { tokens_per_minute: 9000 } }, gpt-5-mini: { vendor: openai } } }
          bedrock: { kind: openai-compatible, platform: aws, region: eu-central-1, base_url: "http://127.0.0.2:1/v1", allow_private_addresses: true, api_key: "${KEY}", data: { geo: eu, retention_days: 0, training: false }, deployments: { claude-sonnet-4-5-v2: { vendor: anthropic, quota: { tokens_per_minute: 4000 } }, gpt-oss-120b: { vendor: openai, quota: { requests_per_minute: 60 } } } }
          anthropic: { kind: openai-compatible, platform: anthropic, region: global, base_url: "http://127.0.0.2:2/v1", allow_private_addresses: true, api_key: "${KEY}", data: { geo: us, retention_days: 30, training: false }, deployments: { claude-sonnet-4-5: { vendor: anthropic, end_of_life: 2026-12-20 } } }
          google: { kind: openai-compatible, platform: google, region: europe-west4, base_url: "http://127.0.0.1:3/v1", allow_private_addresses: true, api_key: "${KEY}", data: { geo: eu, retention_days: 0, training: false }, deployments: { gemini-3-flash: { vendor: google } } }
        models:
          chat: { deployments: [azure-sweden-production/gpt-5-2026-08-07-preview, bedrock/claude-sonnet-4-5-v2, google/gemini-3-flash, anthropic/claude-sonnet-4-5] }
          code: { deployments: [anthropic/claude-sonnet-4-5, bedrock/claude-sonnet-4-5-v2] }
          summaries-of-long-documents: { deployments: [azure-sweden-production/gpt-5-mini] }
          review: { deployments: [azure-sweden-production/gpt-5-2026-08-07-preview, bedrock/gpt-oss-120b] }
        keys:
          support: { key_env: KEY_1, app: customer-support-and-complaints }
          credit: { key_env: KEY_2, app: credit-decisions-retail, allow: { geo: [eu] } }
          developers: { key_env: KEY_3, app: developers }
        apps:
          credit-decisions-retail: { tier: 1 }
          developers: { tier: 3 }
        prices:
          openai/gpt-5-2026-08-07-preview: { input: 1.25, output: 10 }
        """;

    private const string Policy = """
        apiVersion: ballast/v1
        kind: BalancePolicy
        metadata: { name: group, version: 3 }
        scopes:
          - id: org
            rules:
              - { id: az50, cap: { platform: azure }, share: 0.50, burst: 1000 }
              - { id: aws45, cap: { platform: aws }, share: 0.45 }
              - { id: google5, floor: { platform: google }, share: 0.05, enforce: soft }
              - { id: n-1, survive: { any: [platform, vendor], keep: 0.95 } }
        """;

    private const string Graph = """
        apiVersion: ballast/v1
        kind: ComponentGraph
        parties:
          microsoft-ireland-operations: { parent: microsoft, jurisdiction: ie }
          microsoft: { jurisdiction: us }
        links: [{ when: { platform: azure }, needs: { party: microsoft-ireland-operations }, provenance: contract }]
        gateway: [{ platform: azure }]
        ranges: [{ component: { platform: aws }, file: aws.txt }]
        """;

    private static readonly (string App, string Key, string Model, string Deployment, string Vendor, string Platform, string Region)[] s_traffic =
    [
        ("customer-support-and-complaints", "support", "chat", "azure-sweden-production/gpt-5-2026-08-07-preview", "openai", "azure", "swedencentral"),
        ("customer-support-and-complaints", "support", "summaries-of-long-documents", "azure-sweden-production/gpt-5-mini", "openai", "azure", "swedencentral"),
        ("credit-decisions-retail", "credit", "review", "azure-sweden-production/gpt-5-2026-08-07-preview", "openai", "azure", "swedencentral"),
        ("credit-decisions-retail", "credit", "chat", "bedrock/claude-sonnet-4-5-v2", "anthropic", "aws", "eu-central-1"),
        ("developers", "developers", "code", "anthropic/claude-sonnet-4-5", "anthropic", "anthropic", "global"),
        ("developers", "developers", "chat", "google/gemini-3-flash", "google", "google", "europe-west4"),
        ("developers", "developers", HostileModel, "gone/" + HostileModel, "gone-vendor", "gone-platform", "gone"),
    ];

    private readonly TemporaryFolder _folder = new();
    private readonly DateTimeOffset _end;

    public ExposureHouse(DateTimeOffset end)
    {
        _end = end;
        File.WriteAllText(_folder.File("ballast.yaml"), Yaml);
        Directory.CreateDirectory(_folder.File("policies"));
        File.WriteAllText(Path.Combine(_folder.File("policies"), "components.yaml"), Graph);
        File.WriteAllText(Path.Combine(_folder.File("policies"), "aws.txt"), "127.0.0.2/32\n");
        string active = new PolicyFolder(_folder.File("policies")).Activate(Policy, "group").Path;
        File.SetLastWriteTimeUtc(active, end.AddDays(-10).UtcDateTime);
    }

    public async Task FillAsync()
    {
        await using SqliteLedgerStore store = SqliteLedgerStore.Open(_folder.File("ballast.db"));
        Random random = new(5);
        List<LedgerEntry> rows = [];
        for (int hour = 14 * 24; hour > 0; hour--)
        {
            for (int request = 0; request < 12; request++)
            {
                var (app, key, model, deployment, vendor, platform, region) = s_traffic[random.Next(random.Next(1, 4) == 1 ? s_traffic.Length : 5)];
                rows.Add(new LedgerEntry
                {
                    AttemptId = $"{hour}-{request}", ExchangeId = $"x{hour}-{request}", AttemptNumber = 1, StartedAt = _end.AddHours(-hour).AddMinutes(5 * request), KeyId = key, App = app, Protocol = "openai-chat",
                    Operation = "chat", Stream = true, RequestedModel = model, SentModel = "m", Deployment = deployment, Vendor = vendor, Platform = platform, Region = region, InputTokens = random.Next(100, 9_000),
                    OutputTokens = random.Next(10, 900), TimeToFirstToken = TimeSpan.FromMilliseconds((hour < 7 * 24 && vendor == "openai" ? 500 : 300) * (0.8 + (0.4 * random.NextDouble()))), Duration = TimeSpan.FromSeconds(4),
                    Outcome = AttemptOutcome.Completed, Finish = "stop", UpstreamStatus = 200, Reached = true,
                });
            }
        }

        await store.AppendAsync(rows, TestContext.Current.CancellationToken);
    }

    /// <summary>What a command over it wrote.</summary>
    public async Task<string> RunAsync(Command command, params string[] arguments)
    {
        foreach (string name in (string[])["KEY", "KEY_1", "KEY_2", "KEY_3"])
        {
            Environment.SetEnvironmentVariable(name, "value-of-" + name);
        }

        using StringWriter output = new();
        using StringWriter error = new();
        int code = await new RootCommand { command }.Parse(
            [command.Name, "--config", _folder.File("ballast.yaml"), "--ledger", _folder.File("ballast.db"), "--until", _end.ToString("yyyy-MM-ddTHH:mmZ", System.Globalization.CultureInfo.InvariantCulture), .. arguments])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false }, TestContext.Current.CancellationToken);
        Assert.True(code == 0, error.ToString());
        return output.ToString();
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
