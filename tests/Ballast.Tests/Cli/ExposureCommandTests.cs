using System.Text.Json;
using Ballast.Balance;
using Ballast.Catalog;
using Ballast.Cli;
using Ballast.Ledger;
using Ballast.Tests.Balance;

namespace Ballast.Tests.Cli;

public sealed class ExposureCommandTests
{
    private static readonly ShareRow[] s_shares =
    [
        new("support", "azure/gpt", "openai", "azure", "sweden", 3, 3, 300, 3m),
        new("support", "anthropic/claude", "anthropic", "anthropic", "global", 1, 1, 100, 1m),
    ];

    [Fact]
    public void Exposure_Json_IsOneLineWithSharesAndStops()
    {
        string line = Write(SampleCatalog.Create(), s_shares, ReportForm.Json);

        Assert.Equal(1, line.Split(Environment.NewLine).Length - 1);
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement root = document.RootElement;
        Assert.Equal(
            ["since", "until", "requests", "tokens", "cost_usd", "named_models", "vendor", "platform", "region", "provider", "unanswerable"],
            root.EnumerateObject().Select(property => property.Name));
        JsonElement openai = root.GetProperty("vendor")[0];
        Assert.Equal("openai", openai.GetProperty("name").GetString());
        Assert.Equal(0.75, openai.GetProperty("request_share").GetDouble());
        Assert.Equal("gpt", openai.GetProperty("stops")[0].GetProperty("model").GetString());
        Assert.True(openai.GetProperty("stops")[0].GetProperty("for_all").GetBoolean());
        Assert.Equal(2, openai.GetProperty("thins")[0].GetProperty("left").GetInt32());
    }

    [Fact]
    public void Exposure_Markdown_HasATableForEachKindAndNamesWhatStops()
    {
        string text = Write(SampleCatalog.Create(), s_shares, ReportForm.Markdown);

        Assert.Contains("| openai | 3 | 75.0% | 75.0% | $3.00 | 75.0% | gpt | assistant (2 of 4 left) |", text, StringComparison.Ordinal);
        Assert.Contains("| azure | 3 | 75.0% | 75.0% | $3.00 | 75.0% | nothing | assistant (3 of 4 left), gpt (1 of 2 left) |", text, StringComparison.Ordinal);
        Assert.Equal(5, text.Split("### By ").Length);
    }

    [Fact]
    public void Exposure_ModelUnlawfulForAnApp_IsSaidInASentence()
    {
        CatalogSnapshot catalog = SampleCatalog.Create(SampleCatalog.Key("bank", SampleCatalog.EuropeOnly), SampleCatalog.Key("news"));

        string text = Write(catalog, s_shares, ReportForm.Terminal);

        Assert.Contains("claude cannot lawfully be answered for bank, even with everything up.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Exposure_NoTraffic_SaysSoAndStillShowsWhatStops()
    {
        string text = Write(SampleCatalog.Create(), [], ReportForm.Terminal);

        Assert.Contains("has no attempts", text, StringComparison.Ordinal);
        Assert.Contains("claude", text, StringComparison.Ordinal);
    }

    /// <summary>Failed attempts are attempts: who has only those is not told that there was nothing.</summary>
    [Fact]
    public void Exposure_OnlyFailedAttempts_SaysThatNoneWasAnswered()
    {
        string text = Write(SampleCatalog.Create(), [s_shares[0] with { Requests = 0, Attempts = 7 }], ReportForm.Terminal);

        Assert.Contains("None of the 7 attempts", text, StringComparison.Ordinal);
        Assert.DoesNotContain("has no attempts", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exposure_NoConfiguration_IsExitTwoWithTheWayOut()
    {
        CommandRun run = await CommandRun.OfAsync(ExposureCommand.Create(), "--config", "/nowhere/ballast.yaml");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("/nowhere/ballast.yaml does not exist", run.Error, StringComparison.Ordinal);
    }

    private static string Write(CatalogSnapshot catalog, ShareRow[] shares, ReportForm form)
    {
        using StringWriter output = new();
        ReportRequest request = new()
        {
            LedgerPath = "ledger.db",
            ConfigPath = null,
            Filter = LedgerFilter.Everything,
            Form = form,
            Output = output,
            Error = TextWriter.Null,
        };
        ExposureCommand.Write(ExposureReport.Build(catalog, shares), request, "ledger.db", measured: null, shares.Sum(static row => row.Attempts));
        return output.ToString();
    }
}
