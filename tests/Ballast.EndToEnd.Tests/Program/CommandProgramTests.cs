using System.Text.Json;
using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Program;

/// <summary>What scripts rely on: exit codes, one line of JSON, and nothing else on standard output.</summary>
public sealed class CommandProgramTests(TemporaryFolder folder) : IClassFixture<TemporaryFolder>
{
    private const string Good = """
        providers:
          own:
            kind: openai-compatible
            platform: own
            region: rack
            base_url: http://127.0.0.1:9
            allow_private_addresses: true
            data: { geo: eu, retention_days: 0, training: false }
            deployments:
              m: { vendor: meta }
        """;

    [Fact]
    public async Task Check_GoodAndFaultyFiles_EndWithZeroAndOneAndNameThePlace()
    {
        await File.WriteAllTextAsync(folder.File("good.yaml"), Good, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder.File("faulty.yaml"), Good.Replace("region:", "regoin:", StringComparison.Ordinal), TestContext.Current.CancellationToken);

        ProgramResult good = await BallastProcess.RunAsync(folder.Path, ["check", "good.yaml", "--json"]);
        ProgramResult faulty = await BallastProcess.RunAsync(folder.Path, ["check", "faulty.yaml"]);
        ProgramResult missing = await BallastProcess.RunAsync(folder.Path, ["check", "missing.yaml"]);

        Assert.True(good.ExitCode == 0, good.Output);
        using JsonDocument verdict = JsonDocument.Parse(good.OneLine);
        Assert.True(verdict.RootElement.GetProperty("valid").GetBoolean());
        Assert.Equal((1, 1), (faulty.ExitCode, missing.ExitCode));
        Assert.Contains("faulty.yaml:5:5: error", faulty.Output, StringComparison.Ordinal);
        Assert.Contains("region", faulty.Output, StringComparison.Ordinal);
        Assert.Contains("missing.yaml does not exist", missing.Output, StringComparison.Ordinal);
    }

    /// <summary>Who serves without a file has reports without one: of the providers whose variables are set, as the gateway itself.</summary>
    [Fact]
    public async Task Policy_WithoutAFile_IsCheckedAgainstTheProvidersWhoseVariablesAreSet()
    {
        await File.WriteAllTextAsync(
            folder.File("caps.yaml"), "apiVersion: ballast/v1\nkind: BalancePolicy\nmetadata: { name: caps, version: 1 }\nscopes:\n  - { id: org, rules: [{ id: o60, cap: { platform: openai }, share: 0.60 }] }\n", TestContext.Current.CancellationToken);

        ProgramResult unset = await BallastProcess.RunAsync(folder.Path, ["policy", "check", "caps.yaml"]);
        ProgramResult set = await BallastProcess.RunAsync(folder.Path, ["policy", "check", "caps.yaml"], ("OPENAI_API_KEY", "sk-no-key-at-all"), ("ANTHROPIC_API_KEY", "sk-no-key-at-all"));

        Assert.Equal((2, ""), (unset.ExitCode, unset.Output));
        Assert.Contains("set the variables that `ballast serve` was started with", unset.Errors, StringComparison.Ordinal);
        Assert.Contains("caps version 1 can", set.Output, StringComparison.Ordinal);
        Assert.Equal("", set.Errors);
    }

    [Theory]
    [InlineData("usage", "--since", "0s", "--json")]
    [InlineData("exposure", "--window", "-5d", "--json")]
    [InlineData("demo", "--seconds", "0", "--json")]
    [InlineData("demo", "--seconds", "soon", "--json")]
    [InlineData("demo", "--admin-port", "any", "--json")]
    [InlineData("conformance", "--url", "http://127.0.0.1:1", "--timeout", "long", "--json")]
    [InlineData("usage", "--by", "colour", "--json")]
    [InlineData("exposure", "--since", "yesterday-ish", "--json")]
    [InlineData("compare", "openai", "--json")]
    [InlineData("serve", "--config", "missing.yaml")]
    [InlineData("no-such-command")]
    public async Task Run_WrongArguments_EndsWithTwoAndLeavesStandardOutputEmpty(params string[] arguments)
    {
        ProgramResult result = await BallastProcess.RunAsync(folder.Path, arguments);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.NotEqual("", result.Errors);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NothingAsked_ShowsAllCommandsAndNoErrorBeforeThem()
    {
        ProgramResult result = await BallastProcess.RunAsync(folder.Path, []);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.StartsWith("Description:", result.Errors, StringComparison.Ordinal);
        Assert.Contains("  demo ", result.Errors, StringComparison.Ordinal);
    }
}
