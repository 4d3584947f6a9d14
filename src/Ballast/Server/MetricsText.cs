using System.Globalization;
using System.Text;
using Ballast.Ledger;
using Ballast.Routing;

namespace Ballast.Server;

/// <summary>The running totals in Prometheus' text format 0.0.4.</summary>
public static class MetricsText
{
    public static string Of(BallastServer server)
    {
        LiveSnapshot totals = server.Totals.Snapshot();
        StringBuilder text = new();
        Single(text, "ballast_requests_total", "counter", "Requests that had an attempt.", totals.Requests);
        Single(text, "ballast_failovers_total", "counter", "Answers given by a second or later attempt.", totals.Failovers);
        Single(text, "ballast_requests_running", "gauge", "Requests being served.", server.Guard.Running);
        Single(text, "ballast_cost_usd_total", "counter", "Cost in US dollars, as far as prices are known.", (double)totals.CostUsd);
        Single(text, "ballast_ledger_pending_rows", "gauge", "Ledger rows that wait for the store.", server.Ledger.Pending);
        Single(text, "ballast_ledger_failures_total", "counter", "Batches that the ledger's store refused.", server.Ledger.Failures);
        Single(text, "ballast_catalog_revision", "gauge", "Revision of the configuration in force.", server.Catalog.Current.Revision);
        Head(text, "ballast_attempts_total", "counter", "Attempts by how they ended.");
        Outcome(text, "completed", totals.Completed);
        Outcome(text, "failed", totals.Failed);
        Outcome(text, "interrupted", totals.Interrupted);
        Outcome(text, "cancelled", totals.Cancelled);
        Components(text, "platform", totals.Platforms);
        Components(text, "vendor", totals.Vendors);
        Head(text, "ballast_deployment_open", "gauge", "1 while a deployment's breaker is open.");
        foreach ((string name, DeploymentHealth health) in server.Health.All.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"ballast_deployment_open{{deployment=\"{Escape(name)}\"}} {(health.IsOpen ? 1 : 0)}\n");
        }

        return text.ToString();
    }

    private static void Components(StringBuilder text, string dimension, IReadOnlyList<LiveComponent> components)
    {
        Head(text, $"ballast_{dimension}_answered_total", "counter", $"Requests answered, by {dimension}.");
        foreach (LiveComponent component in components)
        {
            text.Append(CultureInfo.InvariantCulture, $"ballast_{dimension}_answered_total{{{dimension}=\"{Escape(component.Name)}\"}} {component.Answered}\n");
        }

        Head(text, $"ballast_{dimension}_cost_usd_total", "counter", $"Cost in US dollars, by {dimension}.");
        foreach (LiveComponent component in components)
        {
            text.Append(CultureInfo.InvariantCulture, $"ballast_{dimension}_cost_usd_total{{{dimension}=\"{Escape(component.Name)}\"}} {component.CostUsd}\n");
        }
    }

    private static void Outcome(StringBuilder text, string outcome, long count) =>
        text.Append(CultureInfo.InvariantCulture, $"ballast_attempts_total{{outcome=\"{outcome}\"}} {count}\n");

    private static void Single(StringBuilder text, string name, string type, string help, double value)
    {
        Head(text, name, type, help);
        text.Append(CultureInfo.InvariantCulture, $"{name} {value}\n");
    }

    private static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

    private static string Escape(string value) => value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");
}
