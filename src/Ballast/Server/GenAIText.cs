using System.Globalization;
using System.Text;
using Ballast.Telemetry;

namespace Ballast.Server;

/// <summary>The figures of OpenTelemetry's conventions for generative AI in Prometheus' text format, under the names that its rules make of theirs.</summary>
internal static class GenAIText
{
    private static readonly (string Name, string Help, (GenAIMetric Kind, string? Token)[] Kinds)[] s_families =
    [
        ("gen_ai_client_token_usage", "Tokens that vendors reported for an attempt; input includes cached input.", [(GenAIMetric.InputTokens, "input"), (GenAIMetric.OutputTokens, "output")]),
        ("gen_ai_client_operation_duration_seconds", "Duration of an attempt at a provider.", [(GenAIMetric.OperationDuration, null)]),
        ("gen_ai_server_request_duration_seconds", "Duration of a client's request, all attempts together, by its last attempt.", [(GenAIMetric.RequestDuration, null)]),
        ("gen_ai_server_time_to_first_token_seconds", "From sending to the first content, of completed streams.", [(GenAIMetric.TimeToFirstToken, null)]),
        ("gen_ai_server_time_per_output_token_seconds", "Time for each output token after the first, of completed streams.", [(GenAIMetric.TimePerOutputToken, null)]),
    ];

    public static void Write(StringBuilder text, GenAIMeter meter)
    {
        GenAISeries[] all = [.. meter.Series.OrderBy(static series => series.Place.Key, StringComparer.Ordinal).ThenBy(static series => series.Operation, StringComparer.Ordinal)];
        foreach ((string name, string help, (GenAIMetric Kind, string? Token)[] kinds) in s_families)
        {
            int before = text.Length;
            MetricsText.Head(text, name, "histogram", help);
            int empty = text.Length;
            foreach (GenAISeries series in all)
            {
                foreach ((GenAIMetric kind, string? token) in kinds)
                {
                    Write(text, name, Labels(series, token), series[kind]);
                }
            }

            // Nothing measured yet: no family without a sample.
            text.Length = text.Length == empty ? before : text.Length;
        }
    }

    private static void Write(StringBuilder text, string name, string labels, GenAIHistogram histogram)
    {
        double sum = histogram.Sum;
        long count = 0;
        long[] upTo = new long[histogram.Bounds.Count + 1];
        for (int bucket = 0; bucket < upTo.Length; bucket++)
        {
            upTo[bucket] = count += histogram.CountOf(bucket);
        }

        if (count == 0)
        {
            return;
        }

        for (int bucket = 0; bucket < upTo.Length; bucket++)
        {
            string bound = bucket < histogram.Bounds.Count ? histogram.Bounds[bucket].ToString(CultureInfo.InvariantCulture) : "+Inf";
            text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels},le=\"{bound}\"}} {upTo[bucket]}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"{name}_sum{{{labels}}} {(decimal)sum}\n{name}_count{{{labels}}} {count}\n");
    }

    private static string Labels(GenAISeries series, string? token)
    {
        StringBuilder labels = new();
        Add("gen_ai_operation_name", series.Operation);
        Add("gen_ai_provider_name", series.Place.Provider);
        Add("gen_ai_request_model", series.Place.Model);
        Add("server_address", series.Place.Address);
        Add("server_port", series.Place.Port.ToString(CultureInfo.InvariantCulture));
        Add("ballast_deployment", series.Place.Deployment);
        Add("error_type", series.Error);
        Add("gen_ai_token_type", token);
        return labels.ToString();

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                labels.Append(labels.Length > 0 ? "," : "").Append(name).Append("=\"").Append(MetricsText.Escape(value)).Append('"');
            }
        }
    }
}
