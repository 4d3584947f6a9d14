using Ballast.Catalog;
using Ballast.Configuration;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Configurations good and bad are read while requests run.</summary>
[Collection("Faults")]
public sealed class ReloadTests
{
    private const int ValidReloads = 200;
    private const int MutatedReloads = 300;

    [Fact]
    public async Task Reload_ValidAndMutatedUnderLoad_DropsNoRequestAndAppliesNothingInvalid()
    {
        await using FaultGateway gateway = await FaultGateway.StartAsync(new FaultSetup { Models = [("m", ["openai/m=gpt-5-mini", "azure/m=gpt-5-mini"])] });
        CatalogHolder catalog = gateway.Server.Catalog;
        string[] variants = [gateway.Yaml, gateway.Yaml + "  attempts_max: 2\n", gateway.Yaml + "  idle_timeout: 30s\n  breaker_failures: 9\n"];
        Dictionary<string, string> keys = gateway.Sandbox.Platforms.Values.ToDictionary(platform => "KEY_" + platform.Name.ToUpperInvariant(), platform => platform.ApiKey);
        using CancellationTokenSource end = new();
        Task<int>[] load = [.. Enumerable.Range(0, 6).Select(client => LoadAsync(gateway, client, end.Token))];
        Random random = new(20261124);
        int refused = 0;

        for (int reload = 0; reload < ValidReloads + MutatedReloads; reload++)
        {
            CatalogSnapshot before = catalog.Current;
            bool isMutated = reload % 5 is 1 or 2 or 4;
            string yaml = variants[reload % variants.Length];
            yaml = isMutated ? Mutate(yaml, random) : yaml;
            bool isApplied = catalog.TryReload(yaml, "faults.yaml", keys.GetValueOrDefault, out IReadOnlyList<ConfigurationFault> faults);
            Assert.True(isApplied || isMutated, string.Join('\n', faults.Where(fault => !fault.IsWarning)));
            Assert.Equal(isApplied, !faults.Any(fault => !fault.IsWarning));
            Assert.Equal(isApplied ? before.Revision + 1 : before.Revision, catalog.Current.Revision);
            Assert.True(isApplied || ReferenceEquals(before, catalog.Current));
            refused += isApplied ? 0 : 1;
            if (isMutated && isApplied)
            {
                // A mutation that is still a configuration: the requests must not depend on what it says.
                Assert.True(catalog.TryReload(gateway.Yaml, "faults.yaml", keys.GetValueOrDefault, out _));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        await end.CancelAsync();
        int answered = (await Task.WhenAll(load)).Sum();
        Assert.True(refused > MutatedReloads * 2 / 3, $"only {refused} of the mutations were faults");
        Assert.True(answered > 50, $"only {answered} requests ran beside the reloads");
        await gateway.ReconcileAsync();
    }

    private static async Task<int> LoadAsync(FaultGateway gateway, int client, CancellationToken end)
    {
        int answered = 0;
        while (!end.IsCancellationRequested)
        {
            ClientAnswer answer = await gateway.AskAsync(Caller.All[client % 2], "m", stream: answered % 2 == 0);
            Assert.True(answer is { Status: 200, IsComplete: true }, answer.ToString());
            answered++;
        }

        return answered;
    }

    /// <summary>Breaks a configuration in one of the ways in which files break: cut, garbled, doubled, renamed, of the wrong type, huge, null.</summary>
    private static string Mutate(string yaml, Random random)
    {
        string[] lines = yaml.Split('\n');
        int line = random.Next(lines.Length - 1);
        switch (random.Next(9))
        {
            case 0:
                return yaml[..random.Next(yaml.Length * 2 / 3)] + "\n  : [";
            case 1:
                lines[line] = lines[line].Replace(':', ';');
                break;
            case 2:
                return yaml + yaml;
            case 3:
                lines[line] = lines[line].Replace("e", "é");
                break;
            case 4:
                return yaml.Replace("deployments: [", "deployments: [nobody/nothing, ");
            case 5:
                return yaml.Replace("geo: eu", "geo: [1, 2]");
            case 6:
                return yaml + "  no_such_limit: " + new string('9', 5000) + "\n";
            case 7:
                return yaml.Replace("kind: openai", "kind: null");
            default:
                return yaml.Replace("retention_days: 0", "retention_days: -1") + "\0";
        }

        return string.Join('\n', lines);
    }
}
