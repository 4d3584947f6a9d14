using System.CommandLine;
using System.Globalization;
using Ballast.Cli;

namespace Ballast.Tests.Cli;

public sealed class PeriodTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("90s", "2026-11-24T11:58:30Z")]
    [InlineData("30m", "2026-11-24T11:30:00Z")]
    [InlineData("24h", "2026-11-23T12:00:00Z")]
    [InlineData("7d", "2026-11-17T12:00:00Z")]
    [InlineData("2w", "2026-11-10T12:00:00Z")]
    [InlineData("0d", "2026-11-24T12:00:00Z")]
    [InlineData("2026-11-01", "2026-11-01T00:00:00Z")]
    [InlineData("2026-11-01T08:00", "2026-11-01T08:00:00Z")]
    [InlineData("2026-11-01T08:00Z", "2026-11-01T08:00:00Z")]
    [InlineData("2026-11-01T08:00:05+02:00", "2026-11-01T06:00:05Z")]
    public void TryParse_EachForm_IsUnderstood(string text, string expected)
    {
        Assert.True(Period.TryParse(text, s_now, out DateTimeOffset? moment));
        Assert.Equal(DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture), moment);
    }

    [Theory]
    [InlineData("99999999999d", "--since 99999999999d reaches back before 1970. Write --since all")]
    [InlineData("-7d", "--since -7d is not a time. Write 90s, 30m")]
    public void Read_NoTime_SaysWhatToWrite(string text, string told) =>
        Assert.StartsWith(told, Assert.Throws<UsageException>(() => Period.Read("--since", text, s_now)).Message, StringComparison.Ordinal);

    /// <summary>Every command that takes a stretch of time refuses one that holds nothing, before it looks for a ledger.</summary>
    [Theory]
    [InlineData("exposure", "--window", "0s")]
    [InlineData("exposure", "--since", "0d")]
    [InlineData("exposure", "--window", "2100-01-01")]
    [InlineData("exposure", "--at", "2026-11-01", "--window", "2026-11-02")]
    [InlineData("shifts", "--since", "0s")]
    [InlineData("usage", "--since", "0m")]
    [InlineData("usage", "--since", "2026-11-02", "--until", "2026-11-01")]
    [InlineData("usage", "--since", "1d", "--until", "2d")]
    [InlineData("compare", "openai", "anthropic", "--since", "0w")]
    [InlineData("export", "--from", "0s")]
    [InlineData("policy", "dry-run", "no.yaml", "--since", "0s")]
    public async Task Command_EmptyTime_IsRefusedWithAnExample(params string[] line)
    {
        Command command = line[0] switch
        {
            "exposure" => ExposureCommand.Create(), "shifts" => ShiftsCommand.Create(), "usage" => UsageCommand.Create(), "compare" => CompareCommand.Create(),
            "export" => ExportCommand.Create(), _ => PolicyCommand.Create(),
        };
        CommandRun run = await CommandRun.OfAsync(command, line[1..]);
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("Nothing lies between ", run.Error, StringComparison.Ordinal);
        Assert.Contains(", such as --", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void TryParse_All_IsNoBound()
    {
        Assert.True(Period.TryParse("all", s_now, out DateTimeOffset? moment));
        Assert.Null(moment);
    }

    [Theory]
    [InlineData("")]
    [InlineData("d")]
    [InlineData("7")]
    [InlineData("-7d")]
    [InlineData("7 d")]
    [InlineData("7y")]
    [InlineData("2026-13-01")]
    [InlineData("01/11/2026")]
    [InlineData("yesterday")]
    [InlineData("99999999999d")]
    [InlineData("9999999999999999999w")]
    public void TryParse_AnythingElse_IsRefused(string text) => Assert.False(Period.TryParse(text, s_now, out _));
}
