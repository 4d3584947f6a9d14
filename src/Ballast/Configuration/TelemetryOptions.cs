namespace Ballast.Configuration;

/// <summary>Where traces and metrics are sent (OTLP), and what of a request may stand in them, as written under <c>telemetry:</c>.</summary>
public sealed record TelemetryOptions
{
    /// <summary>The collector's address; null sends nothing. With <c>http/protobuf</c> the paths of the signals are added to it.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>OTLP over gRPC; else protobuf over HTTP/1.1.</summary>
    public bool IsGrpc { get; init; }

    /// <summary>Sent with every export; the values are secrets.</summary>
    public IReadOnlyList<KeyValuePair<string, SecretOptions>> Headers { get; init; } = [];
    public bool SendsTraces { get; init; } = true;
    public bool SendsMetrics { get; init; } = true;

    /// <summary>Share of requests that are traced, from 0 to 1; a trusted caller's own decision wins.</summary>
    public double Sample { get; init; } = 1;

    /// <summary>Between two exports of metrics.</summary>
    public TimeSpan MetricsInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Spans, and as many measurements, that may wait for the collector; more are dropped and counted.</summary>
    public int QueueMax { get; init; } = 8192;
    public string ServiceName { get; init; } = "ballast";

    /// <summary>Further attributes of the resource, such as <c>deployment.environment.name</c>.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Resource { get; init; } = [];

    /// <summary>Apps whose <c>traceparent</c> is taken over; <c>*</c> stands for all. Any other caller's is ignored.</summary>
    public IReadOnlyList<string> TrustedCallers { get; init; } = [];

    /// <summary>Providers are told the trace (<c>traceparent</c>).</summary>
    public bool TellsProviders { get; init; } = true;

    /// <summary>Apps whose prompts and answers are written into spans; <c>*</c> stands for all.</summary>
    public IReadOnlyList<string> Content { get; init; } = [];

    /// <summary>Most of one request's prompt, and of its answer, in bytes of UTF-8; the rest is left out.</summary>
    public int ContentBytesMax { get; init; } = 64 * 1024;

    /// <summary>The app is named in the list, or everybody is.</summary>
    public static bool Names(IReadOnlyList<string> apps, string app)
    {
        for (int i = 0; i < apps.Count; i++)
        {
            if (apps[i] == app || apps[i] == "*")
            {
                return true;
            }
        }

        return false;
    }
}
