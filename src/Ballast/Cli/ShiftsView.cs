using System.Globalization;
using System.Text.Json;
using Ballast.Balance.Shifts;

namespace Ballast.Cli;

/// <summary>Shifts as tables and as JSON.</summary>
internal static class ShiftsView
{
    public static void Write(ShiftReport report, ReportRequest request, bool all)
    {
        if (request.Form == ReportForm.Json)
        {
            ReportJson.WriteLine(request.Output, writer => WriteJson(writer, report, all));
            return;
        }

        ShiftAnalysis analysis = report.Analysis;
        IReadOnlyList<Shift> shown = all ? analysis.Comparisons : analysis.Found;
        if (shown.Count > 0)
        {
            request.Write(Table(report, shown));
        }

        request.Output.WriteLine(analysis.Comparisons.Count == 0
            ? $"Nothing can be compared: {(report.Attempts == 0 ? "there are no attempts" : $"each window needs {ShiftAnalysis.StretchesMin} stretches of {Words(report.Stretch)} with {ShiftAnalysis.RequestsMin} requests each")} from {ReportFormat.Moment(report.From, "")} to {ReportFormat.Moment(report.Until, "")}. {(report.Attempts == 0 ? "Send requests through the gateway, or look" : "Look")} further back with --since, such as --since 30d."
            : $"{(analysis.Found.Count == 0 ? "Nothing has shifted" : $"{analysis.Found.Count} shifts")}: {analysis.Comparisons.Count} figures compared over stretches of {Words(report.Stretch)}, {Number(analysis.FalseAlarms)} false alarms to expect if nothing had changed; {analysis.Untold} had too little traffic.");
        request.Output.WriteLine();
        if (report.Announced.Count > 0)
        {
            request.Write(Table(report.Announced));
        }
    }

    private static ReportTable Table(ShiftReport report, IReadOnlyList<Shift> shifts)
    {
        ReportTable table = new($"Changed since {ReportFormat.Moment(report.Middle, "")}, against as much time before");
        table.AddTextColumn("what");
        table.AddTextColumn("figure");
        table.AddNumberColumn("before");
        table.AddNumberColumn("after");
        table.AddNumberColumn("change");
        table.AddNumberColumn("p");
        table.AddNumberColumn("p of all", isOptional: true);
        table.AddTextColumn("apps", isOptional: true);
        foreach (Shift shift in shifts)
        {
            table.AddRow(
            [
                shift.Subject.ToString(), ShiftEvents.NameOf(shift.Metric), ShiftEvents.Print(shift.Metric, shift.Before), ShiftEvents.Print(shift.Metric, shift.After),
                shift.Change is { } change ? string.Create(CultureInfo.InvariantCulture, $"{100 * change:+0.0;-0.0} %") : shift.After > 0 ? "new" : "none",
                Probability(shift.Probability), Probability(shift.FamilyProbability), string.Join(", ", shift.Apps),
            ]);
        }

        return table;
    }

    private static ReportTable Table(IReadOnlyList<CatalogChange> changes)
    {
        ReportTable table = new("Announced, by price book and configuration");
        table.AddTextColumn("day");
        table.AddTextColumn("deployment");
        table.AddTextColumn("what");
        table.AddTextColumn("apps that used it");
        foreach (CatalogChange change in changes)
        {
            table.AddRow([change.Day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), change.Deployment, change.Text, change.Apps.Count == 0 ? "none" : string.Join(", ", change.Apps)]);
        }

        return table;
    }

    private static void WriteJson(Utf8JsonWriter writer, ShiftReport report, bool all)
    {
        ShiftAnalysis analysis = report.Analysis;
        writer.WriteStartObject();
        writer.WriteMoment("before_from", report.From);
        writer.WriteMoment("after_from", report.Middle);
        writer.WriteMoment("until", report.Until);
        writer.WriteNumber("stretch_seconds", report.Stretch.TotalSeconds);
        writer.WriteNumber("attempts", report.Attempts);
        writer.WriteNumber("comparisons", analysis.Comparisons.Count);
        writer.WriteNumber("too_little_traffic", analysis.Untold);
        writer.WriteNumber("false_alarms_expected", Math.Round(analysis.FalseAlarms, 6));
        writer.WriteStartArray("shifts");
        foreach (Shift shift in all ? analysis.Comparisons : analysis.Found)
        {
            writer.WriteStartObject();
            writer.WriteString("subject", shift.Subject.ToString());
            writer.WriteString("metric", ShiftEvents.NameOf(shift.Metric));
            writer.WriteNumber("before", shift.Before);
            writer.WriteNumber("after", shift.After);
            writer.WriteOptional("change", shift.Change);
            writer.WriteOptional("after_low", Finite(shift.Interval.Low));
            writer.WriteOptional("after_high", Finite(shift.Interval.High));
            writer.WriteNumber("p", shift.Probability);
            writer.WriteNumber("p_family", shift.FamilyProbability);
            writer.WriteNumber("stretches_before", shift.CountBefore);
            writer.WriteNumber("stretches_after", shift.CountAfter);
            writer.WriteBoolean("found", shift.IsFound);
            writer.WriteTexts("apps", shift.Apps);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("announced");
        foreach (CatalogChange change in report.Announced)
        {
            writer.WriteStartObject();
            writer.WriteString("kind", ShiftEvents.NameOf(change.Kind));
            writer.WriteString("deployment", change.Deployment);
            writer.WriteString("day", change.Day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
            writer.WriteString("text", change.Text);
            writer.WriteTexts("apps", change.Apps);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static string Probability(double value) => value < 1e-6 ? "<0.000001" : value.ToString("0.000000", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static string Words(TimeSpan stretch) => stretch.TotalHours >= 1 ? "an hour" : stretch.TotalMinutes > 1 ? $"{stretch.TotalMinutes:0} minutes" : stretch.TotalMinutes == 1 ? "a minute" : $"{stretch.TotalSeconds:0} seconds";
}
