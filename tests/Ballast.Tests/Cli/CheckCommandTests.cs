using System.CommandLine;
using System.Text.Json;
using Ballast.Cli;
using Ballast.Tests.Configuration;

namespace Ballast.Tests.Cli;

public sealed class CheckCommandTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    private (int Code, string Output) Run(string yaml, bool json)
    {
        File.WriteAllText(_path, yaml);
        using StringWriter output = new();
        return (CheckCommand.Run(_path, json, ValidConfiguration.Environment, output), output.ToString());
    }

    [Fact]
    public void Run_ValidFile_SaysWhatItHoldsAndExitsWithZero()
    {
        (int code, string output) = Run(ValidConfiguration.Yaml, json: false);

        Assert.Equal(0, code);
        Assert.Equal($"{_path}: good (3 providers, 2 deployments, 1 model, 2 keys; 0 errors, 0 warnings){Environment.NewLine}", output);
    }

    [Fact]
    public void Run_Fault_IsPrintedAsACompilerWouldAndExitsWithOne()
    {
        (int code, string output) = Run(ValidConfiguration.With("  region: swedencentral", "  regoin: swedencentral"), json: false);

        Assert.Equal(1, code);
        Assert.Contains($"{_path}:10:5: error: unknown key 'regoin' in a provider (hint: did you mean 'region'?)", output, StringComparison.Ordinal);
        Assert.EndsWith($"{_path}: refused (2 errors, 0 warnings){Environment.NewLine}", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Json_IsOneLineWithEveryFault()
    {
        (int code, string output) = Run(ValidConfiguration.With("connect_timeout: 3s", "connect_timeout: \"three\""), json: true);

        Assert.Equal(1, code);
        Assert.Single(output.TrimEnd().Split('\n'));
        JsonElement root = JsonDocument.Parse(output).RootElement;
        Assert.False(root.GetProperty("valid").GetBoolean());
        Assert.Equal(1, root.GetProperty("errors").GetInt32());
        JsonElement fault = Assert.Single(root.GetProperty("faults").EnumerateArray());
        Assert.Equal(
            ("error", "limits.connect_timeout", 63, 20),
            (fault.GetProperty("severity").GetString(), fault.GetProperty("path").GetString(), fault.GetProperty("line").GetInt32(), fault.GetProperty("column").GetInt32()));
    }

    [Fact]
    public void Create_ParsedFromACommandLine_Runs()
    {
        File.WriteAllText(_path, "nonsense");
        using StringWriter output = new();
        InvocationConfiguration configuration = new() { Output = output };

        int code = CheckCommand.Create().Parse([_path, "--json"]).Invoke(configuration);

        Assert.Equal(1, code);
        Assert.StartsWith("{\"file\":", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Create_Help_ExplainsExitCodeAndGivesExamples()
    {
        using StringWriter output = new();
        RootCommand root = new() { CheckCommand.Create() };

        root.Parse(["check", "--help"]).Invoke(new InvocationConfiguration { Output = output });

        Assert.Contains("Exit code", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("ballast check staging.yaml", output.ToString(), StringComparison.Ordinal);
    }
}
