using System.CommandLine;

namespace Ballast.Tests.Cli;

/// <summary>Runs one command as the program would, and keeps what it wrote.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    /// <summary>The one line of a <c>--json</c>.</summary>
    public string OnlyLine
    {
        get
        {
            Assert.EndsWith(Environment.NewLine, Output, StringComparison.Ordinal);
            string line = Output[..^Environment.NewLine.Length];
            Assert.DoesNotContain('\n', line);
            return line;
        }
    }

    public static async Task<CommandRun> OfAsync(Command command, params string[] arguments)
    {
        using StringWriter output = new();
        using StringWriter error = new();
        InvocationConfiguration configuration = new() { Output = output, Error = error, EnableDefaultExceptionHandler = false };
        int exitCode = await new RootCommand { command }
            .Parse([command.Name, .. arguments])
            .InvokeAsync(configuration, TestContext.Current.CancellationToken);
        return new CommandRun(exitCode, output.ToString(), error.ToString());
    }
}
