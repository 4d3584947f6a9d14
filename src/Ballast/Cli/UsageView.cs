using System.Text.Json;
using Ballast.Ledger;

namespace Ballast.Cli;

/// <summary>A usage report as a table and as JSON.</summary>
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
            table.AddTextColumn(Name(dimension));
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

    public static void WriteJson(Utf8JsonWriter writer, UsageReport report, LedgerFilter filter)
    {
        writer.WriteStartObject();
        writer.WriteMoment("since", filter.Since);
        writer.WriteMoment("until", filter.Until);
        writer.WriteTexts("by", report.By.Select(Name));
        writer.WriteStartArray("rows");
        foreach (UsageRow row in report.By.Count == 0 ? [] : report.Rows)
        {
            WriteRow(writer, row, report.By);
        }

        writer.WriteEndArray();
        writer.WritePropertyName("total");
        WriteRow(writer, report.Total, []);
        writer.WriteEndObject();
    }

    public static string Name(UsageDimension dimension) => dimension switch
    {
        UsageDimension.Model => "model",
        UsageDimension.Vendor => "vendor",
        UsageDimension.Platform => "platform",
        UsageDimension.Region => "region",
        UsageDimension.App => "app",
        UsageDimension.Day => "day",
        UsageDimension.Deployment => "deployment",
        UsageDimension.Outcome => "outcome",
        _ => throw new ArgumentOutOfRangeException(nameof(dimension)),
    };

    private static void WriteRow(Utf8JsonWriter writer, UsageRow row, IReadOnlyList<UsageDimension> by)
    {
        writer.WriteStartObject();
        for (int index = 0; index < by.Count; index++)
        {
            writer.WriteString(Name(by[index]), row.Keys[index]);
        }

        writer.WriteNumber("requests", row.Requests);
        writer.WriteNumber("attempts", row.Attempts);
        writer.WriteNumber("completed", row.Completed);
        writer.WriteNumber("failed", row.Failed);
        writer.WriteNumber("interrupted", row.Interrupted);
        writer.WriteNumber("cancelled", row.Cancelled);
        writer.WriteNumber("input_tokens", row.InputTokens);
        writer.WriteNumber("cache_read_tokens", row.CacheReadTokens);
        writer.WriteNumber("cache_write_tokens", row.CacheWriteTokens);
        writer.WriteNumber("cache_write_long_tokens", row.CacheWriteLongTokens);
        writer.WriteNumber("output_tokens", row.OutputTokens);
        writer.WriteNumber("reasoning_tokens", row.ReasoningTokens);
        writer.WriteNumber("cost_usd", row.CostUsd);
        writer.WriteNumber("unknown_cost", row.UnknownCost);
        writer.WriteNumber("estimated", row.Estimated);
        writer.WriteMilliseconds("ttft_p50_ms", row.TtftP50);
        writer.WriteMilliseconds("ttft_p95_ms", row.TtftP95);
        writer.WriteEndObject();
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
        new Figure("cost", OnlyIfAny: false, row => ReportFormat.Usd(row.CostUsd), _ => true),
        Figure.Number("no price", row => row.UnknownCost, onlyIfAny: true),
        Figure.Number("estimated", row => row.Estimated, onlyIfAny: true),
        new Figure("TTFT p50", OnlyIfAny: true, row => ReportFormat.Time(row.TtftP50), row => row.TtftP50 is not null),
        new Figure("p95", OnlyIfAny: true, row => ReportFormat.Time(row.TtftP95), row => row.TtftP95 is not null),
    ];

    private sealed record Figure(string Header, bool OnlyIfAny, Func<UsageRow, string> Text, Func<UsageRow, bool> IsAny)
    {
        public static Figure Number(string header, Func<UsageRow, long> value, bool onlyIfAny = false) =>
            new(header, onlyIfAny, row => ReportFormat.Count(value(row)), row => value(row) != 0);

        public static Figure OfTokens(string header, Func<UsageRow, long> value, bool onlyIfAny) =>
            new(header, onlyIfAny, row => ReportFormat.Tokens(value(row)), row => value(row) != 0);
    }
}
