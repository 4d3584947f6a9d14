using System.CommandLine;
using System.Text.Json;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Guards.Constitution;

namespace Ballast.Cli;

/// <summary><c>ballast constitution</c>: check a constitution, and try a text on it. No model is asked.</summary>
public static class ConstitutionCommand
{
    private const string DefaultFile = "constitution.yaml";

    // The verdicts as JSON has them, "keeps" beside them.
    private const string Breaks = "breaks";
    private const string OtherApp = "other_app";
    private const string Judged = "judged_by_model";

    public static Command Create() => new(
        "constitution",
        """
        Check a constitution, and try a text on it.

        A constitution is a file that the configuration names (constitution: constitution.yaml): principles in plain words,
        each with a pattern, topics, tools or a judge. A running gateway takes a change up by itself. See docs/constitution.md.

        Exit code: 0 good, 1 the file would be refused or the text breaks a principle, 2 a wrong argument.

        Examples:
          ballast constitution check
          ballast constitution test constitution.yaml --text 'I promise you a discount'
        """)
    {
        Check(), Test(),
    };

    private static Argument<string> File() => new("FILE") { Description = $"The constitution. Default: {DefaultFile}.", DefaultValueFactory = static _ => DefaultFile };

    private static Command Check()
    {
        Argument<string> file = File();
        Option<bool> json = NewJson();
        Command command = new("check", "Every fault at once, each with line, column and a hint; else the principles. Exit code: 0 it would be applied, 1 it would be refused.") { file, json };
        command.SetAction(result =>
        {
            TextWriter output = result.InvocationConfiguration.Output;
            ConstitutionLoadResult loaded = ConstitutionLoader.LoadFile(result.GetValue(file)!);
            if (result.GetValue(json))
            {
                ReportJson.WriteLine(output, writer => Write(writer, result.GetValue(file)!, loaded));
            }
            else
            {
                Print(loaded, result.GetValue(file)!, output);
                List(loaded.Options, output);
            }

            return loaded.Options is null ? 1 : 0;
        });
        return command;
    }

    private static Command Test()
    {
        Argument<string> file = File();
        Option<string> text = new("--text") { Description = "What a caller or a model says.", Required = true };
        Option<string> app = new("--app") { Description = "The app that says it; default: one that no principle names." };
        Option<bool> json = NewJson();
        Option<string[]> tools = new("--tool") { Description = "A tool that is offered or called; may be repeated." };
        Command command = new("test", "Which principles a text keeps and which it breaks. Judges are not asked. Exit code: 0 none is broken, 1 one is, or the file would be refused.") { file, text, app, tools, json };
        command.SetAction(result =>
        {
            TextWriter output = result.InvocationConfiguration.Output;
            ConstitutionLoadResult loaded = ConstitutionLoader.LoadFile(result.GetValue(file)!);
            if (loaded.Options is not { } options)
            {
                Print(loaded, result.GetValue(file)!, result.InvocationConfiguration.Error);
                return 1;
            }

            (string Id, string Verdict)[] verdicts = [.. Try(options, result.GetValue(text)!, result.GetValue(app) ?? "", result.GetValue(tools) ?? [])];
            if (result.GetValue(json))
            {
                ReportJson.WriteLine(output, writer => Write(writer, verdicts));
            }
            else
            {
                Array.ForEach(verdicts, one => output.WriteLine($"{one.Id}: {Words(one.Verdict)}"));
            }

            return verdicts.Any(static one => one.Verdict == Breaks) ? 1 : 0;
        });
        return command;
    }

    private static Option<bool> NewJson() => new("--json") { Description = "Exactly one line of JSON on standard output." };

    private static void Print(ConstitutionLoadResult loaded, string file, TextWriter output)
    {
        foreach (ConfigurationFault fault in loaded.Faults)
        {
            output.WriteLine(fault.Print(file));
        }
    }

    private static void List(ConstitutionOptions? options, TextWriter output)
    {
        foreach (PrincipleOptions principle in options?.Principles ?? [])
        {
            output.WriteLine($"{principle.Id}: {WayOf(principle)}, on {OnOf(principle)}, {principle.Action.ToString().ToLowerInvariant()}: {principle.Text}");
        }
    }

    private static string WayOf(PrincipleOptions principle) =>
        principle.Pattern is not null ? "pattern" : principle.Topics is { } topics ? $"{topics.Count} topics" : principle.Tools is { } tools ? $"{tools.Count} tools" : $"judge {principle.Judge}";

    private static string OnOf(PrincipleOptions principle) => principle is { IsOnRequest: true, IsOnAnswer: true } ? "both" : principle.IsOnRequest ? "request" : "answer";

    private static string Words(string verdict) => verdict switch { OtherApp => "does not hold for this app", Judged => "not tried: a model judges it", _ => verdict };

    private static IEnumerable<(string Id, string Verdict)> Try(ConstitutionOptions options, string text, string app, string[] tools) =>
        options.Principles.Select(static written => new Principle(written)).Select(principle =>
        {
            bool keeps = PrincipleCheck.Keeps(principle, text) && tools.All(tool => PrincipleCheck.Allows(principle, tool));
            return (principle.Id, !principle.HoldsFor(app) ? OtherApp : principle.Options.Judge is not null ? Judged : keeps ? "keeps" : Breaks);
        });

    private static void Write(Utf8JsonWriter writer, string file, ConstitutionLoadResult loaded)
    {
        writer.WriteStartObject();
        writer.WriteString("file", file);
        writer.WriteBoolean("valid", loaded.Options is not null);
        writer.WriteStartArray("principles");
        foreach (PrincipleOptions principle in loaded.Options?.Principles ?? [])
        {
            writer.WriteStartObject();
            writer.WriteString("id", principle.Id);
            writer.WriteString("text", principle.Text);
            writer.WriteString("way", principle.Judge is not null ? "judge" : principle.Tools is not null ? "tools" : principle.Topics is not null ? "topics" : "pattern");
            writer.WriteString("on", OnOf(principle));
            writer.WriteString("action", principle.Action.ToString().ToLowerInvariant());
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("faults");
        foreach (ConfigurationFault fault in loaded.Faults)
        {
            CheckCommand.WriteFault(writer, fault);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, (string Id, string Verdict)[] verdicts)
    {
        writer.WriteStartObject();
        writer.WriteBoolean("kept", !verdicts.Any(static one => one.Verdict == Breaks));
        writer.WriteStartArray("principles");
        foreach ((string id, string verdict) in verdicts)
        {
            writer.WriteStartObject();
            writer.WriteString("id", id);
            writer.WriteString("verdict", verdict);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
