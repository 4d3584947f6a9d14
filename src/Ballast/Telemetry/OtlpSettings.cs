namespace Ballast.Telemetry;

/// <summary>Where to export to, and how.</summary>
public sealed record OtlpSettings
{
    /// <summary>Of the collector; for HTTP without the signals' paths.</summary>
    public required Uri Endpoint { get; init; }
    public bool IsGrpc { get; init; }

    /// <summary>Secrets among them.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];
    public bool SendsTraces { get; init; } = true;
    public bool SendsMetrics { get; init; } = true;
    public TimeSpan MetricsInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Spans that may wait, and measurements.</summary>
    public int QueueMax { get; init; } = 8192;
    public string ServiceName { get; init; } = "ballast";
    public IReadOnlyList<KeyValuePair<string, string>> Resource { get; init; } = [];

    /// <summary>How long a span waits for company.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Waits before a batch that was refused is sent again; after the last one it is dropped.</summary>
    public IReadOnlyList<TimeSpan> Retries { get; init; } = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15)];
}
