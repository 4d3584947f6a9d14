using System.CommandLine;
using Ballast.Ledger;
using Ballast.Ledger.Export;

namespace Ballast.Cli;

/// <summary><c>ballast export</c>: the rows of a period, to take away.</summary>
public static class ExportCommand
{
    public static Command Create()
    {
        Command command = new(
            "export",
            """
            The ledger's rows of a period as CSV, every column, or as charges in the columns of FOCUS 1.2.

            The memory that it takes does not grow with the ledger. Names that a spreadsheet would take for formulas get an
            apostrophe before them. FOCUS has a charge for what an attempt cost for its input, and one for its output; what
            cost nothing has none, and neither has what no price is known of: how many those are is told at the end.

            Exit code: 0 written, 1 the ledger cannot be read or the file not written, 2 a wrong argument.

            Examples:
              ballast export --from 2026-11-01 --to 2026-12-01 --format focus --out november.csv
              ballast export --from 7d --app support > week.csv
            """);
        Option<string> from = new("--from") { Description = $"Attempts that started since then: {Period.Forms}.", HelpName = "WHEN", Required = true };
        Option<string> to = new("--to") { Description = "Attempts that started before then; the same forms.", HelpName = "WHEN", DefaultValueFactory = static _ => "all" };
        Option<string> format = new("--format") { Description = "csv or focus.", DefaultValueFactory = static _ => "csv" };
        format.AcceptOnlyFromAmong([.. LedgerExport.Formats]);
        Option<string?> file = new("--out", "-o") { Description = "File to write, readable by its owner only. Without it: standard output.", HelpName = "FILE" };
        Option<string?> app = new("--app") { Description = "Only this application.", HelpName = "APP" };
        Option<string?> key = new("--key") { Description = "Only this API key (its id).", HelpName = "ID" };
        Option<string?> ledger = new("--ledger") { Description = "Ledger file. Without it: the one named in the configuration, else ballast.db here.", HelpName = "FILE" };
        Option<string?> config = new("--config", "-c") { Description = "Configuration file. Without it: ballast.yaml here, if there is one.", HelpName = "FILE" };
        Option<bool> json = new("--json") { Description = "With --out: what was written, as one line of JSON on standard output." };
        foreach (Option option in (Option[])[from, to, format, file, app, key, ledger, config, json])
        {
            command.Add(option);
        }

        command.SetAction((arguments, cancellation) => ReportRequest.RunAsync(arguments, async () =>
        {
            if (arguments.GetValue(json) && arguments.GetValue(file) is null)
            {
                throw new UsageException("--json needs --out: standard output has the rows.");
            }

            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            ReportRequest request = new()
            {
                LedgerPath = arguments.GetValue(ledger),
                ConfigPath = arguments.GetValue(config),
                Filter = Between(arguments, from, to, now) with { App = arguments.GetValue(app), KeyId = arguments.GetValue(key) },
                Form = arguments.GetValue(json) ? ReportForm.Json : ReportForm.Terminal,
                Output = arguments.InvocationConfiguration.Output,
                Error = arguments.InvocationConfiguration.Error,
            };
            await RunAsync(request, arguments.GetValue(format)!, arguments.GetValue(file), cancellation).ConfigureAwait(false);
        }));
        return command;
    }

    private static async Task RunAsync(ReportRequest request, string format, string? file, CancellationToken cancellation)
    {
        LedgerReader reader = ReportSource.OpenLedger(request);
        long rows;
        long leftOut;
        try
        {
            Stream output = file is null ? new TextStream(request.Output) : Create(file);
            await using (output.ConfigureAwait(false))
            {
                (rows, leftOut) = await LedgerExport.WriteAsync(reader, format, request.Filter, output, cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{file}: {failure.Message}");
        }

        if (request.Form == ReportForm.Json)
        {
            ReportJson.WriteLine(request.Output, writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("file", file);
                writer.WriteString("format", format);
                writer.WriteMoment("from", request.Filter.Since);
                writer.WriteMoment("to", request.Filter.Until);
                writer.WriteNumber("rows", rows);
                writer.WriteNumber("left_out", leftOut);
                writer.WriteEndObject();
            });
        }
        else
        {
            string without = leftOut > 0 ? $" {leftOut} have no known price and are left out." : "";
            await request.Error.WriteLineAsync($"{rows} {(rows == 1 ? "attempt" : "attempts")} from {request.PeriodText}.{without}").ConfigureAwait(false);
        }
    }

    private static FileStream Create(string path)
    {
        FileStreamOptions options = new() { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }

    private static LedgerFilter Between(ParseResult arguments, Option<string> from, Option<string> to, DateTimeOffset now)
    {
        LedgerFilter filter = new(Period.Read(from.Name, arguments.GetValue(from)!, now), Period.Read(to.Name, arguments.GetValue(to)!, now));
        Period.Check(filter.Since, from.Name, filter.Until, now);
        return filter;
    }
}
