using System.CommandLine;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Guards.Constitution;

namespace Ballast.Cli;

/// <summary><c>ballast constitution</c>: check a constitution, and try a text on it. No model is asked.</summary>
public static class ConstitutionCommand
{
    private const string DefaultFile = "constitution.yaml";

    public static Command Create() => new(
        "constitution",
        """
        Check a constitution, and try a text on it.

        A constitution is a file that the configuration names (constitution: constitution.yaml): principles in plain words,
        each with a pattern, topics, tools or a judge. A running gateway takes a change up by itself. See docs/constitution.md.
        """)
    {
        Check(), Test(),
    };

    private static Argument<string> File() => new("FILE") { Description = $"The constitution. Default: {DefaultFile}.", DefaultValueFactory = static _ => DefaultFile };

    private static Command Check()
    {
        Argument<string> file = File();
        Command command = new("check", "Every fault at once, each with line, column and a hint; else the principles. Exit code: 0 it would be applied, 1 it would be refused.") { file };
        command.SetAction(result => Read(result.GetValue(file)!, result.InvocationConfiguration.Output) is { } options ? List(options, result.InvocationConfiguration.Output) : 1);
        return command;
    }

    private static Command Test()
    {
        Argument<string> file = File();
        Option<string> text = new("--text") { Description = "What a caller or a model says.", Required = true };
        Option<string> app = new("--app") { Description = "The app that says it; default: one that no principle names." };
        Option<string[]> tools = new("--tool") { Description = "A tool that is offered or called; may be repeated." };
        Command command = new("test", "Which principles a text keeps and which it breaks. Judges are not asked. Exit code: 0 none is broken, 1 one is.") { file, text, app, tools };
        command.SetAction(result =>
        {
            TextWriter output = result.InvocationConfiguration.Output;
            return Read(result.GetValue(file)!, output) is { } options ? Try(options, result.GetValue(text)!, result.GetValue(app) ?? "", result.GetValue(tools) ?? [], output) : 1;
        });
        return command;
    }

    private static ConstitutionOptions? Read(string file, TextWriter output)
    {
        ConstitutionLoadResult loaded = ConstitutionLoader.LoadFile(file);
        foreach (ConfigurationFault fault in loaded.Faults)
        {
            output.WriteLine(fault.Print(file));
        }

        return loaded.Options;
    }

    private static int List(ConstitutionOptions options, TextWriter output)
    {
        foreach (PrincipleOptions principle in options.Principles)
        {
            string way = principle.Pattern is not null ? "pattern" : principle.Topics is { } topics ? $"{topics.Count} topics" : principle.Tools is { } tools ? $"{tools.Count} tools" : $"judge {principle.Judge}";
            string on = principle is { IsOnRequest: true, IsOnAnswer: true } ? "both" : principle.IsOnRequest ? "request" : "answer";
            output.WriteLine($"{principle.Id}: {way}, on {on}, {principle.Action.ToString().ToLowerInvariant()}: {principle.Text}");
        }

        return 0;
    }

    private static int Try(ConstitutionOptions options, string text, string app, string[] tools, TextWriter output)
    {
        bool isBroken = false;
        foreach (Principle principle in options.Principles.Select(static written => new Principle(written)))
        {
            bool keeps = PrincipleCheck.Keeps(principle, text) && tools.All(tool => PrincipleCheck.Allows(principle, tool));
            string verdict = !principle.HoldsFor(app) ? "does not hold for this app" : principle.Options.Judge is not null ? "not tried: a model judges it" : keeps ? "keeps" : "breaks";
            isBroken |= verdict == "breaks";
            output.WriteLine($"{principle.Id}: {verdict}");
        }

        return isBroken ? 1 : 0;
    }
}
