using System.Text.Json;
using Ballast.Balance;
using Ballast.Ledger;

namespace Ballast.Cli;

/// <summary>A comparison as a table of two columns and as JSON.</summary>
internal static class ComparisonView
{
    public static ReportTable Table(Comparison comparison, string title)
    {
        ReportTable table = new(title);
        table.AddTextColumn("");
        table.AddTextColumn(comparison.A.Subject.ToString());
        table.AddTextColumn(comparison.B.Subject.ToString());
        foreach ((string name, Func<ComparisonSide, string> text) in Measured())
        {
            table.AddRow([name, text(comparison.A), text(comparison.B)]);
        }

        if (comparison.A.Elsewhere is not null)
        {
            table.AddRow(["where its models can be had", Places(comparison.A), Places(comparison.B)]);
        }

        foreach ((string name, Func<DeclaredProfile, DeclaredFact> fact) in Declared())
        {
            table.AddRow([name + " (declared)", Text(comparison.A, fact), Text(comparison.B, fact)]);
        }

        return table;
    }

    public static void WriteJson(Utf8JsonWriter writer, Comparison comparison, LedgerFilter filter)
    {
        writer.WriteStartObject();
        writer.WriteMoment("since", filter.Since);
        writer.WriteMoment("until", filter.Until);
        WriteSide(writer, "a", comparison.A);
        WriteSide(writer, "b", comparison.B);
        writer.WriteEndObject();
    }

    private static IEnumerable<(string Name, Func<ComparisonSide, string> Text)> Measured() =>
    [
        ("input, per 1M tokens as paid", side => ReportFormat.Usd(side.InputPrice)),
        ("output, per 1M tokens as paid", side => ReportFormat.Usd(side.OutputPrice)),
        ("time to first token, p50", side => ReportFormat.Time(side.Figures.TtftP50)),
        ("time to first token, p95", side => ReportFormat.Time(side.Figures.TtftP95)),
        ("output tokens per second", side => ReportFormat.Speed(side.TokensPerSecond)),
        ("errors, of attempts", side => ReportFormat.Percent(side.ErrorRate)),
        ("rate limited (429), of attempts", side => ReportFormat.Percent(side.RateLimitedRate)),
        ("refusals, of answers", side => ReportFormat.Percent(side.RefusalRate)),
        ("requests answered", side => ReportFormat.Count(side.Figures.Answered)),
        ("share of requests", side => ReportFormat.Percent(side.RequestShare)),
        ("cost", side => ReportFormat.Usd(side.Figures.CostUsd)
            + (side.Figures.UnknownCost > 0 ? $" and {ReportFormat.Count(side.Figures.UnknownCost)} attempts without a price" : "")),
        ("share of cost", side => ReportFormat.Percent(side.CostShare)),
    ];

    private static IEnumerable<(string Name, Func<DeclaredProfile, DeclaredFact> Fact)> Declared() =>
    [
        ("enterprise integration", profile => profile.EnterpriseIntegration),
        ("safety approach", profile => profile.SafetyApproach),
        ("ecosystem", profile => profile.Ecosystem),
    ];

    private static string Places(ComparisonSide side) => side.Elsewhere switch
    {
        null => ReportFormat.Unknown,
        { Count: 0 } => "none in the catalog",
        _ => string.Join("; ", side.Elsewhere.Select(model =>
            $"{model.Model}: {(model.Platforms.Count == 0 ? "nowhere else" : string.Join(", ", model.Platforms))}")),
    };

    private static string Text(ComparisonSide side, Func<DeclaredProfile, DeclaredFact> fact) =>
        side.Declared is { } profile && fact(profile) is { } found ? $"{found.Text} [{found.Source}; {found.Date}]" : ReportFormat.Unknown;

    private static void WriteSide(Utf8JsonWriter writer, string name, ComparisonSide side)
    {
        writer.WriteStartObject(name);
        writer.WriteString("name", side.Subject.Name);
        writer.WriteString("kind", ExposureView.Name(side.Subject.Kind));
        writer.WriteOptional("input_usd_per_million", side.InputPrice);
        writer.WriteOptional("output_usd_per_million", side.OutputPrice);
        writer.WriteMilliseconds("ttft_p50_ms", side.Figures.TtftP50);
        writer.WriteMilliseconds("ttft_p95_ms", side.Figures.TtftP95);
        writer.WriteOptional("output_tokens_per_second", side.TokensPerSecond);
        writer.WriteOptional("error_rate", side.ErrorRate);
        writer.WriteOptional("rate_limited_rate", side.RateLimitedRate);
        writer.WriteOptional("refusal_rate", side.RefusalRate);
        writer.WriteNumber("attempts", side.Figures.Attempts);
        writer.WriteNumber("answered", side.Figures.Answered);
        writer.WriteOptional("request_share", side.RequestShare);
        writer.WriteNumber("cost_usd", side.Figures.CostUsd);
        writer.WriteNumber("unknown_cost", side.Figures.UnknownCost);
        writer.WriteOptional("cost_share", side.CostShare);
        WriteElsewhere(writer, side.Elsewhere);
        writer.WriteStartObject("declared");
        WriteFact(writer, "enterprise_integration", side.Declared?.EnterpriseIntegration);
        WriteFact(writer, "safety_approach", side.Declared?.SafetyApproach);
        WriteFact(writer, "ecosystem", side.Declared?.Ecosystem);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteElsewhere(Utf8JsonWriter writer, IReadOnlyList<ModelPlaces>? models)
    {
        if (models is null)
        {
            writer.WriteNull("models");
            return;
        }

        writer.WriteStartArray("models");
        foreach (ModelPlaces model in models)
        {
            writer.WriteStartObject();
            writer.WriteString("model", model.Model);
            writer.WriteTexts("platforms", model.Platforms);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteFact(Utf8JsonWriter writer, string name, DeclaredFact? fact)
    {
        if (fact is null)
        {
            writer.WriteNull(name);
            return;
        }

        writer.WriteStartObject(name);
        writer.WriteString("text", fact.Text);
        writer.WriteString("source", fact.Source);
        writer.WriteString("date", fact.Date);
        writer.WriteEndObject();
    }
}
