using System.Globalization;
using System.Text.Json;
using Ballast.Prices;

namespace Ballast.Cli;

/// <summary>Prices, differences and imports as tables and as JSON.</summary>
internal static class PricesView
{
    /// <summary>Names listed in words; the rest is counted.</summary>
    private const int NamesShown = 20;

    public static void Write(TextWriter output, IReadOnlyList<PriceRow> rows, string title, bool json)
    {
        if (json)
        {
            ReportJson.WriteLine(output, writer => WriteRows(writer, rows));
            return;
        }

        ReportTable table = new($"{title}; US dollars per million tokens");
        foreach (string header in (string[])["platform", "model", "service", "valid", "hours (UTC)", "prompt"])
        {
            table.AddTextColumn(header);
        }

        foreach (string header in (string[])["input", "cache read", "write 5m", "write 1h", "output"])
        {
            table.AddNumberColumn(header);
        }

        table.AddTextColumn("known");
        table.AddTextColumn("source", isOptional: true);
        foreach (PriceRow row in rows)
        {
            foreach ((long above, PriceFigures figures) in Steps(row.Price))
            {
                table.AddRow(
                [
                    row.Platform, row.Model, ServiceTierName.Of(row.ServiceTier), Days(row.ValidFrom, row.ValidTo), Hours(row), above == 0 ? "" : $"> {ReportFormat.Count(above)}",
                    Figure(figures.Input), Figure(figures.CacheRead), Figure(figures.CacheWrite), Figure(figures.CacheWriteLong), Figure(figures.Output),
                    Days(row.KnownFrom, row.KnownTo), $"{row.Price.Source} {row.Price.Revision}".Trim(),
                ]);
            }
        }

        table.WriteTerminal(output);
    }

    public static void Write(TextWriter output, IReadOnlyList<PriceDifference> differences, string title, bool json)
    {
        if (json)
        {
            ReportJson.WriteLine(output, writer => WriteDifferences(writer, differences));
            return;
        }

        if (differences.Count == 0)
        {
            output.WriteLine($"{title}: no difference.");
            return;
        }

        ReportTable table = new($"{title}; US dollars per million tokens");
        foreach (string header in (string[])["platform", "model", "service", "prompt", "meter"])
        {
            table.AddTextColumn(header);
        }

        foreach (string header in (string[])["book", "list", "change"])
        {
            table.AddNumberColumn(header);
        }

        foreach (PriceDifference found in differences)
        {
            table.AddRow(
            [
                found.Platform, found.Model, ServiceTierName.Of(found.ServiceTier), found.Above == 0 ? "" : $"> {ReportFormat.Count(found.Above)}", found.Meter,
                Figure(found.InBook), Figure(found.InList), found.Change is { } change ? change.ToString("+0.0%;-0.0%", CultureInfo.InvariantCulture) : "new",
            ]);
        }

        table.WriteTerminal(output);
    }

    public static void Write(TextWriter output, PriceMergeResult result, IReadOnlyList<string> warnings, string? path, bool json)
    {
        if (json)
        {
            ReportJson.WriteLine(output, writer =>
            {
                writer.WriteStartObject();
                writer.WriteTexts("new", result.New);
                writer.WriteTexts("changed", result.Changed);
                writer.WriteTexts("kept", result.Kept);
                writer.WriteNumber("unchanged", result.Unchanged);
                writer.WriteTexts("warnings", warnings);
                writer.WriteNumber("rows", result.Book.Rows.Count());
                writer.WriteString("written", path);
                writer.WriteEndObject();
            });
            return;
        }

        output.WriteLine($"new models      {result.New.Count}{Names(result.New)}");
        output.WriteLine($"changed models  {result.Changed.Count}{Names(result.Changed)}");
        output.WriteLine($"left alone      {result.Kept.Count}{(result.Kept.Count > 0 ? " (the book has them from another source; --replace takes these figures)" : "")}{Names(result.Kept)}");
        output.WriteLine($"unchanged       {result.Unchanged}");
        foreach (string warning in warnings)
        {
            output.WriteLine($"warning: {warning}");
        }

        output.WriteLine(path is null ? "Nothing was written." : $"Written: {path} ({ReportFormat.Count(result.Book.Rows.Count())} rows). A running gateway takes it up by itself.");
    }

    private static string Names(IReadOnlyList<string> names) =>
        names.Count == 0 ? "" : $": {string.Join(", ", names.Take(NamesShown))}{(names.Count > NamesShown ? $" and {names.Count - NamesShown} more" : "")}";

    private static IEnumerable<(long Above, PriceFigures Figures)> Steps(Price price) =>
        price.Tiers.Select(static tier => (tier.Above, tier.Figures)).Prepend((0, price.For(0)));

    private static string Figure(decimal figure) => figure.ToString("0.######", CultureInfo.InvariantCulture);

    private static string Days(DateOnly? from, DateOnly? to) => (from, to) switch
    {
        (null, null) => "",
        ({ } first, null) => $"from {first:yyyy-MM-dd}",
        (null, { } end) => $"before {end:yyyy-MM-dd}",
        ({ } first, { } end) => $"{first:yyyy-MM-dd} to before {end:yyyy-MM-dd}",
    };

    private static string Hours(PriceRow row) => row.HasDailyWindow ? $"{row.DailyFrom:HH:mm}-{row.DailyTo:HH:mm}" : "";

    private static void WriteRows(Utf8JsonWriter writer, IReadOnlyList<PriceRow> rows)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("prices");
        foreach (PriceRow row in rows)
        {
            writer.WriteStartObject();
            writer.WriteString("platform", row.Platform);
            writer.WriteString("model", row.Model);
            writer.WriteString("service_tier", ServiceTierName.Of(row.ServiceTier));
            WriteDay(writer, "valid_from", row.ValidFrom);
            WriteDay(writer, "valid_to", row.ValidTo);
            WriteDay(writer, "known_from", row.KnownFrom);
            WriteDay(writer, "known_to", row.KnownTo);
            writer.WriteString("daily_from", row.DailyFrom?.ToString("HH:mm", CultureInfo.InvariantCulture));
            writer.WriteString("daily_to", row.DailyTo?.ToString("HH:mm", CultureInfo.InvariantCulture));
            writer.WriteNumber("per_request", row.Price.PerRequest);
            writer.WriteStartArray("steps");
            foreach ((long above, PriceFigures figures) in Steps(row.Price))
            {
                writer.WriteStartObject();
                writer.WriteNumber("above", above);
                writer.WriteNumber("input", figures.Input);
                writer.WriteNumber("cache_read", figures.CacheRead);
                writer.WriteNumber("cache_write", figures.CacheWrite);
                writer.WriteNumber("cache_write_1h", figures.CacheWriteLong);
                writer.WriteNumber("output", figures.Output);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteString("source", row.Price.Source);
            writer.WriteString("revision", row.Price.Revision);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteDifferences(Utf8JsonWriter writer, IReadOnlyList<PriceDifference> differences)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("differences");
        foreach (PriceDifference found in differences)
        {
            writer.WriteStartObject();
            writer.WriteString("platform", found.Platform);
            writer.WriteString("model", found.Model);
            writer.WriteString("service_tier", ServiceTierName.Of(found.ServiceTier));
            writer.WriteNumber("above", found.Above);
            writer.WriteString("meter", found.Meter);
            writer.WriteNumber("book", found.InBook);
            writer.WriteNumber("list", found.InList);
            writer.WriteOptional("change", found.Change);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteDay(Utf8JsonWriter writer, string name, DateOnly? day) => writer.WriteString(name, day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
}
