using Ballast.Ledger;
using Ballast.Protocols.Conversation;

namespace Ballast.Cli;

/// <summary>A usage report as a table.</summary>
internal static class UsageView
{
    /// <summary>Shown however narrow the terminal is.</summary>
    private static readonly string[] s_essential = ["requests", "failed", "input", "output", "cost"];

    /// <summary>Columns that hold nothing but zeros are left out of the table; the JSON has them all.</summary>
    public static ReportTable Table(UsageReport report, string title)
    {
        ReportTable table = new(title);
        Figure[] figures = [.. Figures().Where(figure => !figure.OnlyIfAny || figure.IsAny(report.Total))];
        if (report.By.Count == 0)
        {
            table.AddTextColumn("");
        }

        foreach (UsageDimension dimension in report.By)
        {
            table.AddTextColumn(UsageJson.Name(dimension));
        }

        foreach (Figure figure in figures)
        {
            table.AddNumberColumn(figure.Header, isOptional: !s_essential.Contains(figure.Header));
        }

        if (report.By.Count > 0)
        {
            foreach (UsageRow row in report.Rows)
            {
                table.AddRow(row.Keys.Concat(figures.Select(figure => figure.Text(row))));
            }
        }

        IEnumerable<string> blanks = Enumerable.Repeat("", Math.Max(report.By.Count - 1, 0));
        table.AddRow(blanks.Prepend("total").Concat(figures.Select(figure => figure.Text(report.Total))));
        return table;
    }

    private static IEnumerable<Figure> Figures() =>
    [
        Figure.Number("requests", row => row.Requests),
        Figure.Number("attempts", row => row.Attempts),
        Figure.Number("completed", row => row.Completed),
        Figure.Number("failed", row => row.Failed, onlyIfAny: true),
        Figure.Number("interrupted", row => row.Interrupted, onlyIfAny: true),
        Figure.Number("cancelled", row => row.Cancelled, onlyIfAny: true),
        Figure.OfTokens("input", row => row.InputTokens, onlyIfAny: false),
        Figure.OfTokens("cache read", row => row.CacheReadTokens, onlyIfAny: true),
        Figure.OfTokens("cache write", row => row.CacheWriteTokens, onlyIfAny: true),
        Figure.OfTokens("cache write 1h", row => row.CacheWriteLongTokens, onlyIfAny: true),
        Figure.OfTokens("output", row => row.OutputTokens, onlyIfAny: false),
        Figure.OfTokens("sound in", row => Of(row, static media => media.InputAudioTokens + media.CacheReadAudioTokens), onlyIfAny: true),
        Figure.OfTokens("sound out", row => Of(row, static media => media.OutputAudioTokens), onlyIfAny: true),
        Figure.OfTokens("pictures in", row => Of(row, static media => media.InputImageTokens + media.CacheReadImageTokens), onlyIfAny: true),
        Figure.OfTokens("pictures out", row => Of(row, static media => media.OutputImageTokens), onlyIfAny: true),
        Figure.Number("searches", row => Of(row, static media => media.WebSearches), onlyIfAny: true),
        Figure.Number("pictures", row => Of(row, static media => media.Images), onlyIfAny: true),
        new Figure("cost", OnlyIfAny: false, row => ReportFormat.Usd(row.CostUsd), _ => true),
        Figure.Number("no price", row => row.UnknownCost, onlyIfAny: true),
        Figure.Number("estimated", row => row.Estimated, onlyIfAny: true),
        new Figure("TTFT p50", OnlyIfAny: true, row => ReportFormat.Time(row.TtftP50), row => row.TtftP50 is not null),
        new Figure("p95", OnlyIfAny: true, row => ReportFormat.Time(row.TtftP95), row => row.TtftP95 is not null),
    ];

    private static long Of(UsageRow row, Func<MediaUsage, long> read) => row.Media is null ? 0 : read(row.Media);

    private sealed record Figure(string Header, bool OnlyIfAny, Func<UsageRow, string> Text, Func<UsageRow, bool> IsAny)
    {
        public static Figure Number(string header, Func<UsageRow, long> value, bool onlyIfAny = false) =>
            new(header, onlyIfAny, row => ReportFormat.Count(value(row)), row => value(row) != 0);

        public static Figure OfTokens(string header, Func<UsageRow, long> value, bool onlyIfAny) =>
            new(header, onlyIfAny, row => ReportFormat.Tokens(value(row)), row => value(row) != 0);
    }
}
