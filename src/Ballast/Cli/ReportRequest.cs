using System.CommandLine;
using Ballast.Configuration;
using Ballast.Ledger;

namespace Ballast.Cli;

/// <summary>A report that was asked for: from where, about what, in which form, to where.</summary>
internal sealed record ReportRequest
{
    public required string? LedgerPath { get; init; }
    public required string? ConfigPath { get; init; }
    public required LedgerFilter Filter { get; init; }
    public required ReportForm Form { get; init; }
    public required TextWriter Output { get; init; }
    public required TextWriter Error { get; init; }

    /// <summary>The configuration, once it has been read for this report; null before.</summary>
    public BallastOptions? Options { get; set; }

    /// <summary>The period in words.</summary>
    public string PeriodText =>
        $"{ReportFormat.Moment(Filter.Since, "the beginning")} to {ReportFormat.Moment(Filter.Until, "now")}";

    public void Write(ReportTable table)
    {
        if (Form == ReportForm.Markdown)
        {
            table.WriteMarkdown(Output);
        }
        else
        {
            table.WriteTerminal(Output);
        }
    }

    /// <summary>Runs a report; what goes wrong becomes one line on standard error and an exit code: 1 for the ledger, 2 for the arguments.</summary>
    public static async Task<int> RunAsync(ParseResult arguments, Func<Task> report)
    {
        try
        {
            await report().ConfigureAwait(false);
            return 0;
        }
        catch (LedgerException failure)
        {
            await arguments.InvocationConfiguration.Error.WriteLineAsync(failure.Message).ConfigureAwait(false);
            return 1;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            await arguments.InvocationConfiguration.Error.WriteLineAsync(failure.Message).ConfigureAwait(false);
            return 1;
        }
        catch (UsageException failure)
        {
            await arguments.InvocationConfiguration.Error.WriteLineAsync(failure.Message).ConfigureAwait(false);
            return 2;
        }
    }
}
