using System.Text.Json;
using Ballast.Cli;
using Ballast.Tests.Ledger;
using Ballast.Tests.Tidy;

namespace Ballast.Tests.Cli;

public sealed class ReportSourceTests
{
    private const string Yaml =
        """
        ledger: { path: LEDGER }
        providers:
          anthropic:
            kind: anthropic
            platform: anthropic
            region: global
            api_key: ${BALLAST_TEST_KEY_THAT_IS_NOT_SET}
            data: { geo: us, retention_days: 30, training: false }
            deployments:
              claude: { vendor: anthropic }
          foundry:
            kind: anthropic
            platform: azure
            region: sweden
            base_url: https://example.services.ai.azure.com/anthropic
            api_key: ${BALLAST_TEST_KEY_THAT_IS_NOT_SET}
            data: { geo: eu, retention_days: 0, training: false }
            deployments:
              claude: { vendor: anthropic }
        models:
          assistant: { deployments: [foundry/claude, anthropic/claude] }
        keys:
          bank: { key_env: BALLAST_TEST_BANK_KEY_THAT_IS_NOT_SET, app: bank, allow: { geo: [eu] } }
          news: { key_env: BALLAST_TEST_NEWS_KEY_THAT_IS_NOT_SET, app: news }
        """;

    [Fact]
    public async Task Exposure_ConfigurationFile_NamesTheAppThatStops()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(SampleEntries.Completed("a1", "azure", "anthropic"));
        using TemporaryFolder folder = new();

        CommandRun run = await CommandRun.OfAsync(ExposureCommand.Create(), "--config", Write(folder, ledger.Path), "--since", "all", "--json");

        Assert.Equal(0, run.ExitCode);
        using JsonDocument document = JsonDocument.Parse(run.OnlyLine);
        Assert.Equal(1, document.RootElement.GetProperty("requests").GetInt64());
        JsonElement azure = document.RootElement.GetProperty("platform").EnumerateArray()
            .Single(platform => platform.GetProperty("name").GetString() == "azure");
        Assert.Equal(["bank"], azure.GetProperty("stops")[0].GetProperty("apps").EnumerateArray().Select(app => app.GetString()));
    }

    [Fact]
    public async Task Exposure_CredentialsNotSetHere_ReportsAllTheSameAndSaysSo()
    {
        await using TestLedger ledger = new();
        using TemporaryFolder folder = new();

        CommandRun run = await CommandRun.OfAsync(ExposureCommand.Create(), "--config", Write(folder, ledger.Path));

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(2, run.Error.Split("environment variables that are not set here").Length); // once
        Assert.Contains("assistant (for bank)", run.Output, StringComparison.Ordinal);
    }

    /// <summary>What a report is told in place of a credential is no number: it asks for those variables, and not for the credentials.</summary>
    [Fact]
    public async Task Exposure_NumbersNotSetHere_AsksForThemAlone()
    {
        await using TestLedger ledger = new();
        using TemporaryFolder folder = new();
        string path = folder.File("ballast.yaml");
        string numbers = Yaml.Replace("LEDGER", ledger.Path, StringComparison.Ordinal).Replace("retention_days: 30", "retention_days: \"${BALLAST_TEST_DAYS_NOT_SET}\"", StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, numbers + "\nlimits:\n  connect_timeout: ${BALLAST_TEST_WAIT_NOT_SET}\n", TestContext.Current.CancellationToken);

        CommandRun run = await CommandRun.OfAsync(ExposureCommand.Create(), "--config", path);

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        string[] lines = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Contains("environment variable BALLAST_TEST_DAYS_NOT_SET is not set (hint: set it", lines[0], StringComparison.Ordinal);
        Assert.Contains("environment variable BALLAST_TEST_WAIT_NOT_SET is not set (hint: set it", lines[1], StringComparison.Ordinal);
    }

    /// <summary>The sample names credentials and an address by variables; nobody who makes a report has them all.</summary>
    [Fact]
    public async Task Exposure_SampleConfigurationWithNothingSet_IsReportedAllTheSame()
    {
        await using TestLedger ledger = new();
        string path = Path.Combine(Repository.Root, "ballast.sample.yaml");

        CommandRun run = await CommandRun.OfAsync(ExposureCommand.Create(), "--config", path, "--ledger", ledger.Path, "--md");

        Assert.Equal((0, ""), (run.ExitCode, run.ExitCode == 0 ? "" : run.Error));
        Assert.Contains("| azure | 0 | - | - | $0 | - | gpt-5-mini | assistant (2 of 3 left) |", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Usage_ConfigurationFile_FindsTheLedger()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(SampleEntries.Completed("a1"));
        using TemporaryFolder folder = new();

        CommandRun run = await CommandRun.OfAsync(UsageCommand.Create(), "--config", Write(folder, ledger.Path), "--since", "all", "--md");

        Assert.Contains("| assistant | 1 |", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_ConfigurationFile_TellsWhereElseTheModelIs()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(SampleEntries.Completed("a1", "azure", "anthropic"));
        using TemporaryFolder folder = new();

        CommandRun run = await CommandRun.OfAsync(
            CompareCommand.Create(), "azure", "platform:anthropic", "--config", Write(folder, ledger.Path), "--since", "all", "--md");

        Assert.Contains("| where its models can be had | claude: anthropic | claude: azure |", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exposure_FaultyConfiguration_IsExitTwoWithThePlace()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("ballast.yaml");
        await File.WriteAllTextAsync(path, "providers:\n  x: { kind: nonsense }\n", TestContext.Current.CancellationToken);

        CommandRun run = await CommandRun.OfAsync(ExposureCommand.Create(), "--config", path);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("ballast.yaml:2:", run.Error, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
    }

    private static string Write(TemporaryFolder folder, string ledgerPath)
    {
        string path = folder.File("ballast.yaml");
        File.WriteAllText(path, Yaml.Replace("LEDGER", $"'{ledgerPath}'", StringComparison.Ordinal));
        return path;
    }
}
