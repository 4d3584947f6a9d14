using System.Text.Json;
using Ballast.Balance;
using Ballast.Catalog;
using Ballast.Routing.Shares;

namespace Ballast.Cli;

/// <summary>What is measured of exposure, as tables and as JSON beside the tables of what stops by the catalog alone.</summary>
internal static class ExposureAnalysisView
{
    public static IEnumerable<ReportTable> Tables(ExposureAnalysis analysis)
    {
        foreach (DimensionExposure dimension in analysis.Dimensions.Where(static dimension => dimension.Kind != ComponentKind.Deployment))
        {
            string kind = ComponentKindName.Of(dimension.Kind);
            ReportTable table = new(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Measured by {kind}: as concentrated as {dimension.EffectiveNumber:0.00} of equal size (HHI {dimension.Hhi:0})"));
            table.AddTextColumn(kind);
            table.AddNumberColumn("tokens");
            table.AddNumberColumn("critical");
            table.AddNumberColumn("busiest hour", isOptional: true);
            table.AddNumberColumn("stops");
            table.AddNumberColumn("90 % interval", isOptional: true);
            table.AddNumberColumn("not proven", isOptional: true);
            table.AddTextColumn("known by", isOptional: true);
            foreach (ComponentUse use in dimension.Components)
            {
                table.AddRow(
                [
                    use.Component.Name, ReportFormat.Percent(use.TokenShare), ReportFormat.Percent(use.CriticalShare), ReportFormat.Percent(use.HourlyMax), ReportFormat.Percent(use.Stops),
                    $"{ReportFormat.Percent(use.StopsInterval.Low)}–{ReportFormat.Percent(use.StopsInterval.High)}", ReportFormat.Percent(use.Unproven), use.Provenance.ToString().ToLowerInvariant(),
                ]);
            }

            yield return table;
        }

        ReportTable cuts = new("What stops a model, up to three components together");
        cuts.AddTextColumn("model");
        cuts.AddTextColumn("apps", isOptional: true);
        cuts.AddTextColumn("alone");
        cuts.AddNumberColumn("pairs");
        cuts.AddNumberColumn("triples");
        foreach (ModelCuts model in analysis.Models)
        {
            string alone = string.Join(", ", model.SinglePoints);
            cuts.AddRow([model.Model, string.Join(", ", model.Apps), alone.Length == 0 ? "nothing" : alone, ReportFormat.Count(Count(model, 2)), ReportFormat.Count(Count(model, 3))]);
        }

        yield return cuts;
    }

    /// <summary>Properties of the object that is open.</summary>
    public static void WriteJson(Utf8JsonWriter writer, ExposureAnalysis analysis, IReadOnlyList<Relaxation> relaxations)
    {
        writer.WriteNumber("common_mode_gap", Math.Round(analysis.CommonModeGap, 4));
        writer.WriteStartArray("dimensions");
        foreach (DimensionExposure dimension in analysis.Dimensions)
        {
            writer.WriteStartObject();
            writer.WriteString("dimension", ComponentKindName.Of(dimension.Kind));
            writer.WriteNumber("hhi", Math.Round(dimension.Hhi, 1));
            writer.WriteNumber("effective_number", Math.Round(dimension.EffectiveNumber, 4));
            writer.WriteStartArray("components");
            foreach (ComponentUse use in dimension.Components)
            {
                Write(writer, use);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("cut_sets");
        foreach (ModelCuts model in analysis.Models)
        {
            writer.WriteStartObject();
            writer.WriteString("model", model.Model);
            writer.WriteTexts("apps", model.Apps);
            writer.WriteStartArray("sets");
            foreach (CutSet cut in model.Cuts)
            {
                writer.WriteStartArray();
                foreach (Component component in cut.Components)
                {
                    writer.WriteStringValue(component.ToString());
                }

                writer.WriteEndArray();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("failing_together");
        foreach (SharedFailure mode in analysis.SharedFailures)
        {
            writer.WriteStartObject();
            writer.WriteTexts("providers", [mode.One, mode.Other]);
            writer.WriteNumber("phi", Math.Round(mode.Phi, 4));
            writer.WriteNumber("minutes", mode.Minutes);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteTexts("gateway", [.. analysis.Gateway.Select(static edge => edge.Component.ToString())]);
        WriteRelaxations(writer, relaxations);
    }

    private static void WriteRelaxations(Utf8JsonWriter writer, IReadOnlyList<Relaxation> relaxations)
    {
        writer.WriteStartArray("suspensions");
        foreach (Relaxation one in relaxations)
        {
            writer.WriteStartObject();
            writer.WriteString("rule", one.Rule);
            writer.WriteString("cause", one.CauseName);
            writer.WriteString("started", one.StartedAt);
            writer.WriteString("last", one.LastAt);
            writer.WriteNumber("requests", one.Requests);
            writer.WriteNumber("volume", Math.Round(one.Volume, 3));
            writer.WriteBoolean("over", one.IsOver);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter writer, ComponentUse use)
    {
        writer.WriteStartObject();
        writer.WriteString("name", use.Component.Name);
        writer.WriteString("provenance", use.Provenance.ToString().ToLowerInvariant());
        writer.WriteOptional("request_share", use.RequestShare);
        writer.WriteOptional("token_share", use.TokenShare);
        writer.WriteOptional("cost_share", use.CostShare);
        writer.WriteOptional("critical_share", use.CriticalShare);
        writer.WriteOptional("hourly_max", use.HourlyMax);
        writer.WriteOptional("stops", (double?)use.Stops);
        writer.WriteOptional("stops_low", (double?)use.StopsInterval.Low);
        writer.WriteOptional("stops_high", (double?)use.StopsInterval.High);
        writer.WriteOptional("unproven", (double?)use.Unproven);
        writer.WriteString("shares_are", "measured");
        writer.WriteString("stops_is", "modelled");
        writer.WriteEndObject();
    }

    private static long Count(ModelCuts model, int size) => model.Cuts.Count(cut => cut.Components.Count == size);
}
