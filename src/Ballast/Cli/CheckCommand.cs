using System.CommandLine;
using System.Text;
using System.Text.Json;
using Ballast.Configuration;
using Ballast.Ledger;

namespace Ballast.Cli;

/// <summary><c>ballast check</c>: judges a configuration without starting anything, and prints what a compiler would. Exit code 0 if it would be applied, else 1.</summary>
public static class CheckCommand
{
    /// <summary>The file that is taken when none is named.</summary>
    public const string DefaultFile = "ballast.yaml";

    public static Command Create()
    {
        Argument<string?> file = new("file")
        {
            Description = $"The configuration file. Default: {DefaultFile}; if that does not exist, the well-known environment variables.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> json = new("--json") { Description = "One line of JSON on standard output, for scripts." };
        Command command = new("check", """
            Check a configuration: every fault at once, each with line, column and a hint.

            Variables (${NAME}) are read from this environment, so check where you will serve. Warnings do not
            stop a start; they name what probably was not meant: a fallback that shares vendor, platform or
            region with what it backs up, a model without fallback, a deployment without price, a key whose
            data may go anywhere.

            Exit code: 0 the configuration would be applied, 1 it would be refused.

            Examples:
              ballast check
              ballast check staging.yaml
              ballast check --json | jq '.faults[] | select(.severity == "error")'
            """)
        {
            file,
            json,
        };
        command.SetAction(result => Run(
            result.GetValue(file), result.GetValue(json), Environment.GetEnvironmentVariable, result.InvocationConfiguration.Output));
        return command;
    }

    internal static int Run(string? file, bool json, Func<string, string?> environment, TextWriter output)
    {
        bool fromEnvironment = file is null && !File.Exists(DefaultFile) && EnvironmentOptions.IsWanted(environment);
        string name = fromEnvironment ? "environment" : file ?? DefaultFile;
        LoadResult result = WithLedger(fromEnvironment ? EnvironmentOptions.Load(environment) : OptionsLoader.LoadFile(name, environment));
        if (json)
        {
            output.WriteLine(ToJson(name, result));
        }
        else
        {
            Print(name, result, output);
        }

        return result.IsValid ? 0 : 1;
    }

    /// <summary>What only the ledger itself can judge: whether its connection is one at all. It is not opened.</summary>
    private static LoadResult WithLedger(LoadResult result)
    {
        if (result.Options?.Ledger.Connection is not { } connection)
        {
            return result;
        }

        try
        {
            PostgresLedgerStore.Check(connection.Reveal());
            return result;
        }
        catch (LedgerException fault)
        {
            (int line, int column) = result.Options.Source.At("ledger.connection");
            return result with
            {
                Options = null,
                Faults = [.. result.Faults, new ConfigurationFault("ledger.connection", line, column, fault.Message, "", IsWarning: false)],
            };
        }
    }

    private static void Print(string name, LoadResult result, TextWriter output)
    {
        foreach (ConfigurationFault fault in result.Faults)
        {
            output.WriteLine(fault.Print(name));
        }

        int errors = result.Faults.Count(static fault => !fault.IsWarning);
        int warnings = result.Faults.Count - errors;
        string counts = $"{Count(errors, "error")}, {Count(warnings, "warning")}";
        output.WriteLine(result.Options is { } options
            ? $"{name}: good ({Count(options.Providers.Count, "provider")}, {Count(Deployments(options), "deployment")}, "
                + $"{Count(options.Models.Count, "model")}, {Count(options.Keys.Count, "key")}; {counts})"
            : $"{name}: refused ({counts})");
    }

    private static string ToJson(string name, LoadResult result)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream))
        {
            int errors = result.Faults.Count(static fault => !fault.IsWarning);
            writer.WriteStartObject();
            writer.WriteString("file", name);
            writer.WriteBoolean("valid", result.IsValid);
            writer.WriteNumber("errors", errors);
            writer.WriteNumber("warnings", result.Faults.Count - errors);
            writer.WriteNumber("providers", result.Options?.Providers.Count ?? 0);
            writer.WriteNumber("deployments", result.Options is { } options ? Deployments(options) : 0);
            writer.WriteNumber("models", result.Options?.Models.Count ?? 0);
            writer.WriteNumber("keys", result.Options?.Keys.Count ?? 0);
            writer.WriteStartArray("faults");
            foreach (ConfigurationFault fault in result.Faults)
            {
                WriteFault(writer, fault);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    internal static void WriteFault(Utf8JsonWriter writer, ConfigurationFault fault)
    {
        writer.WriteStartObject();
        writer.WriteString("severity", fault.IsWarning ? "warning" : "error");
        writer.WriteString("path", fault.Path);
        writer.WriteNumber("line", fault.Line);
        writer.WriteNumber("column", fault.Column);
        writer.WriteString("message", fault.Message);
        writer.WriteString("hint", fault.Hint);
        writer.WriteEndObject();
    }

    private static int Deployments(BallastOptions options) => options.Providers.Sum(static provider => provider.Deployments.Count);

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";
}
