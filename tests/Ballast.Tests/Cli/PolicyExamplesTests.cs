using System.Text.RegularExpressions;
using Ballast.Catalog;
using Ballast.Cli;
using Ballast.Configuration;
using Ballast.Configuration.Policies;
using Ballast.Routing.Shares;
using Ballast.Tests.Configuration;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Cli;

/// <summary>The examples of <c>docs/policy.md</c>, as somebody tries them who has just read them: file by file, with the configuration of the page and no traffic yet.</summary>
public sealed partial class PolicyExamplesTests : IDisposable
{
    private static readonly string s_page = File.ReadAllText(RepositoryFile.Find("docs/policy.md"));
    private static readonly string[] s_blocks = [.. Block().Matches(s_page).Select(static match => match.Groups[1].Value)];
    private static readonly string s_configuration = s_blocks.Single(static block => block.StartsWith("providers:", StringComparison.Ordinal));

    private readonly TemporaryFolder _folder = new();

    public PolicyExamplesTests() => File.WriteAllText(_folder.File("ballast.yaml"), s_configuration);

    public static TheoryData<string> Examples => [.. s_blocks.Where(static block => block.Contains("kind: BalancePolicy", StringComparison.Ordinal)).Select(static block => Name().Match(block).Groups[1].Value)];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Page_Examples_AreSix() => Assert.Equal(["one", "two", "three", "four", "five", "six"], Examples.Select(static row => row.Data));

    [Theory]
    [MemberData(nameof(Examples))]
    public async Task Example_CheckedTriedAndActivated_DoesWhatThePageSays(string name)
    {
        string file = _folder.File($"{name}.yaml");
        string text = s_blocks.Single(block => block.Contains($"name: {name},", StringComparison.Ordinal));
        await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
        bool canHold = name != "six";

        CommandRun check = await RunAsync("check", file);
        Assert.True(check.ExitCode == (canHold ? 0 : 1), check.Output + check.Error);
        Assert.Contains($"{name} version 1 {(canHold ? "can hold" : "cannot hold")}.", check.Output, StringComparison.Ordinal);
        CommandRun dryRun = await RunAsync("dry-run", file);
        Assert.Equal(check.ExitCode, dryRun.ExitCode);
        Assert.Contains("Not tried on real requests: There is no ledger at", dryRun.Output, StringComparison.Ordinal);

        CommandRun activate = await RunAsync("activate", file);
        Assert.True(activate.ExitCode == (canHold ? 0 : 1), activate.Output + activate.Error);
        PolicyActivation? active = new PolicyFolder(_folder.File("policies")).Current();
        Assert.Equal(canHold ? text : null, active?.Text);
        if (active is not null)
        {
            // What the gateway makes of the file when it starts.
            PolicyOptions options = PolicyLoader.Load(active.Text, ComponentKindName.All).Options!;
            CatalogSnapshot catalog = CatalogBuilder.Build(OptionsLoader.Load(s_configuration, "ballast.yaml", static variable => "a-secret-value-of-" + variable).Options!, revision: 1);
            Assert.Equal(active.Digest, SharePolicy.Compile(options, active.Digest, catalog, ComponentMap.Plain).Digest);
        }
    }

    private async Task<CommandRun> RunAsync(string command, string file) =>
        await CommandRun.OfAsync(PolicyCommand.Create(), [command, file, "--config", _folder.File("ballast.yaml"), "--ledger", _folder.File("none.db")]);

    [GeneratedRegex(@"```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("name: ([a-z]+),")]
    private static partial Regex Name();
}
