using System.Text.Json;
using Ballast.Balance.Shifts;
using Ballast.Cli;
using Ballast.Ledger;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Cli;

/// <summary>The command over a real ledger file.</summary>
public sealed class ShiftsCommandTests
{
    private static readonly DateTimeOffset s_until = new(2026, 11, 20, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Shifts_SlowerVendor_IsOneLineOfJsonAndAnEventOfTheLedger()
    {
        await using TestLedger ledger = await TestLedger.WithAsync([.. Week(slowerBy: 1.4)]);

        CommandRun run = await RunAsync(ledger, "--json");
        await RunAsync(ledger, "--json");

        using JsonDocument document = JsonDocument.Parse(run.OnlyLine);
        JsonElement shift = document.RootElement.GetProperty("shifts").EnumerateArray().Single(static one => one.GetProperty("subject").GetString() == "vendor:openai" && one.GetProperty("metric").GetString() == "ttft");
        Assert.Equal(0.4, shift.GetProperty("change").GetDouble(), tolerance: 0.05);
        Assert.Equal("support", shift.GetProperty("apps")[0].GetString());
        Assert.Equal(document.RootElement.GetProperty("comparisons").GetInt32() * ShiftAnalysis.ProbabilityMax, document.RootElement.GetProperty("false_alarms_expected").GetDouble(), tolerance: 1e-9);
        IReadOnlyList<LedgerEvent> events = await ledger.Reader.EventsAsync(LedgerEvent.Shift, LedgerFilter.Everything, 1_000, TestContext.Current.CancellationToken);
        Assert.Equal(document.RootElement.GetProperty("shifts").GetArrayLength(), events.Count);
        Assert.Contains(ShiftEvents.Read(events), static one => one is { Subject: "vendor:openai", Kind: "ttft" });
    }

    [Fact]
    public async Task Shifts_DryRunOrOneApplication_KeepsNothing()
    {
        await using TestLedger ledger = await TestLedger.WithAsync([.. Week(slowerBy: 1.4)]);

        Assert.Contains("vendor:openai", (await RunAsync(ledger, "--dry-run")).Output, StringComparison.Ordinal);
        Assert.Contains("Nothing was kept", (await RunAsync(ledger, "--app", "support")).Error, StringComparison.Ordinal);
        Assert.Empty(await ledger.Reader.EventsAsync(LedgerEvent.Shift, LedgerFilter.Everything, 1_000, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Shifts_NothingChanged_SaysHowMuchWasComparedAndWhatChanceWouldShow()
    {
        await using TestLedger ledger = await TestLedger.WithAsync([.. Week(slowerBy: 1)]);

        Assert.Contains("Nothing has shifted: 14 figures compared over stretches of an hour, 0.014 false alarms", (await RunAsync(ledger)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shifts_EmptyLedger_SaysSo()
    {
        await using TestLedger ledger = new();

        CommandRun run = await RunAsync(ledger);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("there are no attempts", run.Output, StringComparison.Ordinal);
        Assert.Equal(0, JsonDocument.Parse((await RunAsync(ledger, "--json")).OnlyLine).RootElement.GetProperty("comparisons").GetInt32());
    }

    [Fact]
    public async Task Shifts_NoWindow_IsExitTwo()
    {
        await using TestLedger ledger = new();

        Assert.Equal(2, (await CommandRun.OfAsync(ShiftsCommand.Create(), "--ledger", ledger.Path, "--since", "all")).ExitCode);
    }

    private static Task<CommandRun> RunAsync(TestLedger ledger, params string[] more) =>
        CommandRun.OfAsync(ShiftsCommand.Create(), ["--ledger", ledger.Path, "--since", "2026-11-17", "--until", "2026-11-20", .. more]);

    private static IEnumerable<LedgerEntry> Week(double slowerBy)
    {
        Random random = new(2);
        for (int hour = 0; hour < 6 * 24; hour++)
        {
            double factor = hour >= 3 * 24 ? slowerBy : 1;
            for (int request = 0; request < 8; request++)
            {
                yield return SampleEntries.Completed($"{hour}-{request}") with
                {
                    StartedAt = s_until.AddDays(-6).AddHours(hour).AddMinutes(request * 7),
                    TimeToFirstToken = TimeSpan.FromMilliseconds(300 * factor * (0.8 + (0.4 * random.NextDouble()))),
                    Duration = TimeSpan.FromSeconds(3),
                };
            }
        }
    }
}
