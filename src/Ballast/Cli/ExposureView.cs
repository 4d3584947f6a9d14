using Ballast.Catalog;
using System.Globalization;
using System.Text.Json;
using Ballast.Balance;
using Ballast.Ledger;

namespace Ballast.Cli;

/// <summary>An exposure report as tables, one for each kind of component, and as JSON. The demo's closing table is one of them.</summary>
internal static class ExposureView
{
    public static ReportTable Table(ExposureReport report, ComponentKind kind)
    {
        ReportTable table = new($"By {Name(kind)}: share of traffic, and what stops if it disappears");
        table.AddTextColumn(Name(kind));
        table.AddNumberColumn("requests");
        table.AddNumberColumn("share");
        table.AddNumberColumn("tokens", isOptional: true);
        table.AddNumberColumn("cost");
        table.AddNumberColumn("of cost", isOptional: true);
        table.AddTextColumn("stops without it");
        table.AddTextColumn("goes on with fewer", isOptional: true);
        foreach (ComponentExposure exposure in report.Of(kind))
        {
            table.AddRow(
            [
                exposure.Component.Name,
                ReportFormat.Count(exposure.Requests),
                ReportFormat.Percent(exposure.RequestShare),
                ReportFormat.Percent(exposure.TokenShare),
                ReportFormat.Usd(exposure.CostUsd),
                ReportFormat.Percent(exposure.CostShare),
                Stops(report, exposure),
                exposure.Cut.Thinned.Count == 0 ? ReportFormat.Unknown : string.Join(", ", exposure.Cut.Thinned.Select(Describe)),
            ]);
        }

        return table;
    }

    public static void WriteJson(Utf8JsonWriter writer, ExposureReport report, LedgerFilter filter, Action<Utf8JsonWriter>? more = null)
    {
        writer.WriteStartObject();
        writer.WriteMoment("since", filter.Since);
        writer.WriteMoment("until", filter.Until);
        writer.WriteNumber("requests", report.Requests);
        writer.WriteNumber("tokens", report.Tokens);
        writer.WriteNumber("cost_usd", report.CostUsd);
        writer.WriteNumber("named_models", report.NamedModels);
        foreach (ComponentKind kind in Component.ConfiguredKinds)
        {
            writer.WriteStartArray(Name(kind));
            foreach (ComponentExposure exposure in report.Of(kind))
            {
                WriteComponent(writer, exposure);
            }

            writer.WriteEndArray();
        }

        WriteStopped(writer, "unanswerable", report.Unanswerable);
        more?.Invoke(writer);
        writer.WriteEndObject();
    }

    public static string Name(ComponentKind kind) => kind switch
    {
        ComponentKind.Vendor => "vendor",
        ComponentKind.Platform => "platform",
        ComponentKind.Region => "region",
        ComponentKind.Provider => "provider",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>The model; in brackets the applications, where not all are concerned.</summary>
    public static string Describe(StoppedModel model) =>
        model.ForAll ? model.Model : $"{model.Model} (for {string.Join(", ", model.Apps)})";

    private static string Stops(ExposureReport report, ComponentExposure exposure) =>
        !exposure.IsInCatalog ? "not in today's catalog"
        : report.NamedModels == 0 ? string.Create(CultureInfo.InvariantCulture, $"all of its {exposure.Cut.DeploymentsGone} deployments: no model has a fallback")
        : exposure.Cut.Stopped.Count == 0 ? "nothing"
        : string.Join(", ", exposure.Cut.Stopped.Select(Describe));

    private static string Describe(ThinnedModel model) =>
        string.Create(CultureInfo.InvariantCulture, $"{model.Model} ({model.Left} of {model.Of} left)");

    private static void WriteComponent(Utf8JsonWriter writer, ComponentExposure exposure)
    {
        writer.WriteStartObject();
        writer.WriteString("name", exposure.Component.Name);
        writer.WriteNumber("requests", exposure.Requests);
        writer.WriteNumber("tokens", exposure.Tokens);
        writer.WriteNumber("cost_usd", exposure.CostUsd);
        writer.WriteOptional("request_share", exposure.RequestShare);
        writer.WriteOptional("token_share", exposure.TokenShare);
        writer.WriteOptional("cost_share", exposure.CostShare);
        writer.WriteBoolean("in_catalog", exposure.IsInCatalog);
        writer.WriteNumber("deployments", exposure.Cut.DeploymentsGone);
        WriteStopped(writer, "stops", exposure.Cut.Stopped);
        writer.WriteStartArray("thins");
        foreach (ThinnedModel model in exposure.Cut.Thinned)
        {
            writer.WriteStartObject();
            writer.WriteString("model", model.Model);
            writer.WriteNumber("left", model.Left);
            writer.WriteNumber("of", model.Of);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteStopped(Utf8JsonWriter writer, string name, IReadOnlyList<StoppedModel> models)
    {
        writer.WriteStartArray(name);
        foreach (StoppedModel model in models)
        {
            writer.WriteStartObject();
            writer.WriteString("model", model.Model);
            writer.WriteBoolean("for_all", model.ForAll);
            writer.WriteTexts("apps", model.Apps);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
