using System.Text.Json;
using Ballast.Cli;
using Ballast.Protocols.Conversation;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Cli;

public sealed class UsageCommandTests
{
    [Fact]
    public async Task Usage_Json_IsOneLineWithEveryKey()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("a1"), SampleEntries.Failed("a2"), SampleEntries.Completed("a3", "aws") with { CostUsd = null });

        CommandRun run = await CommandRun.OfAsync(
            UsageCommand.Create(), "--ledger", ledger.Path, "--by", "platform,outcome", "--since", "all", "--json");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal("", run.Error);
        using JsonDocument document = JsonDocument.Parse(run.OnlyLine);
        JsonElement root = document.RootElement;
        Assert.Equal(["since", "until", "by", "rows", "total"], root.EnumerateObject().Select(property => property.Name));
        Assert.Equal(3, root.GetProperty("rows").GetArrayLength());
        Assert.Equal(
            [
                "platform", "outcome", "requests", "attempts", "completed", "failed", "interrupted", "cancelled",
                "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_long_tokens", "output_tokens", "reasoning_tokens",
                "media", "cost_usd", "unknown_cost", "estimated", "ttft_p50_ms", "ttft_p95_ms",
            ],
            root.GetProperty("rows")[0].EnumerateObject().Select(property => property.Name));
        JsonElement total = root.GetProperty("total");
        Assert.Equal(3, total.GetProperty("attempts").GetInt64());
        Assert.Equal(0.0005m, total.GetProperty("cost_usd").GetDecimal());
        Assert.Equal(1, total.GetProperty("unknown_cost").GetInt64());
        Assert.Equal(120, total.GetProperty("ttft_p95_ms").GetDouble());
        Assert.Equal(
            """{"input_audio_tokens":22,"cache_read_audio_tokens":24,"output_audio_tokens":26,"input_image_tokens":28,"cache_read_image_tokens":10,"output_image_tokens":32,"web_searches":4,"images":2}""",
            total.GetProperty("media").GetRawText());
    }

    [Fact]
    public async Task Usage_Table_ShowsGroupsTotalAndOnlyColumnsThatSaySomething()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("a1") with { CacheWriteLongTokens = 0, Media = new MediaUsage { WebSearches = 37 } }, SampleEntries.Failed("a2", "aws"));

        CommandRun run = await CommandRun.OfAsync(UsageCommand.Create(), "--ledger", ledger.Path, "--by", "platform", "--since", "all");

        Assert.Equal(0, run.ExitCode);
        foreach (string expected in (string[])["azure", "aws", "total", "failed", "$0.0005", "120 ms", "searches", "37"])
        {
            Assert.Contains(expected, run.Output, StringComparison.Ordinal);
        }

        foreach (string unexpected in (string[])["interrupted", "no price", "cache write 1h", "sound", "pictures"])
        {
            Assert.DoesNotContain(unexpected, run.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Usage_EmptyLedger_SaysSoInASentence()
    {
        await using TestLedger ledger = new();

        CommandRun run = await CommandRun.OfAsync(UsageCommand.Create(), "--ledger", ledger.Path, "--app", "support");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("has no attempts of application support", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("total", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Usage_EmptyLedgerJson_IsStillOneLine()
    {
        await using TestLedger ledger = new();

        CommandRun run = await CommandRun.OfAsync(UsageCommand.Create(), "--ledger", ledger.Path, "--json");

        using JsonDocument document = JsonDocument.Parse(run.OnlyLine);
        Assert.Equal(0, document.RootElement.GetProperty("rows").GetArrayLength());
        Assert.Equal(0, document.RootElement.GetProperty("total").GetProperty("attempts").GetInt64());
    }

    [Fact]
    public async Task Usage_Since_RestrictsToThePeriod()
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("a1") with { StartedAt = now.AddDays(-8) }, SampleEntries.Completed("a2") with { StartedAt = now.AddDays(-6) });

        CommandRun run = await CommandRun.OfAsync(UsageCommand.Create(), "--ledger", ledger.Path, "--since", "7d", "--by", "none", "--json");

        using JsonDocument document = JsonDocument.Parse(run.OnlyLine);
        Assert.Equal(1, document.RootElement.GetProperty("total").GetProperty("attempts").GetInt64());
    }

    [Fact]
    public async Task Usage_MissingLedger_FailsWithTheReason()
    {
        CommandRun run = await CommandRun.OfAsync(UsageCommand.Create(), "--ledger", "/nowhere/ledger.db");

        Assert.Equal(1, run.ExitCode);
        Assert.Equal("", run.Output);
        Assert.Contains("There is no ledger at /nowhere/ledger.db", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--by", "planet")]
    [InlineData("--by", "model,model")]
    [InlineData("--by", "model,vendor,platform,region,app")]
    [InlineData("--by", "")]
    [InlineData("--since", "lately")]
    [InlineData("--until", "soon")]
    [InlineData("--md", "--json")]
    public async Task Usage_WrongArgument_IsExitTwoWithNothingOnOutput(params string[] arguments)
    {
        CommandRun run = await CommandRun.OfAsync(UsageCommand.Create(), arguments);

        Assert.Equal(2, run.ExitCode);
        Assert.Equal("", run.Output);
        Assert.NotEqual("", run.Error);
    }

    [Fact]
    public async Task Usage_Markdown_IsATable()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(SampleEntries.Completed("a1"));

        CommandRun run = await CommandRun.OfAsync(UsageCommand.Create(), "--ledger", ledger.Path, "--since", "all", "--md");

        Assert.Contains("| model | requests |", run.Output, StringComparison.Ordinal);
        Assert.Contains("| assistant | 1 |", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Usage_Help_NamesDimensionsAndExamples()
    {
        CommandRun run = await CommandRun.OfAsync(UsageCommand.Create(), "--help");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("model, vendor, platform, region, app, day, deployment, outcome", run.Output, StringComparison.Ordinal);
        Assert.Contains("ballast usage --by vendor,platform --since 7d", run.Output, StringComparison.Ordinal);
    }
}
