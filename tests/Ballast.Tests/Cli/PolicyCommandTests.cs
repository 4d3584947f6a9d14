using System.Text.Json;
using Ballast.Cli;
using Ballast.Ledger;
using Ballast.Routing.Shares;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Cli;

public sealed class PolicyCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _config;

    public PolicyCommandTests()
    {
        _config = _folder.File("ballast.yaml");
        File.WriteAllText(_config,
            """
            providers:
              azure: { kind: openai-compatible, platform: azure, region: sweden, base_url: "https://a.example.com/v1", api_key: "${K}", data: { geo: eu, retention_days: 0, training: false }, deployments: { gpt-5: { vendor: openai } } }
              bedrock: { kind: openai-compatible, platform: aws, region: frankfurt, base_url: "https://b.example.com/v1", api_key: "${K}", data: { geo: eu, retention_days: 0, training: false }, deployments: { claude-4: { vendor: anthropic } } }
            models: { chat: { deployments: [azure/gpt-5, bedrock/claude-4] } }
            keys: { support: { key_env: SUPPORT_KEY, app: support } }
            """);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Check_CannotHold_IsExitOneWithReasonAndChange()
    {
        CommandRun run = await RunAsync("check", Write("p.yaml", 1, 0.3, 0.3));

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("the smallest change: raise", run.Output, StringComparison.Ordinal);
        Assert.Contains("cannot hold", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ActivateAndRollback_LeaveATrailOfWhatWasInForce()
    {
        PolicyFolder folder = new(_folder.File("policies"));
        Assert.Equal(0, (await RunAsync("activate", Write("one.yaml", 1, 0.5, 0.6))).ExitCode);
        Assert.Equal(1, (await RunAsync("activate", Write("same.yaml", 1, 0.6, 0.6))).ExitCode);
        Assert.Equal(1, (await RunAsync("activate", Write("bad.yaml", 2, 0.1, 0.1))).ExitCode);
        Assert.Equal(0, (await RunAsync("activate", Write("two.yaml", 2, 0.7, 0.6))).ExitCode);
        string second = folder.Current()!.Text;

        Assert.Equal(0, (await RunAsync("rollback")).ExitCode);

        Assert.Equal(3, folder.History().Count);
        Assert.Equal(folder.History()[0].Text, folder.Current()!.Text);
        Assert.Equal(second, folder.History()[1].Text);
        Assert.Contains("000003-rollback.yaml", (await RunAsync("show")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DryRun_LedgerWithoutTraffic_SaysWhatToDoInPlaceOfATableOfNothing()
    {
        await using SqliteLedgerStore store = SqliteLedgerStore.Open(_folder.File("ballast.db"));

        CommandRun run = await RunAsync("dry-run", Write("p.yaml", 1, 0.5, 0.6));

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Not tried on real requests. The ledger ", run.Output, StringComparison.Ordinal);
        Assert.Contains("Send a request through the gateway, or look further back with --since all.", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("│", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DryRun_WithALedger_ShowsSharesBeforeAndAfter()
    {
        await using (SqliteLedgerStore store = SqliteLedgerStore.Open(_folder.File("ballast.db")))
        {
            await store.AppendAsync(
                [.. Enumerable.Range(0, 400).Select(static index => SampleEntries.Completed($"r{index}") with { KeyId = "support", RequestedModel = "chat", Deployment = "azure/gpt-5", InputTokens = 20_000 })],
                TestContext.Current.CancellationToken);
        }

        CommandRun run = await RunAsync("dry-run", Write("p.yaml", 1, 0.5, 0.6), "--since", "all");

        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"az .*50\.0%.*100\.0%.*5\d\.\d%", run.Output);
    }

    [Fact]
    public async Task Exposure_HtmlAndJson_TellWhatWasMeasured()
    {
        await using (SqliteLedgerStore store = SqliteLedgerStore.Open(_folder.File("ballast.db")))
        {
            await store.AppendAsync(
                [.. Enumerable.Range(0, 60).Select(static index => SampleEntries.Completed($"r{index}") with { KeyId = "support", App = "<script>", RequestedModel = "chat", Deployment = index % 3 == 0 ? "bedrock/claude-4" : "azure/gpt-5", Vendor = index % 3 == 0 ? "anthropic" : "openai", Platform = index % 3 == 0 ? "aws" : "azure" })],
                TestContext.Current.CancellationToken);
        }

        await RunAsync("activate", Write("p.yaml", 1, 0.5, 0.6));
        CommandRun page = await CommandRun.OfAsync(ExposureCommand.Create(), "--config", _config, "--since", "all", "--html");
        CommandRun json = await CommandRun.OfAsync(ExposureCommand.Create(), "--config", _config, "--since", "all", "--json");

        Assert.Equal(0, page.ExitCode);
        Assert.Contains("No single vendor or platform stops any of the work", page.Output, StringComparison.Ordinal);
        Assert.Contains("≤ 50 %", page.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("http", page.Output, StringComparison.Ordinal);
        using JsonDocument document = JsonDocument.Parse(json.OnlyLine);
        JsonElement platform = document.RootElement.GetProperty("dimensions").EnumerateArray().Single(static one => one.GetProperty("dimension").GetString() == "platform");
        Assert.Equal(0.666667, platform.GetProperty("components")[0].GetProperty("token_share").GetDouble());
        Assert.Equal("chat", document.RootElement.GetProperty("cut_sets")[0].GetProperty("model").GetString());
    }

    private string Write(string name, int version, double azure, double aws)
    {
        string file = _folder.File(name);
        File.WriteAllText(file, string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $$"""
            apiVersion: ballast/v1
            kind: BalancePolicy
            metadata: { name: p, version: {{version}} }
            scopes: [{ id: org, rules: [{ id: az, cap: { platform: azure }, share: {{azure}} }, { id: aws, cap: { platform: aws }, share: {{aws}} }] }]
            """));
        return file;
    }

    private Task<CommandRun> RunAsync(params string[] arguments) => CommandRun.OfAsync(PolicyCommand.Create(), [.. arguments, "--config", _config]);
}
