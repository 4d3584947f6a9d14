using System.Text.Json;
using Ballast.Cli;
using Ballast.Tests.Ledger;
using Ballast.Tests.Server;

namespace Ballast.Tests.Cli;

/// <summary>The view of a running gateway, asked over its real administration port.</summary>
public sealed class TopCommandTests
{
    [Fact]
    public async Task Once_RunningGateway_ShowsItsPlatformsAndSpend()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.Server.Ledger.SettleAsync(SampleEntries.Completed("a1") with { CostUsd = 12.5m, Deployment = "azure/gpt" });

        CommandRun run = await CommandRun.OfAsync(TopCommand.Create(), "--admin", server.Server.AdminAddress.ToString(), "--once");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("ready", run.Output, StringComparison.Ordinal);
        Assert.Contains("azure", run.Output, StringComparison.Ordinal);
        Assert.Contains("$12.50", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', run.Output);
    }

    [Fact]
    public async Task Json_RunningGateway_IsOneLineOfWhatItSays()
    {
        await using TestServer server = await TestServer.StartAsync();

        CommandRun run = await CommandRun.OfAsync(TopCommand.Create(), "--admin", server.Server.AdminAddress.ToString(), "--json");

        Assert.Equal(0, run.ExitCode);
        Assert.True(JsonDocument.Parse(run.OnlyLine).RootElement.GetProperty("ready").GetBoolean());
    }

    [Theory]
    [InlineData("http://127.0.0.1:9", 1)]
    [InlineData("nowhere", 2)]
    public async Task Gateway_IsNotThere_IsSaidOnStandardError(string address, int code)
    {
        CommandRun run = await CommandRun.OfAsync(TopCommand.Create(), "--admin", address, "--once");

        Assert.Equal((code, ""), (run.ExitCode, run.Output));
        Assert.Contains("--admin", run.Error, StringComparison.Ordinal);
    }
}
