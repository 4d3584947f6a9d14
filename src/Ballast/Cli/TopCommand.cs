using System.CommandLine;
using System.Net;
using System.Text.Json;
using Ballast.Cli.Demo;
using Spectre.Console;

namespace Ballast.Cli;

/// <summary><c>ballast top</c>: a running gateway at a glance, redrawn every two seconds.</summary>
public static class TopCommand
{
    private static readonly TimeSpan RedrawEvery = TimeSpan.FromSeconds(2);

    /// <summary>Width where output is no terminal.</summary>
    private const int PipedWidth = 160;

    public static Command Create()
    {
        Option<string> admin = new("--admin") { HelpName = "URL", Description = "The gateway's administration.", DefaultValueFactory = static _ => "http://127.0.0.1:8081" };
        Option<bool> once = new("--once") { Description = "Draw it once and end; so it is where output is no terminal." };
        Option<bool> json = new("--json") { Description = "What the gateway says of itself now (/live.json), as one line of JSON." };
        Command command = new(
            "top",
            """
            A running gateway at a glance: platforms, shares against their limits, budgets, spend.

            Asks the administration port for what the live page shows, every two seconds. Ends with Ctrl-C.

            Exit code: 0 shown, 1 the gateway does not answer, 2 a wrong argument.

            Examples:
              ballast top
              ballast top --once
              ballast top --json | jq .budgets
            """)
        {
            admin, once, json,
        };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(admin)!, parsed.GetValue(once), parsed.GetValue(json), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
        return command;
    }

    private static async Task<int> RunAsync(string admin, bool once, bool json, TextWriter output, TextWriter error)
    {
        if (!Uri.TryCreate(admin, UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https"))
        {
            await error.WriteLineAsync($"--admin {admin}: an address such as http://127.0.0.1:8081.").ConfigureAwait(false);
            return CommandLine.UsageError;
        }

        using StopSignal stop = new();
        try
        {
            using HttpClient http = AdminClient.NewHttp(address, Environment.GetEnvironmentVariable(AdminClient.CertificateVariable));
            using JsonDocument first = await AskAsync(http, stop.Token).ConfigureAwait(false);
            if (json)
            {
                ReportJson.WriteLine(output, writer => first.RootElement.WriteTo(writer));
            }
            else if (once || !DemoPicture.IsPossible(output))
            {
                IAnsiConsole plain = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
                plain.Profile.Width = PipedWidth;
                plain.Write(TopView.Of(first.RootElement));
            }
            else
            {
                await ShowAsync(http, DemoPicture.CreateConsole(output), first.RootElement, stop.Token).ConfigureAwait(false);
            }

            return 0;
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            return 0;
        }
        catch (UsageException wrong)
        {
            await error.WriteLineAsync(wrong.Message).ConfigureAwait(false);
            return CommandLine.UsageError;
        }
        catch (Exception failure) when (failure is HttpRequestException or JsonException or OperationCanceledException or KeyNotFoundException)
        {
            await error.WriteLineAsync($"The gateway's administration at {address} does not answer: is `ballast serve` running, and is --admin right?").ConfigureAwait(false);
            return 1;
        }
    }

    private static Task ShowAsync(HttpClient http, IAnsiConsole console, JsonElement first, CancellationToken stop) =>
        console.Live(TopView.Of(first)).AutoClear(false).Overflow(VerticalOverflow.Crop).Cropping(VerticalOverflowCropping.Bottom).StartAsync(async live =>
        {
            while (true)
            {
                await Task.Delay(RedrawEvery, TimeProvider.System, stop).ConfigureAwait(false);
                using JsonDocument now = await AskAsync(http, stop).ConfigureAwait(false);
                live.UpdateTarget(TopView.Of(now.RootElement));
                live.Refresh();
            }
        });

    private static async Task<JsonDocument> AskAsync(HttpClient http, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await http.GetAsync(new Uri("/live.json", UriKind.Relative), cancellation).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new HttpRequestException($"{(int)response.StatusCode}");
        }

        return JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false));
    }
}
