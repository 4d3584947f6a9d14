using Ballast.Cli;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Cli;

public sealed class ConstitutionCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Check_And_Test_SayWhatHolds()
    {
        string file = Write("principles: { magic: { text: Never., topics: [abracadabra] }, judged: { text: Judge., judge: { model: m } }, tooled: { text: Mail., tools: [mail], apps: [desk] } }");

        CommandRun check = await CommandRun.OfAsync(ConstitutionCommand.Create(), "check", file);
        CommandRun broken = await CommandRun.OfAsync(ConstitutionCommand.Create(), "test", file, "--text", "the word is АBRACADABRA");
        CommandRun kept = await CommandRun.OfAsync(ConstitutionCommand.Create(), "test", file, "--text", "nothing", "--app", "desk", "--tool", "mail");

        Assert.Equal(0, check.ExitCode);
        Assert.Contains("magic: 1 topics, on both, block: Never.", check.Output, StringComparison.Ordinal);
        Assert.Equal(1, broken.ExitCode);
        Assert.Contains("magic: breaks", broken.Output, StringComparison.Ordinal);
        Assert.Contains("judged: not tried", broken.Output, StringComparison.Ordinal);
        Assert.Equal(0, kept.ExitCode);
        Assert.Contains("tooled: keeps", kept.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_FaultyFile_IsExitOneWithThePlace()
    {
        string file = Write("principles:\n  magic: { text: Never. }\n");

        CommandRun run = await CommandRun.OfAsync(ConstitutionCommand.Create(), "check", file);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(":2:", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_OfBoth_IsOneLine()
    {
        string file = Write("principles: { magic: { text: Never., topics: [abracadabra] } }");

        CommandRun check = await CommandRun.OfAsync(ConstitutionCommand.Create(), "check", file, "--json");
        CommandRun test = await CommandRun.OfAsync(ConstitutionCommand.Create(), "test", file, "--text", "abracadabra", "--json");
        CommandRun faulty = await CommandRun.OfAsync(ConstitutionCommand.Create(), "test", Write("principles: 1"), "--text", "a");

        Assert.Equal($$"""{"file":"{{file}}","valid":true,"principles":[{"id":"magic","text":"Never.","way":"topics","on":"both","action":"block"}],"faults":[]}""", check.OnlyLine);
        Assert.Equal("""{"kept":false,"principles":[{"id":"magic","verdict":"breaks"}]}""", test.OnlyLine);
        Assert.Equal((0, 1, 1, ""), (check.ExitCode, test.ExitCode, faulty.ExitCode, faulty.Output));
        Assert.NotEmpty(faulty.Error);
    }

    private string Write(string yaml)
    {
        string file = _folder.File("constitution.yaml");
        File.WriteAllText(file, yaml);
        return file;
    }
}
