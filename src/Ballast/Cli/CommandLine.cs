using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace Ballast.Cli;

/// <summary>Verb to command: the one list of what the program can do.</summary>
public static class CommandLine
{
    /// <summary>Exit code for a wrong command line, a wrong configuration, a busy port: nothing was done.</summary>
    public const int UsageError = 2;

    /// <summary>All commands, with all they say of themselves.</summary>
    public static RootCommand Create() => new(
        """
        Ballast keeps every AI vendor and every cloud replaceable: one endpoint for applications that speak
        the protocols of OpenAI, Anthropic, Google or AWS, answered by whichever vendor and platform is lawful, healthy
        and next.

        Try it:    ballast demo
        Serve:     OPENAI_API_KEY=… ballast serve          (or: ballast serve --config ballast.yaml)
        Learn:     ballast COMMAND --help
        """)
    {
        DemoCommand.Create(),
        InitCommand.Create(),
        ServeCommand.Create(),
        TopCommand.Create(),
        CheckCommand.Create(),
        AdminCommand.Create("orgs"),
        AdminCommand.Create("teams"),
        AdminCommand.Create("apps"),
        AdminCommand.Create("keys"),
        AdminCommand.Create("budgets"),
        AdminCommand.Create("tokens"),
        ReplayCommand.Create(),
        SandboxCommand.Create(),
        PolicyCommand.Create(),
        ConstitutionCommand.Create(),
        SimulateCommand.Create(),
        UsageCommand.Create(),
        ExplainCommand.Create(),
        ExportCommand.Create(),
        CompareCommand.Create(),
        PricesCommand.Create(),
        ConformanceCommand.Create(),
        ExposureCommand.Create(),
        ShiftsCommand.Create(),
    };

    public static async Task<int> RunAsync(string[] args)
    {
        RootCommand root = Create();
        // Signals are the commands' own affair (StopSignal): a server drains, a report just ends.
        ParseResult parsed = root.Parse(args);
        if (parsed.CommandResult.Command == root)
        {
            Shorten(root);
        }

        if (parsed.Action is ParseErrorAction mistake)
        {
            // A script that reads standard output gets nothing there but what it asked for.
            mistake.ShowHelp = false;
            if (args.Length == 0)
            {
                // Who does not know what to ask for is shown all there is, and no error before it.
                await root.Parse("--help").InvokeAsync(new InvocationConfiguration { Output = Console.Error }).ConfigureAwait(false);
                return UsageError;
            }

            await Console.Error.WriteLineAsync($"See: ballast {PathOf(parsed.CommandResult)}--help").ConfigureAwait(false);
        }

        InvocationConfiguration invocation = new() { ProcessTerminationTimeout = null };
        invocation.Output = parsed.Errors.Count > 0 ? Console.Error : invocation.Output;
        int code = await parsed.InvokeAsync(invocation).ConfigureAwait(false);
        return parsed.Errors.Count > 0 ? UsageError : code;
    }

    /// <summary>The command as it is called, a blank after each word: <c>policy check </c>.</summary>
    private static string PathOf(CommandResult result) => result.Parent is CommandResult above ? PathOf(above) + result.Command.Name + " " : "";

    /// <summary>The list of all commands has a line for each; the rest of what they say of themselves is for their own help.</summary>
    private static void Shorten(RootCommand root)
    {
        foreach (Command command in root.Subcommands)
        {
            string text = command.Description ?? "";
            int end = text.IndexOfAny(['\r', '\n']);
            command.Description = end < 0 ? text : text[..end];
        }
    }
}
