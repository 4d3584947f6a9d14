using System.CommandLine;
using System.Text;

namespace Ballast.Cli;

/// <summary><c>ballast init</c>: a first configuration to go on from. It asks nothing and overwrites nothing.</summary>
public static class InitCommand
{
    /// <summary>What is written. A test holds it against the loader.</summary>
    internal const string Text = """
        # A first configuration: two vendors behind one name. `ballast check` says what is wrong with it, `ballast serve` serves it,
        # and a running gateway takes up every change of this file by itself. All settings: docs/configuration.md.

        providers:
          openai:
            kind: openai                        # azure-openai, aws-bedrock, anthropic, gemini, vertex, openai-compatible …: docs/providers.md
            platform: openai
            region: us
            api_key: ${OPENAI_API_KEY}          # secrets come from the environment, never from this file
            data: { geo: us, retention_days: 30, training: false }   # what your contract says
            vendor: openai
            deployments:
              gpt-5-mini: {}

          anthropic:
            kind: anthropic
            platform: anthropic
            region: global                      # its endpoints name none
            api_key: ${ANTHROPIC_API_KEY}
            data: { geo: us, retention_days: 30, training: false }
            vendor: anthropic
            deployments:
              claude-haiku-4-5: {}

        models:
          assistant:                            # what applications ask for; the second answers where the first does not
            deployments: [openai/gpt-5-mini, anthropic/claude-haiku-4-5]

        keys:
          first:
            key_env: BALLAST_FIRST_KEY          # `openssl rand -hex 24` makes one
            app: first
            allow: { geo: [us, eu], retention_days_max: 30, training: false }

        # budgets:                              # docs/keys.md
        #   first-month: { app: first, usd: 100, period: month, alert_at: [50, 80] }

        """;

    public static Command Create()
    {
        Argument<string> file = new("file") { Description = $"What to write. Default: {ServeCommand.DefaultFile}.", DefaultValueFactory = static _ => ServeCommand.DefaultFile };
        Option<bool> json = new("--json") { Description = "Exactly one line of JSON on standard output." };
        Command command = new(
            "init",
            """
            Write a first configuration, with remarks.

            Two vendors behind one name, one key. Nothing is asked, nothing is overwritten, no secret is in it.

            Exit code: 0 written, 1 the file is there already or cannot be written.

            Examples:
              ballast init && ballast check
              ballast init staging.yaml
            """)
        {
            file, json,
        };
        command.SetAction(result => Run(result.GetValue(file)!, result.GetValue(json), result.InvocationConfiguration.Output, result.InvocationConfiguration.Error));
        return command;
    }

    private static int Run(string file, bool json, TextWriter output, TextWriter error)
    {
        try
        {
            using FileStream stream = new(file, FileMode.CreateNew, FileAccess.Write);
            stream.Write(Encoding.UTF8.GetBytes(Text));
        }
        catch (IOException) when (Path.Exists(file))
        {
            error.WriteLine($"{file} is there already and stays as it is.");
            return 1;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"{file} cannot be written: {fault.Message}");
            return 1;
        }

        if (json)
        {
            ReportJson.WriteLine(output, writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("file", file);
                writer.WriteEndObject();
            });
        }
        else
        {
            output.WriteLine($"{file} is written. Set OPENAI_API_KEY, ANTHROPIC_API_KEY and BALLAST_FIRST_KEY, then: ballast check {file}");
        }

        return 0;
    }
}
