using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Ballast.Bench;

/// <summary>The result for people and as one line of JSON.</summary>
public static class Report
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static string Table(BenchOptions options, Samples samples, IReadOnlyList<Verdict> verdicts)
    {
        StringBuilder text = new();
        text.Append(Invariant, $"{Machine()}, {options.Rounds} rounds{(options.Quick ? ", QUICK: these figures judge nothing" : "")}\n\n");
        text.Append("| figure | measured | must hold | aim | verdict |\n|---|---|---|---|---|\n");
        foreach (Verdict verdict in verdicts)
        {
            string bound = verdict.Unit[..2];
            string unit = verdict.Unit[2..];
            text.Append(Invariant, $"| {verdict.Figure} | {Figure(verdict.Value)} {unit} | {bound}{verdict.MustHold} {unit} | {bound}{verdict.Aim} {unit} | {verdict.Result} |\n");
        }

        text.Append("\n| measured (median, lowest … highest of the rounds) | nginx | Ballast | YARP | Portkey | direct |\n|---|---|---|---|---|---|\n");
        foreach ((string scenario, string words) in Scenarios)
        {
            text.Append(Invariant, $"| {words} |");
            foreach (string name in new[] { Candidate.Nginx, Candidate.Ballast, Candidate.Yarp, Candidate.Portkey, Measurement.Direct })
            {
                IReadOnlyList<double> values = samples.Of($"{scenario}.{name}");
                text.Append(values.Count == 0 ? " |" : string.Create(Invariant, $" {Figure(samples.Median($"{scenario}.{name}"))} ({Figure(values.Min())} … {Figure(values.Max())}) |"));
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    public static string Json(BenchOptions options, Samples samples, IReadOnlyList<Verdict> verdicts)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteString("machine", Machine());
            json.WriteNumber("rounds", options.Rounds);
            json.WriteBoolean("quick", options.Quick);
            json.WriteStartArray("verdicts");
            foreach (Verdict verdict in verdicts)
            {
                json.WriteStartObject();
                json.WriteString("figure", verdict.Figure);
                WriteNumber(json, "value", verdict.Value);
                json.WriteNumber("must_hold", verdict.MustHold);
                json.WriteNumber("aim", verdict.Aim);
                json.WriteString("verdict", verdict.Result);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartObject("samples");
            foreach (string name in samples.Names)
            {
                json.WriteStartArray(name);
                foreach (double value in samples.Of(name))
                {
                    json.WriteNumberValue(Math.Round(value, 3));
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static readonly (string Scenario, string Words)[] Scenarios =
    [
        ("json", "CPU µs per request, JSON"),
        ("prompt48k", "CPU µs per request, 48 kB prompt"),
        ("tls", "CPU µs per request, TLS 1.3 upstream"),
        ("sse", "CPU µs per SSE chunk"),
        ("to-openai", "CPU µs per chunk, Anthropic client on OpenAI"),
        ("to-anthropic", "CPU µs per chunk, OpenAI client on Anthropic"),
        ("sse-ttft", "time to first token p50, µs (2,000 of them the platform's)"),
        ("sse-delay", "chunk delay p50, µs"),
        ("resident", "resident MB at 1,000 open streams"),
        ("start", "ms from start to first answer"),
    ];

    private static string Machine() => $"{Environment.ProcessorCount} cores, {RuntimeInformation.OSArchitecture}, {Kernel()}";

    private static string Kernel() => $"{Environment.OSVersion.Platform} {Environment.OSVersion.Version}";

    private static string Figure(double? value) => value switch
    {
        null => "–",
        >= 100 => value.Value.ToString("F0", Invariant),
        >= 10 => value.Value.ToString("F1", Invariant),
        _ => value.Value.ToString("F2", Invariant),
    };

    private static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, Math.Round(number, 3));
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
