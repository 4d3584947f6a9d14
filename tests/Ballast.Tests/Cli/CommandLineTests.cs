using System.CommandLine;
using Ballast.Cli;
using Ballast.Configuration;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Cli;

/// <summary>What is the same for every command: help, exit codes, JSON.</summary>
public sealed class CommandLineTests : IDisposable
{
    /// <summary>They serve until they are stopped, and write no report.</summary>
    private static readonly string[] s_servers = ["serve", "sandbox"];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Commands => [.. Leaves(CommandLine.Create(), []).Select(static path => string.Join(' ', path.Select(static command => command.Name)))];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Commands))]
    public void Command_Every_SaysWhatItDoesItsExitCodesAndHasJson(string name)
    {
        Command[] path = Leaves(CommandLine.Create(), []).Single(path => string.Join(' ', path.Select(static command => command.Name)) == name);

        Assert.Contains(path, static command => command.Description?.Contains("Exit code:", StringComparison.Ordinal) == true);
        Assert.Contains(path, static command => command.Description?.Contains("Example", StringComparison.Ordinal) == true);
        Assert.All(path, static command => Assert.False(string.IsNullOrWhiteSpace(command.Description)));
        Assert.All(path[^1].Options.Where(static option => option.Name != "--help"), static option => Assert.EndsWith(".", option.Description?.TrimEnd(), StringComparison.Ordinal));
        Assert.Equal(!s_servers.Contains(name), path.SelectMany(static command => command.Options).Any(static option => option.Name == "--json"));
    }

    [Fact]
    public async Task Init_NewFile_IsGoodAndOneThatIsThereStays()
    {
        string file = _folder.File("ballast.yaml");

        CommandRun written = await CommandRun.OfAsync(InitCommand.Create(), file, "--json");
        string text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(file, "mine", TestContext.Current.CancellationToken);
        CommandRun again = await CommandRun.OfAsync(InitCommand.Create(), file);
        CommandRun nowhere = await CommandRun.OfAsync(InitCommand.Create(), Path.Combine(_folder.File("missing"), "ballast.yaml"));

        Assert.Equal((0, $"{{\"file\":\"{file}\"}}"), (written.ExitCode, written.OnlyLine));
        LoadResult loaded = OptionsLoader.Load(text, file, static _ => "a-secret-of-some-length");
        Assert.True(loaded.IsValid && loaded.Faults.Count == 0, string.Join('\n', loaded.Faults.Select(fault => fault.Print(file))));
        Assert.Equal((1, ""), (again.ExitCode, again.Output));
        Assert.Contains("stays as it is", again.Error, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        Assert.Equal((1, ""), (nowhere.ExitCode, nowhere.Output));
    }

    private static IEnumerable<Command[]> Leaves(Command command, Command[] above)
    {
        Command[] path = command is RootCommand ? [] : [.. above, command];
        return command.Subcommands.Count == 0 ? [path] : command.Subcommands.SelectMany(sub => Leaves(sub, path));
    }
}
