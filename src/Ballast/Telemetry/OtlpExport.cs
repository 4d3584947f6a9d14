using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Ballast.Telemetry;

/// <summary>Sends what is traced and measured to a collector by OTLP. All of it happens on threads of its own; a collector that is slow or away costs spans, never requests.</summary>
public sealed class OtlpExport : IDisposable
{
    /// <summary>For what is left at the end, in milliseconds.</summary>
    private const int ShutdownMilliseconds = 3000;

    private const int ExportMilliseconds = 10_000;

    private readonly SpanQueue? _spans;
    private readonly TracerProvider? _traces;
    private readonly MeasurementPump? _measurements;
    private readonly MeterProvider? _metrics;
    private readonly Meter? _instruments;

    private OtlpExport(OtlpSettings settings, GenAIMeter meter, Action<string> onFailure)
    {
        string instance = Guid.NewGuid().ToString();
        if (settings.SendsTraces)
        {
            _spans = new SpanQueue(new OtlpTraceExporter(Options(settings, "v1/traces")), settings, onFailure);
            _traces = Sdk.CreateTracerProviderBuilder().AddSource(SpanSource.Scope).SetSampler(new AlwaysOnSampler())
                .SetResourceBuilder(ResourceOf(settings, instance)).AddProcessor(_spans).Build();
        }

        if (settings.SendsMetrics)
        {
            _instruments = new Meter(SpanSource.Scope);
            _measurements = new MeasurementPump(_instruments, meter, settings);
            _metrics = Sdk.CreateMeterProviderBuilder().AddMeter(SpanSource.Scope).SetResourceBuilder(ResourceOf(settings, instance))
                .AddReader(new PeriodicExportingMetricReader(
                    new OtlpMetricExporter(Options(settings, "v1/metrics")), (int)settings.MetricsInterval.TotalMilliseconds, ExportMilliseconds)).Build();
        }
    }

    /// <summary>Spans that the collector has taken.</summary>
    public long SpansSent => _spans?.Sent ?? 0;

    /// <summary>Spans that found no room or were refused for good.</summary>
    public long SpansDropped => _spans?.Dropped ?? 0;

    /// <summary>Measurements that found no room on their way to the collector; the administration port's own figures have them all the same.</summary>
    public long MeasurementsDropped => _measurements?.Dropped ?? 0;

    /// <param name="settings">Where to and how.</param>
    /// <param name="meter">Whose measurements are sent.</param>
    /// <param name="onFailure">Told what was given up.</param>
    public static OtlpExport Open(OtlpSettings settings, GenAIMeter meter, Action<string> onFailure) => new(settings, meter, onFailure);

    /// <summary>Sends what waits, within a few seconds.</summary>
    public void Dispose()
    {
        _measurements?.Dispose();
        _metrics?.Shutdown(ShutdownMilliseconds);
        _metrics?.Dispose();
        _instruments?.Dispose();
        _traces?.Shutdown(ShutdownMilliseconds);
        _traces?.Dispose();
    }

    private static OtlpExporterOptions Options(OtlpSettings settings, string path) => new()
    {
        Protocol = settings.IsGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf,
        Endpoint = settings.IsGrpc ? settings.Endpoint : new Uri(settings.Endpoint.AbsoluteUri.TrimEnd('/') + "/" + path),
        // The list's own signs are escaped in its values; the exporter undoes that.
        Headers = string.Join(',', settings.Headers.Select(static header => $"{header.Key}={Uri.EscapeDataString(header.Value)}")),
        TimeoutMilliseconds = ExportMilliseconds,
    };

    private static ResourceBuilder ResourceOf(OtlpSettings settings, string instance) =>
        ResourceBuilder.CreateEmpty()
            .AddTelemetrySdk()
            .AddService(settings.ServiceName, serviceVersion: typeof(OtlpExport).Assembly.GetName().Version?.ToString(3), autoGenerateServiceInstanceId: false, serviceInstanceId: instance)
            .AddAttributes(settings.Resource.Select(static attribute => new KeyValuePair<string, object>(attribute.Key, attribute.Value)));
}
