using System.Text.Json;
using Ballast.Cli;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Cli;

public sealed class CompareCommandTests
{
    [Fact]
    public async Task Compare_Json_IsOneLineWithBothSides()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("a1"), SampleEntries.Completed("a2", "aws"), SampleEntries.Failed("a3", "aws", 429));

        CommandRun run = await CommandRun.OfAsync(CompareCommand.Create(), "azure", "aws", "--ledger", ledger.Path, "--since", "all", "--json");

        Assert.Equal(0, run.ExitCode);
        using JsonDocument document = JsonDocument.Parse(run.OnlyLine);
        JsonElement b = document.RootElement.GetProperty("b");
        Assert.Equal(("aws", "platform"), (b.GetProperty("name").GetString(), b.GetProperty("kind").GetString()));
        Assert.Equal(0.5, b.GetProperty("rate_limited_rate").GetDouble());
        Assert.Equal(0.5, b.GetProperty("request_share").GetDouble());
        Assert.Equal(100, b.GetProperty("output_tokens_per_second").GetDouble());
        Assert.Equal(JsonValueKind.Null, b.GetProperty("models").ValueKind);
        JsonElement declared = b.GetProperty("declared");
        foreach (string row in (string[])["enterprise_integration", "safety_approach", "ecosystem"])
        {
            Assert.NotEqual("", declared.GetProperty(row).GetProperty("source").GetString());
            Assert.NotEqual("", declared.GetProperty(row).GetProperty("date").GetString());
        }
    }

    [Fact]
    public async Task Compare_Markdown_HasEveryRowOnce()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("a1"), SampleEntries.Completed("a2", "anthropic", "anthropic"));

        CommandRun run = await CommandRun.OfAsync(
            CompareCommand.Create(), "openai", "anthropic", "--ledger", ledger.Path, "--since", "all", "--md");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("|  | openai (vendor) | anthropic (vendor) |", run.Output, StringComparison.Ordinal);
        foreach (string row in (string[])
            [
                "input, per 1M tokens as paid", "output, per 1M tokens as paid", "time to first token, p50", "time to first token, p95",
                "output tokens per second", "errors, of attempts", "rate limited (429), of attempts", "refusals, of answers", "share of requests",
                "share of cost", "enterprise integration (declared)", "safety approach (declared)", "ecosystem (declared)",
            ])
        {
            Assert.Equal(2, run.Output.Split($"| {row} |").Length);
        }
    }

    [Fact]
    public async Task Compare_UnknownName_IsExitTwo()
    {
        await using TestLedger ledger = new();

        CommandRun run = await CommandRun.OfAsync(CompareCommand.Create(), "azure", "nobody", "--ledger", ledger.Path);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("'nobody' is neither a vendor nor a platform", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_NoTraffic_SaysSoOnErrorAndShowsWhatIsDeclared()
    {
        await using TestLedger ledger = new();

        CommandRun run = await CommandRun.OfAsync(CompareCommand.Create(), "azure", "aws", "--ledger", ledger.Path, "--md");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Neither has traffic", run.Error, StringComparison.Ordinal);
        Assert.Contains("Guardrails", run.Output, StringComparison.Ordinal);
    }
}
