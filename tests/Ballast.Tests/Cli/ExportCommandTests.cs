using System.Text.Json;
using Ballast.Cli;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Cli;

public sealed class ExportCommandTests
{
    [Fact]
    public async Task Export_ToStandardOutput_WritesTheRowsOfThePeriodAlone()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(SampleEntries.Completed("a1"), SampleEntries.Completed("late") with { StartedAt = SampleEntries.Start.AddDays(30) });

        CommandRun run = await CommandRun.OfAsync(ExportCommand.Create(), "--ledger", ledger.Path, "--from", "2026-11-01", "--to", "2026-12-01");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(2, run.Output.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("a1,x-a1,1,", run.Output, StringComparison.Ordinal);
        Assert.Contains("1 attempt from", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_ToAFile_TellsWhatItWrote()
    {
        using TemporaryFolder folder = new();
        await using TestLedger ledger = await TestLedger.WithAsync(SampleEntries.Completed("a1"), SampleEntries.Completed("a2") with { CostUsd = null });
        string file = folder.File("focus.csv");

        CommandRun run = await CommandRun.OfAsync(ExportCommand.Create(), "--ledger", ledger.Path, "--from", "all", "--format", "focus", "--out", file, "--json");

        using JsonDocument told = JsonDocument.Parse(run.OnlyLine);
        Assert.Equal((0, 2, 1), (run.ExitCode, told.RootElement.GetProperty("rows").GetInt32(), told.RootElement.GetProperty("left_out").GetInt32()));
        Assert.StartsWith("BilledCost,", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Theory]
    [InlineData("--from is not a time", "--from", "yesterday")]
    [InlineData("--json needs --out", "--from", "all", "--json")]
    [InlineData("Could", "--from", "all", "--out", "/no/such/folder/file.csv")]
    public async Task Export_WrongArguments_EndWithTwo(string words, params string[] arguments)
    {
        await using TestLedger ledger = new();

        CommandRun run = await CommandRun.OfAsync(ExportCommand.Create(), ["--ledger", ledger.Path, .. arguments]);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(words.Split(' ')[0], run.Error, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
    }

    [Fact]
    public async Task Usage_Commitments_AreToldFromTheConfiguration()
    {
        using TemporaryFolder folder = new();
        await using TestLedger ledger = await TestLedger.WithAsync(SampleEntries.Completed("a1") with { CostUsd = 36.5m });
        string file = folder.File("ballast.yaml");
        await File.WriteAllTextAsync(
            file,
            """
            providers:
              azure: { kind: openai-compatible, platform: azure, region: eu, vendor: openai, base_url: "https://example.com/v1", api_key: "${KEY}", data: { geo: eu, retention_days: 0, training: false }, deployments: { m: {} } }
            keys: { k: { key: "${CLIENT}", app: a } }
            commitments:
              azure-2026: { platform: azure, amount: 3650, from: 2026-01-01, to: 2026-12-31 }
            """,
            TestContext.Current.CancellationToken);

        CommandRun run = await CommandRun.OfAsync(UsageCommand.Create(), "--ledger", ledger.Path, "--config", file, "--commitments", "--json");
        CommandRun table = await CommandRun.OfAsync(UsageCommand.Create(), "--ledger", ledger.Path, "--config", file, "--commitments");

        Assert.Equal(0, run.ExitCode);
        JsonElement one = JsonDocument.Parse(run.OnlyLine).RootElement.GetProperty("commitments")[0];
        Assert.Equal(("azure-2026", 36.5m, 3613.5m), (one.GetProperty("id").GetString(), one.GetProperty("used").GetDecimal(), one.GetProperty("remaining").GetDecimal()));
        Assert.Contains("3,650.00 USD", table.Output, StringComparison.Ordinal);
        Assert.Contains("36.50 USD", table.Output, StringComparison.Ordinal);
    }
}
