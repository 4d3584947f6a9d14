using System.Text.Json;
using Ballast.Balance;
using Ballast.Balance.Capacity;
using Ballast.Balance.Shifts;
using Ballast.Catalog;
using Ballast.Routing.Shares;

namespace Ballast.Cli;

/// <summary>What is measured of exposure, as tables and as JSON beside the tables of what stops by the catalog alone.</summary>
internal static class ExposureAnalysisView
{
    public static IEnumerable<ReportTable> Tables(ExposureFindings found)
    {
        ExposureAnalysis analysis = found.Analysis;
        foreach (DimensionExposure dimension in analysis.Dimensions.Where(static dimension => dimension.Kind != ComponentKind.Deployment))
        {
            string kind = ComponentKindName.Of(dimension.Kind);
            ReportTable table = new(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Measured by {kind}: as concentrated as {dimension.EffectiveNumber:0.00} of equal size (HHI {dimension.Hhi:0})"));
            table.AddTextColumn(kind);
            table.AddNumberColumn("tokens");
            table.AddNumberColumn("critical");
            table.AddNumberColumn("busiest hour", isOptional: true);
            table.AddNumberColumn("trend", isOptional: true);
            table.AddNumberColumn("stops");
            table.AddNumberColumn("90 % interval", isOptional: true);
            table.AddNumberColumn("not proven", isOptional: true);
            table.AddTextColumn("known by", isOptional: true);
            foreach (ComponentUse use in dimension.Components)
            {
                table.AddRow(
                [
                    use.Component.Name, ReportFormat.Percent(use.TokenShare), ReportFormat.Percent(use.CriticalShare), ReportFormat.Percent(use.HourlyMax), Points(use.Trend), ReportFormat.Percent(use.Stops),
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
        yield return CapacityTable(analysis);
        if (analysis.Survival.Count + found.Limits.Count > 0)
        {
            yield return LimitsTable(found);
        }

        if (found.Places.Count > 0)
        {
            yield return PlacesTable(found.Places);
        }
    }

    /// <summary>As people read an interval: one figure where it is known.</summary>
    public static string Room(Survived left) => left.IsKnown ? ReportFormat.Percent(left.High) : $"unknown ({ReportFormat.Percent(left.Low)} to {ReportFormat.Percent(left.High)})";

    /// <summary>What was drawn again for intervals, in words.</summary>
    public static string Stretches(TimeSpan stretch) => stretch.TotalHours >= 1 ? "hours" : stretch.TotalMinutes > 1 ? $"stretches of {stretch.TotalMinutes:0} minutes" : stretch.TotalMinutes == 1 ? "minutes" : stretch.TotalSeconds > 1 ? $"stretches of {stretch.TotalSeconds:0} seconds" : "seconds";

    public static string Word(bool? holds) => holds switch { true => "holds", false => "does not hold", null => "unknown" };

    public static string Word(LimitState state) => state switch { LimitState.Held => "held", LimitState.Suspended => "suspended", LimitState.Breached => "breached", _ => "no traffic" };

    private static string Points(double? change) => change is { } value ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Math.Round(100 * value, 1) + 0.0:+0.0;-0.0;0.0} pp") : ReportFormat.Unknown;

    private static ReportTable CapacityTable(ExposureAnalysis analysis)
    {
        ReportTable table = new($"What the quotas that are left carry of the demand, at the median minute and at the 99th percentile ({ReportFormat.Count((long)analysis.PeakTokens)} tokens)");
        table.AddTextColumn("without");
        table.AddNumberColumn("median");
        table.AddNumberColumn("busiest");
        foreach (CapacityLeft left in analysis.Capacity.Where(static left => left.Gone.Count == 1 || left.Gone.All(static gone => gone.Kind == ComponentKind.Platform)))
        {
            table.AddRow([string.Join(" + ", left.Gone), Room(left.Median), Room(left.Peak)]);
        }

        return table;
    }

    private static ReportTable LimitsTable(ExposureFindings found)
    {
        ReportTable table = new("Limits, since the policy is in force");
        table.AddTextColumn("limit");
        table.AddNumberColumn("agreed");
        table.AddNumberColumn("measured");
        table.AddNumberColumn("worst day");
        table.AddNumberColumn("suspensions");
        table.AddTextColumn("state");
        foreach (LimitCheck limit in found.Limits)
        {
            table.AddRow(
            [
                $"{limit.Rule.Id}: {limit.Rule.Target}", (limit.Rule.IsFloor ? "at least " : "at most ") + ReportFormat.Percent(limit.Rule.Share), ReportFormat.Percent(limit.Share),
                ReportFormat.Percent(limit.DayShare), ReportFormat.Count(limit.Suspensions.Count), Word(limit.State),
            ]);
        }

        foreach (SurvivalCheck check in found.Analysis.Survival)
        {
            table.AddRow([$"{check.Rule}: without any one", "keep " + ReportFormat.Percent(check.Keep), check.Worst is null ? ReportFormat.Unknown : $"{Room(check.Left)} without {check.Worst}", "", "", Word(check.Holds)]);
        }

        return table;
    }

    private static ReportTable PlacesTable(IReadOnlyList<ObservedPlace> places)
    {
        ReportTable table = new("Where accounts' addresses lie, by your range files");
        table.AddTextColumn("account");
        table.AddTextColumn("address");
        table.AddTextColumn("lies in");
        table.AddTextColumn("configured as");
        foreach (ObservedPlace place in places)
        {
            bool isOff = place.Mismatches.Any();
            table.AddRow([place.Provider.Name, place.Host, place.Fault ?? (place.Found.Count == 0 ? "none of the ranges" : string.Join(", ", place.Found)), $"platform {place.Provider.Platform}, region {place.Provider.Region}{(isOff ? " - differs" : "")}"]);
        }

        return table;
    }

    /// <summary>Properties of the object that is open.</summary>
    public static void WriteJson(Utf8JsonWriter writer, ExposureFindings found)
    {
        ExposureAnalysis analysis = found.Analysis;
        writer.WriteNumber("common_mode_gap", Math.Round(analysis.CommonModeGap, 4));
        writer.WriteStartArray("dimensions");
        foreach (DimensionExposure dimension in analysis.Dimensions)
        {
            writer.WriteStartObject();
            writer.WriteString("dimension", ComponentKindName.Of(dimension.Kind));
            writer.WriteNumber("hhi", Math.Round(dimension.Hhi, 1));
            writer.WriteNumber("effective_number", Math.Round(dimension.EffectiveNumber, 4));
            writer.WriteNumber("entropy_number", Math.Round(dimension.EntropyNumber, 4));
            writer.WriteStartArray("components");
            foreach (ComponentUse use in dimension.Components)
            {
                Write(writer, use);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        WriteCuts(writer, analysis);
        writer.WriteTexts("gateway", [.. analysis.Gateway.Select(static edge => edge.Component.ToString())]);
        WriteRelaxations(writer, found.Relaxations);
        WriteCapacity(writer, analysis);
        WriteLimits(writer, found);
        WritePlaces(writer, found.Places);
        WriteShifts(writer, found.Shifts);
    }

    private static void WriteCuts(Utf8JsonWriter writer, ExposureAnalysis analysis)
    {
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
    }

    private static void WritePlaces(Utf8JsonWriter writer, IReadOnlyList<ObservedPlace> places)
    {
        writer.WriteStartArray("observed_places");
        foreach (ObservedPlace place in places)
        {
            writer.WriteStartObject();
            writer.WriteString("provider", place.Provider.Name);
            writer.WriteString("host", place.Host);
            writer.WriteTexts("found", place.Found.Select(static component => component.ToString()));
            writer.WriteTexts("mismatches", place.Mismatches.Select(static component => component.ToString()));
            writer.WriteString("fault", place.Fault);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteShifts(Utf8JsonWriter writer, IReadOnlyList<RecordedShift> shifts)
    {
        writer.WriteStartArray("shifts");
        foreach (RecordedShift shift in shifts)
        {
            writer.WriteStartObject();
            writer.WriteMoment("at", shift.At);
            writer.WriteString("kind", shift.Kind);
            writer.WriteString("subject", shift.Subject);
            writer.WriteString("text", shift.Text);
            writer.WriteOptional("change", shift.Change);
            writer.WriteOptional("p", shift.Probability);
            writer.WriteTexts("apps", shift.Apps);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteCapacity(Utf8JsonWriter writer, ExposureAnalysis analysis)
    {
        writer.WriteStartArray("capacity");
        foreach (CapacityLeft left in analysis.Capacity)
        {
            writer.WriteStartObject();
            writer.WriteTexts("without", left.Gone.Select(static component => component.ToString()));
            Write(writer, "median", left.Median);
            Write(writer, "peak", left.Peak);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteTexts("unknown_quotas", analysis.UnknownQuotas);
    }

    /// <summary>Null where it hangs on quotas that nobody knows; then between the two others.</summary>
    private static void Write(Utf8JsonWriter writer, string name, Survived left)
    {
        writer.WriteOptional(name, left.IsKnown ? left.High : null);
        writer.WriteOptional(name + "_low", (double?)left.Low);
        writer.WriteOptional(name + "_high", (double?)left.High);
    }

    private static void WriteLimits(Utf8JsonWriter writer, ExposureFindings found)
    {
        writer.WriteStartArray("limits");
        foreach (LimitCheck limit in found.Limits)
        {
            writer.WriteStartObject();
            writer.WriteString("rule", limit.Rule.Id);
            writer.WriteString("scope", limit.Rule.Scope);
            writer.WriteString("target", limit.Rule.Target.ToString());
            writer.WriteString("kind", limit.Rule.IsFloor ? "floor" : "cap");
            writer.WriteNumber("agreed", limit.Rule.Share);
            writer.WriteOptional("measured", limit.Share);
            writer.WriteOptional("worst_day_share", limit.DayShare);
            writer.WriteString("worst_day", limit.Day?.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
            writer.WriteNumber("suspensions", limit.Suspensions.Count);
            writer.WriteString("state", Word(limit.State));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("survival");
        foreach (SurvivalCheck check in found.Analysis.Survival)
        {
            writer.WriteStartObject();
            writer.WriteString("rule", check.Rule);
            writer.WriteNumber("keep", check.Keep);
            writer.WriteString("worst", check.Worst?.ToString());
            Write(writer, "left", check.Left);
            writer.WriteString("state", Word(check.Holds));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
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
        writer.WriteOptional("hourly_min", use.HourlyMin);
        writer.WriteOptional("trend", use.Trend);
        writer.WriteOptional("room", (double?)use.Room);
        writer.WriteOptional("stops", (double?)use.Stops);
        writer.WriteOptional("stops_low", (double?)use.StopsInterval.Low);
        writer.WriteOptional("stops_high", (double?)use.StopsInterval.High);
        writer.WriteOptional("stops_requests_per_hour", (double?)use.StopsPerHour);
        writer.WriteOptional("unproven", (double?)use.Unproven);
        writer.WriteOptional("unproven_low", (double?)use.UnprovenInterval.Low);
        writer.WriteOptional("unproven_high", (double?)use.UnprovenInterval.High);
        writer.WriteString("shares_are", "measured");
        writer.WriteString("stops_is", "modelled");
        writer.WriteEndObject();
    }

    private static long Count(ModelCuts model, int size) => model.Cuts.Count(cut => cut.Components.Count == size);
}
