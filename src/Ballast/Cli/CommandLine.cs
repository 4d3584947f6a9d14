using System.CommandLine;

namespace Ballast.Cli;

/// <summary>Verb to command: the one list of what the program can do.</summary>
public static class CommandLine
{
    /// <summary>Exit code for a wrong command line, a wrong configuration, a busy port: nothing was done.</summary>
    public const int UsageError = 2;

    public static Task<int> RunAsync(string[] args)
    {
        RootCommand root = new(
            """
            Ballast keeps every AI vendor and every cloud replaceable: one endpoint for OpenAI- and Anthropic-speaking
            applications, answered by whichever vendor and platform is lawful, healthy and next.

            Try it:    ballast demo
            Serve:     OPENAI_API_KEY=… ballast serve          (or: ballast serve --config ballast.yaml)
            """)
        {
            DemoCommand.Create(),
            ServeCommand.Create(),
            CheckCommand.Create(),
            SandboxCommand.Create(),
            UsageCommand.Create(),
            CompareCommand.Create(),
            ExposureCommand.Create(),
        };
        // Signals are the commands' own affair (StopSignal): a server drains, a report just ends.
        return root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }
}
