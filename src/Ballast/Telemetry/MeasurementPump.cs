using System.Diagnostics.Metrics;

namespace Ballast.Telemetry;

/// <summary>Puts measurements into OpenTelemetry's instruments on a thread of its own: those take locks, which no request is to meet.</summary>
internal sealed class MeasurementPump : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly Histogram<double>[] _instruments;
    private readonly BoundedQueue<GenAIMeasurement> _waiting;
    private readonly GenAIMeter _source;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;

    public MeasurementPump(Meter meter, GenAIMeter source, OtlpSettings settings)
    {
        _source = source;
        Histogram<double> tokens = New(meter, "gen_ai.client.token.usage", "{token}", "Number of input and output tokens used.", GenAIMetric.InputTokens);
        _instruments =
        [
            tokens,
            tokens,
            New(meter, "gen_ai.client.operation.duration", "s", "GenAI operation duration.", GenAIMetric.OperationDuration),
            New(meter, "gen_ai.server.request.duration", "s", "Request duration, all attempts together.", GenAIMetric.RequestDuration),
            New(meter, "gen_ai.server.time_to_first_token", "s", "Time to the first token of successful streams.", GenAIMetric.TimeToFirstToken),
            New(meter, "gen_ai.server.time_per_output_token", "s", "Time per output token after the first one, of successful streams.", GenAIMetric.TimePerOutputToken),
        ];
        _waiting = new BoundedQueue<GenAIMeasurement>(settings.QueueMax);
        source.Export = _waiting;
        _thread = new Thread(Run) { IsBackground = true, Name = "ballast-measurements" };
        _thread.Start();
    }

    public long Dropped => _waiting.Dropped;

    public void Dispose()
    {
        _source.Export = null;
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private static Histogram<double> New(Meter meter, string name, string unit, string description, GenAIMetric kind) =>
        meter.CreateHistogram(name, unit, description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = GenAISeries.BoundsOf(kind) });

    private void Run()
    {
        bool isLast;
        do
        {
            isLast = _stop.Wait(Pause);
            while (_waiting.TryTake(out GenAIMeasurement one))
            {
                GenAISeries series = one.Series;
                _instruments[(int)one.Kind].Record(
                    one.Value, one.Kind == GenAIMetric.InputTokens ? series.InputTags : one.Kind == GenAIMetric.OutputTokens ? series.OutputTags : series.Tags);
            }
        }
        while (!isLast);
    }
}
