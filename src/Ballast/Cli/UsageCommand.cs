using System.CommandLine;
using Ballast.Configuration;
using Ballast.Ledger;

namespace Ballast.Cli;

/// <summary><c>ballast usage</c>: requests, tokens, cost and times from the ledger, grouped as asked.</summary>
public static class UsageCommand
{
    private static readonly string s_names = string.Join(", ", UsageJson.Names);

    public static Command Create()
    {
        Command command = new(
            "usage",
            $"""
            Requests, tokens, cost and times from the ledger.

            One row of the ledger is one attempt at one deployment. A request that failed over made several attempts, so it
            counts once in each group that it touched and once in the total. Tokens are disjoint classes: 'input' is what no
            cache held. Sound and pictures among them, searches and pictures made have columns where there were any. Times to
            first token are of streams. An attempt without a known price is counted as 'no price', never as $0.

            Exit code: 0 told, 1 the ledger cannot be read, 2 a wrong argument.

            Examples:
              ballast usage                                by model, the last 30 days
              ballast usage --by vendor,platform --since 7d
              ballast usage --by day --app support --json
              ballast usage --commitments                  what was promised to platforms: used, pace, forecast, shortfall
            """);
        Option<string> by = new("--by")
        {
            Description = $"What to group by, up to {UsageQuery.DimensionsMax} of: {s_names}; separated by commas. 'none' gives the total.",
            HelpName = "NAMES",
            DefaultValueFactory = _ => "model",
        };
        command.Add(by);
        Option<bool> commitments = new("--commitments") { Description = "What the configuration's 'commitments' promise to platforms, and where each stands now." };
        command.Add(commitments);
        ReportOptions options = new(command);
        command.SetAction((arguments, cancellation) => ReportRequest.RunAsync(arguments, async () =>
        {
            ReportRequest request = options.Read(arguments, TimeProvider.System);
            if (arguments.GetValue(commitments))
            {
                await WriteCommitmentsAsync(request, cancellation).ConfigureAwait(false);
                return;
            }

            IReadOnlyList<UsageDimension> dimensions = ReadDimensions(arguments.GetValue(by) ?? "");
            LedgerReader ledger = ReportSource.OpenLedger(request);
            Write(await ledger.UsageAsync(dimensions, request.Filter, cancellation).ConfigureAwait(false), request, ledger.Path);
        }));
        return command;
    }

    private static void Write(UsageReport report, ReportRequest request, string path)
    {
        if (request.Form == ReportForm.Json)
        {
            ReportJson.WriteLine(request.Output, writer => UsageJson.Write(writer, report, request.Filter));
        }
        else if (report.IsEmpty)
        {
            request.Output.WriteLine(ReportSource.NothingFound(request, path));
        }
        else
        {
            request.Write(UsageView.Table(report, $"Usage, {request.PeriodText}"));
        }
    }

    private static async Task WriteCommitmentsAsync(ReportRequest request, CancellationToken cancellation)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        IReadOnlyList<CommitmentOptions> promised = ReportSource.FindCommitments(request);
        IReadOnlyList<CommitmentFigures> figures = promised.Count == 0
            ? []
            : await CommitmentFigures.OfAsync(ReportSource.OpenLedger(request), promised, now, cancellation).ConfigureAwait(false);
        if (request.Form == ReportForm.Json)
        {
            ReportJson.WriteLine(request.Output, writer => CommitmentJson.Write(writer, figures, now));
        }
        else if (figures.Count == 0)
        {
            request.Output.WriteLine("The configuration has no 'commitments'. Write one as: commitments: { aws-2026: { platform: aws, amount: 120000, from: 2026-01-01, to: 2026-12-31 } }");
        }
        else
        {
            request.Write(CommitmentView.Table(figures, now));
        }
    }

    private static IReadOnlyList<UsageDimension> ReadDimensions(string text)
    {
        string? unknown = text == "none" ? null : Array.Find(text.Split(',', StringSplitOptions.TrimEntries), static name => !UsageJson.Names.Contains(name));
        return unknown is not null ? throw new UsageException($"--by {unknown}: usage is grouped by {s_names}, or none.")
            : UsageJson.Read(text) ?? throw new UsageException($"--by {text}: up to {UsageQuery.DimensionsMax} different names.");
    }
}
