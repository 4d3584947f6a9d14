using System.Globalization;
using System.Text;
using Ballast.Catalog;
using Ballast.Ledger;
using Ballast.Routing.Shares;

namespace Ballast.Server;

/// <summary>The running totals in Prometheus' text format 0.0.4. Label values come from the configuration or are counted up to a limit: callers cannot invent any.</summary>
public static class MetricsText
{
    public static string Of(BallastServer server)
    {
        LiveSnapshot totals = server.Totals.Snapshot();
        CatalogSnapshot catalog = server.Catalog.Current;
        StringBuilder text = new();
        Single(text, "ballast_requests_total", "counter", "Requests that had an attempt.", totals.Requests);
        Single(text, "ballast_requests_failed_total", "counter", "Requests whose last attempt failed.", totals.RequestsFailed);
        Single(text, "ballast_requests_turned_away_total", "counter", "Requests that nothing was tried for: all resting, none lawful, or no room.", totals.RequestsTurnedAway);
        Single(text, "ballast_requests_running", "gauge", "Requests being served.", server.Guard.Running);
        Single(text, "ballast_requests_waiting", "gauge", "Requests that wait for a quota or a share to have room.", server.Room.Waiting);
        Single(text, "ballast_requests_waited_total", "counter", "Requests that waited and found room.", server.Room.Served);
        Single(text, "ballast_failovers_total", "counter", "Answers given by a second or later attempt.", totals.Failovers);
        Head(text, "ballast_attempts_total", "counter", "Attempts by how they ended.");
        Line(text, "ballast_attempts_total", "outcome", "completed", totals.Completed);
        Line(text, "ballast_attempts_total", "outcome", "failed", totals.Failed);
        Line(text, "ballast_attempts_total", "outcome", "interrupted", totals.Interrupted);
        Line(text, "ballast_attempts_total", "outcome", "cancelled", totals.Cancelled);
        Head(text, "ballast_tokens_total", "counter", "Tokens by direction; input includes cached input.");
        Line(text, "ballast_tokens_total", "direction", "input", totals.InputTokens);
        Line(text, "ballast_tokens_total", "direction", "output", totals.OutputTokens);
        Single(text, "ballast_cost_usd_total", "counter", "Cost in US dollars, as far as prices are known.", totals.CostUsd);
        Times(text, "ballast_time_to_first_token_seconds", "From sending to the first content, of streams.", totals.Ttft);
        Components(text, "platform", totals.Platforms);
        Components(text, "vendor", totals.Vendors);
        Components(text, "deployment", totals.Deployments);
        Head(text, "ballast_deployment_open", "gauge", "1 while a deployment's breaker is open.");
        foreach (Deployment deployment in catalog.Deployments.Values.OrderBy(deployment => deployment.Name, StringComparer.Ordinal))
        {
            Line(text, "ballast_deployment_open", "deployment", deployment.Name, server.Health.Find(deployment) is { IsOpen: true } ? 1 : 0);
        }

        QuotaText.Write(text, server.Quotas, catalog);
        GenAIText.Write(text, server.Meter);
        if (server.Export is { } export)
        {
            Single(text, "ballast_telemetry_spans_sent_total", "counter", "Spans that the collector has taken.", export.SpansSent);
            Single(text, "ballast_telemetry_spans_dropped_total", "counter", "Spans that found no room, or that the collector refused.", export.SpansDropped);
            Single(text, "ballast_telemetry_measurements_dropped_total", "counter", "Measurements that found no room on their way to the collector.", export.MeasurementsDropped);
        }

        if (server.Tls is { } tls)
        {
            Single(text, "ballast_tls_certificate_end_seconds", "gauge", "When the certificate of the ports ends, in seconds since 1970.", tls.NotAfter.ToUnixTimeSeconds());
            Single(text, "ballast_tls_refused_changes_total", "counter", "Changes of the certificate's files that could not be used.", tls.Failures);
        }

        Shares(text, server);
        Single(text, "ballast_ledger_written_rows_total", "counter", "Ledger rows that the store has taken.", server.Ledger.Written);
        Single(text, "ballast_ledger_pending_rows", "gauge", "Ledger rows that wait for the store.", server.Ledger.Pending);
        Single(text, "ballast_ledger_failures_total", "counter", "Batches that the ledger's store refused.", server.Ledger.Failures);
        Single(text, "ballast_ready", "gauge", "1 while requests are taken, 0 while draining.", server.IsReady ? 1 : 0);
        Single(text, "ballast_catalog_revision", "gauge", "Revision of the configuration in force.", catalog.Revision);
        return text.ToString();
    }

    private static void Shares(StringBuilder text, BallastServer server)
    {
        if (server.Shares.Save() is not { } shares)
        {
            return;
        }

        Family("share", "gauge", "Share of the scope's traffic that the rule's component was charged with, from 0 to 1.", static bucket => bucket.Share ?? 0);
        Family("limit", "gauge", "Cap, or floor, from 0 to 1.", static bucket => bucket.Rule!.Share);
        Family("credit", "gauge", "What is in the rule's bucket, in the policy's unit; below zero it is in debt.", static bucket => bucket.Credit);
        Family("suspended", "gauge", "1 while the rule is suspended.", static bucket => bucket.IsRelaxed ? 1 : 0);
        Family("suspended_requests_total", "counter", "Requests for which the rule was suspended.", static bucket => bucket.RelaxedRequests);
        Family("suspended_units_total", "counter", "Their size, in the policy's unit.", static bucket => bucket.RelaxedVolume);
        Family("refused_requests_total", "counter", "Requests that were refused for the rule; those that wait count at each look.", static bucket => bucket.Refused);
        Suspension("start", "When the rule's last suspension began, in seconds since 1970.", static last => last.StartedAt);
        Suspension("last", "When the last request of the rule's last suspension was served, in seconds since 1970: its end, where it is over.", static last => last.LastAt);

        void Suspension(string name, string help, Func<Relaxation, DateTimeOffset> time)
        {
            Head(text, $"ballast_balance_suspension_{name}_seconds", "gauge", help);
            foreach (ShareSnapshot.Bucket bucket in shares.Buckets)
            {
                if (bucket.Last is { } last)
                {
                    text.Append(CultureInfo.InvariantCulture, $"ballast_balance_suspension_{name}_seconds{{rule=\"{Escape(bucket.Id)}\",cause=\"{last.CauseName}\"}} {time(last).ToUnixTimeMilliseconds() / 1000.0}\n");
                }
            }
        }

        void Family(string name, string type, string help, Func<ShareSnapshot.Bucket, double> value)
        {
            Head(text, $"ballast_balance_{name}", type, help);
            foreach (ShareSnapshot.Bucket bucket in shares.Buckets)
            {
                Line(text, $"ballast_balance_{name}", "rule", bucket.Id, (decimal)Math.Round(value(bucket), 6));
            }
        }
    }

    private static void Components(StringBuilder text, string dimension, IReadOnlyList<LiveComponent> components)
    {
        Family("answered_total", $"Requests answered, by {dimension}.", component => component.Answered);
        Family("attempts_total", $"Attempts, by {dimension}.", component => component.Attempts);
        Family("failures_total", $"Attempts that failed without content, by {dimension}.", component => component.Failed);
        Family("cost_usd_total", $"Cost in US dollars, by {dimension}.", component => component.CostUsd);

        void Family(string name, string help, Func<LiveComponent, decimal> value)
        {
            Head(text, $"ballast_{dimension}_{name}", "counter", help);
            foreach (LiveComponent component in components)
            {
                Line(text, $"ballast_{dimension}_{name}", dimension, component.Name, value(component));
            }
        }
    }

    private static void Times(StringBuilder text, string name, string help, LiveTimes times)
    {
        Head(text, name, "histogram", help);
        foreach (LiveTimeBucket bucket in times.Buckets)
        {
            Line(text, $"{name}_bucket", "le", bucket.UpToSeconds.ToString(CultureInfo.InvariantCulture), bucket.Count);
        }

        Line(text, $"{name}_bucket", "le", "+Inf", times.Count);
        text.Append(CultureInfo.InvariantCulture, $"{name}_sum {times.Sum.TotalSeconds}\n{name}_count {times.Count}\n");
    }

    private static void Single(StringBuilder text, string name, string type, string help, decimal value)
    {
        Head(text, name, type, help);
        text.Append(CultureInfo.InvariantCulture, $"{name} {value}\n");
    }

    private static void Line(StringBuilder text, string name, string label, string labelValue, decimal value) =>
        text.Append(CultureInfo.InvariantCulture, $"{name}{{{label}=\"{Escape(labelValue)}\"}} {value}\n");

    internal static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

    internal static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
