using System.Globalization;
using Ballast.Ledger;
using Ballast.Server;
using Ballast.Tests.Configuration;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Server;

public sealed class MetricsTextTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Of_Traffic_IsValidAndCounts()
    {
        await _server.Server.Ledger.SettleAsync(SampleEntries.Completed("a1") with { TimeToFirstToken = TimeSpan.FromMilliseconds(80) });
        await _server.Server.Ledger.SettleAsync(SampleEntries.Failed("a2") with { ExchangeId = "x2" });
        await _server.Server.Ledger.SettleAsync(SampleEntries.Completed("a3", "aws") with { ExchangeId = "x2", AttemptNumber = 2, TimeToFirstToken = TimeSpan.FromSeconds(500) });

        PrometheusText page = PrometheusText.Parse(MetricsText.Of(_server.Server));

        Assert.Equal((2, 1), (page["ballast_requests_total"], page["ballast_failovers_total"]));
        Assert.Equal(1, page["ballast_attempts_total", ("outcome", "failed")]);
        Assert.Equal((2, 1), (page["ballast_deployment_attempts_total", ("deployment", "azure/gpt-sample")], page["ballast_deployment_failures_total", ("deployment", "azure/gpt-sample")]));
        Assert.Equal(0.001, page["ballast_cost_usd_total"], precision: 9);
        Assert.Equal(0, page["ballast_time_to_first_token_seconds_bucket", ("le", "0.05")]);
        Assert.Equal(1, page["ballast_time_to_first_token_seconds_bucket", ("le", "0.1")]);
        Assert.Equal((1, 2), (page["ballast_time_to_first_token_seconds_bucket", ("le", "120")], page["ballast_time_to_first_token_seconds_count"]));
        Assert.Equal(500.08, page["ballast_time_to_first_token_seconds_sum"], precision: 6);
    }

    [Fact]
    public async Task Of_NameWithQuotesAndLines_IsEscaped()
    {
        const string name = "a\"b\\c\nd{e}=\u00e4";
        await _server.Server.Ledger.SettleAsync(SampleEntries.Completed("a1", name));

        Assert.Equal(1, PrometheusText.Parse(MetricsText.Of(_server.Server))["ballast_platform_answered_total", ("platform", name)]);
    }

    /// <summary>Where a provider takes any model, callers choose the deployment's name: the number of label values stays bounded.</summary>
    [Fact]
    public async Task Of_NamesWithoutEnd_AreSummedBeyondTheLimit()
    {
        for (int index = 0; index < 2 * LiveTotals.DeploymentsMax; index++)
        {
            await _server.Server.Ledger.SettleAsync(SampleEntries.Completed("a" + index.ToString(CultureInfo.InvariantCulture), "p" + index.ToString(CultureInfo.InvariantCulture)));
        }

        PrometheusText page = PrometheusText.Parse(MetricsText.Of(_server.Server));

        Assert.Equal(LiveTotals.DeploymentsMax, page.Samples.Count(sample => sample.Name == "ballast_deployment_attempts_total"));
        Assert.Equal(2 * LiveTotals.DeploymentsMax, page.Samples.Where(sample => sample.Name == "ballast_deployment_attempts_total").Sum(sample => sample.Value));
    }

    [Fact]
    public async Task Of_MoreTraffic_NeverLowersACounter()
    {
        PrometheusText last = PrometheusText.Parse(MetricsText.Of(_server.Server));
        for (int round = 0; round < 5; round++)
        {
            await _server.AskAsync(round % 2 == 0 ? "chat" : "llama");
            await _server.Server.Ledger.SettleAsync(SampleEntries.Completed("a" + round.ToString(CultureInfo.InvariantCulture)));
            PrometheusText page = PrometheusText.Parse(MetricsText.Of(_server.Server));
            Assert.All(
                last.Samples.Where(sample => last.Types.GetValueOrDefault(sample.Name) == "counter"),
                sample => Assert.True(page[sample.Name, [.. sample.Labels.Select(label => (label.Key, label.Value))]] >= sample.Value, sample.Name));
            last = page;
        }
    }

    [Fact]
    public void Of_EveryMetric_StandsOnTheAdministrationPage()
    {
        string page = File.ReadAllText(RepositoryFile.Find("docs/administration.md"));

        Assert.All(PrometheusText.Parse(MetricsText.Of(_server.Server)).Types.Keys, name => Assert.Contains($"`{name}`", page, StringComparison.Ordinal));
    }
}
