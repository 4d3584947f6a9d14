using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>The results as a table, or as one line of JSON.</summary>
internal static class ConformanceView
{
    public static ReportTable Table(IReadOnlyList<CheckResult> results, string title)
    {
        ReportTable table = new(title);
        table.AddTextColumn("surface");
        table.AddTextColumn("check");
        table.AddTextColumn("result");
        table.AddTextColumn("what must hold, or what was found instead");
        foreach (CheckResult result in results)
        {
            table.AddRow([result.Check.Surface, result.Check.Name, Word(result.Outcome), result.Detail ?? result.Check.Requirement]);
        }

        return table;
    }

    public static void WriteJson(Utf8JsonWriter writer, IReadOnlyList<CheckResult> results, Subject subject)
    {
        writer.WriteStartObject();
        writer.WriteString("url", subject.Root);
        writer.WriteString("model", subject.Model);
        writer.WriteNumber("passed", Count(results, CheckOutcome.Passed));
        writer.WriteNumber("failed", Count(results, CheckOutcome.Failed));
        writer.WriteNumber("not_offered", Count(results, CheckOutcome.NotOffered));
        writer.WriteStartArray("checks");
        foreach (CheckResult result in results)
        {
            writer.WriteStartObject();
            writer.WriteString("surface", result.Check.Surface);
            writer.WriteString("check", result.Check.Name);
            writer.WriteString("result", Word(result.Outcome).Replace(' ', '_'));
            writer.WriteString("requirement", result.Check.Requirement);
            writer.WriteString("detail", result.Detail);
            writer.WriteMilliseconds("ms", result.Duration);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public static string Summary(IReadOnlyList<CheckResult> results) =>
        $"{Count(results, CheckOutcome.Passed)} passed, {Count(results, CheckOutcome.Failed)} failed, {Count(results, CheckOutcome.NotOffered)} not offered";

    public static int Count(IReadOnlyList<CheckResult> results, CheckOutcome outcome) => results.Count(result => result.Outcome == outcome);

    private static string Word(CheckOutcome outcome) => outcome switch
    {
        CheckOutcome.Passed => "passed",
        CheckOutcome.Failed => "FAILED",
        _ => "not offered",
    };
}
