using System.CommandLine;
using System.Globalization;
using Ballast.Cli.Demo;
using Ballast.Ledger;
using Ballast.Sandbox;
using Ballast.Server;

namespace Ballast.Cli;

/// <summary><c>ballast demo</c>: a cloud disappears under three applications. Exit code 0 if no request failed and the ledger agrees with the bill, 1 if not, 2 if it could not start.</summary>
public static class DemoCommand
{
    private static readonly Option<int> Seconds = new("--seconds")
    {
        HelpName = "N",
        Description = "Length of the story; at least 1. Simulated waits shrink with it.",
        DefaultValueFactory = _ => DemoSettings.SecondsDefault,
    };
    private static readonly Option<bool> Headless = new("--headless") { Description = "No live picture: a line every few seconds on standard error." };
    private static readonly Option<bool> Json = new("--json") { Description = "One line of JSON on standard output when the story is over; everything else goes to standard error." };
    private static readonly Option<bool> Hold = new("--hold")
    {
        Description = $"After the story keep everything running, healthy and without traffic of its own, for your requests with the key {DemoConfiguration.OpenKey}; ends on SIGTERM or Ctrl-C.",
    };
    private static readonly Option<string?> Requests = new("--requests")
    {
        Description = "Send recorded real requests in place of the sample ones: a folder of recordings (docs/demo.md).", HelpName = "DIR",
    };
    private static readonly Option<int?> RequestsMax = new("--max-requests") { HelpName = "N", Description = "Of the recorded requests, at most so many; which ones follows from --seed." };
    private static readonly Option<int> Port = new("--port") { HelpName = "PORT", Description = "The gateway's port; 0 takes any free one.", DefaultValueFactory = _ => 8080 };
    private static readonly Option<int> AdminPort = new("--admin-port") { HelpName = "PORT", Description = "Port of the live page; 0 takes any free one.", DefaultValueFactory = _ => 8081 };
    private static readonly Option<int> SandboxPort = new("--sandbox-port")
    {
        HelpName = "PORT",
        Description = "The sandbox's first port, the platforms take the ones after it; 0 takes any free ones.",
        DefaultValueFactory = _ => 9100,
    };
    private static readonly Option<string?> LedgerFile = new("--ledger") { HelpName = "FILE", Description = "SQLite file to keep the ledger in, for `ballast usage`, `exposure` and `compare`. Default: a temporary one." };
    private static readonly Option<string?> Report = new("--report") { HelpName = "FILE", Description = $"Where the closing report goes, one page of HTML. Default: {DemoReport.FileDefault} here." };
    private static readonly Option<int> Seed = new("--seed") { HelpName = "N", Description = "Answers, their order and routing's dice repeat with the same seed.", DefaultValueFactory = _ => 1 };
    private static readonly Option<bool> PrintConfig = new("--print-config") { Description = "Print the demo's configuration and end." };
    private static readonly Option<bool> PrintPolicy = new("--print-policy") { Description = "Print the demo's balance policy and end." };

    public static Command Create()
    {
        Command command = new("demo",
            """
            Watch a cloud disappear under three applications, and the shares of the others stay below their caps.

            Starts simulated platforms (OpenAI, Azure, AWS Bedrock, Anthropic, Gemini, Vertex AI, a local Llama server), the
            gateway in front of them and three sample applications, all on loopback: no account, no key, no cost. A balance
            policy is in force: at most 50 % of the tokens on Azure, at most 45 % on AWS. After a quarter of the time the mix of
            requests moves, at half of it Azure disappears in the middle of its answers, at three quarters it returns. Beside the
            shares stands what weights alone would have made of the same requests. In the end a table says what carried how much,
            what it cost, whether the ledger agrees with the platforms' bill, and which models would stop if any of them went
            away; the same is written as one page of HTML.

            The live page is at http://127.0.0.1:8081/ while it runs. Until the story is over, others' requests get a 503.

            Exit code: 0 no request failed and ledger and bill agree, 1 not so, 2 it could not start, 130 stopped by a signal.

            Examples:
              ballast demo
              ballast demo --headless --seconds 25 --json
              ballast demo --hold            then: curl http://127.0.0.1:8080/v1/models -H 'x-api-key: ballast-demo'
            """)
        {
            Seconds, Headless, Json, Hold, Requests, RequestsMax, Port, AdminPort, SandboxPort, LedgerFile, Report, Seed, PrintConfig, PrintPolicy,
        };
        foreach (Option<int> port in (ReadOnlySpan<Option<int>>)[Port, AdminPort, SandboxPort])
        {
            Bound(port, 0, 65_529, "a port");
        }

        Bound(Seconds, 1, 86_400, "a whole number");
        command.SetAction((parsed, _) => RunAsync(parsed));
        return command;
    }

    /// <summary>Looks at the text: asking for the value of one that is no number throws.</summary>
    private static void Bound(Option<int> option, int least, int most, string what) => option.Validators.Add(result =>
    {
        if (result.Tokens.Any(token => !int.TryParse(token.Value, CultureInfo.InvariantCulture, out int value) || value < least || value > most))
        {
            result.AddError($"{option.Name} takes {what} from {least} to {most}.");
        }
    });

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        if (parsed.GetValue(PrintConfig))
        {
            Console.Out.Write(DemoConfiguration.Text);
            return 0;
        }

        if (parsed.GetValue(PrintPolicy))
        {
            Console.Out.Write(DemoConfiguration.PolicyText);
            return 0;
        }

        DemoSettings settings = new()
        {
            Seconds = parsed.GetValue(Seconds),
            Headless = parsed.GetValue(Headless),
            Json = parsed.GetValue(Json),
            IsLive = !parsed.GetValue(Headless) && !parsed.GetValue(Json) && DemoPicture.IsPossible(Console.Out),
            Hold = parsed.GetValue(Hold),
            RequestsFolder = parsed.GetValue(Requests),
            RequestsMax = parsed.GetValue(RequestsMax),
            Port = parsed.GetValue(Port),
            AdminPort = parsed.GetValue(AdminPort),
            SandboxPort = parsed.GetValue(SandboxPort),
            LedgerPath = parsed.GetValue(LedgerFile),
            ReportPath = parsed.GetValue(Report),
            Seed = parsed.GetValue(Seed),
        };
        using StopSignal stop = new();
        try
        {
            return await DemoRun.RunAsync(settings, stop, Console.Out, Console.Error).ConfigureAwait(false);
        }
        catch (SandboxPortInUseException busy)
        {
            return Busy(busy.Port, "--sandbox-port", "it and the dozen ports after it are needed");
        }
        catch (AddressInUseException busy)
        {
            return busy.Address.Port == settings.AdminPort ? Busy(busy.Address.Port, "--admin-port", null) : Busy(busy.Address.Port, "--port", null);
        }
        catch (UsageException fault)
        {
            return Fail(fault.Message);
        }
        catch (LedgerException fault)
        {
            return Fail(fault.Message);
        }
    }

    private static int Busy(int port, string option, string? detail) =>
        Fail($"port {port} is already in use by another program. Choose another with {option} N, or {option} 0 for any free one{(detail is null ? "" : $" ({detail})")}.");

    private static int Fail(string message)
    {
        Console.Error.WriteLine($"error: {message}");
        return CommandLine.UsageError;
    }
}
