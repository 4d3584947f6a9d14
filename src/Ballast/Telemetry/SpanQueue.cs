using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Exporter;

namespace Ballast.Telemetry;

/// <summary>Carries ended spans to the collector on a thread of its own. A request only puts its spans into the queue.</summary>
internal sealed class SpanQueue : BaseExportProcessor<Activity>
{
    private const int BatchMax = 512;

    private readonly BoundedQueue<Activity> _waiting;
    private readonly OtlpSettings _settings;
    private readonly Action<string> _onFailure;
    private readonly ManualResetEventSlim _wake = new();
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;
    private long _sent;

    /// <param name="exporter">Owned.</param>
    /// <param name="settings">Limits.</param>
    /// <param name="onFailure">Told what a batch met, once for each that is given up.</param>
    public SpanQueue(OtlpTraceExporter exporter, OtlpSettings settings, Action<string> onFailure)
        : base(exporter)
    {
        _waiting = new BoundedQueue<Activity>(settings.QueueMax);
        _settings = settings;
        _onFailure = onFailure;
        _thread = new Thread(Run) { IsBackground = true, Name = "ballast-spans" };
        _thread.Start();
    }

    public long Dropped => _waiting.Dropped;

    public long Sent => Interlocked.Read(ref _sent);

    protected override void OnExport(Activity data)
    {
        if (_waiting.Add(data) == BatchMax)
        {
            _wake.Set();
        }
    }

    protected override bool OnShutdown(int timeoutMilliseconds)
    {
        _stop.Set();
        _wake.Set();
        bool isOver = _thread.Join(timeoutMilliseconds);
        return exporter.Shutdown(timeoutMilliseconds) && isOver;
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing && !_thread.IsAlive)
        {
            _wake.Dispose();
            _stop.Dispose();
        }
    }

    private void Run()
    {
        Activity[] batch = new Activity[BatchMax];
        while (true)
        {
            bool isLast = _stop.IsSet;
            int count = 0;
            while (count < BatchMax && _waiting.TryTake(out Activity span))
            {
                batch[count++] = span;
            }

            if (count > 0)
            {
                Send(batch, count);
                Array.Clear(batch, 0, count);
            }
            else if (isLast)
            {
                return;
            }

            if (count < BatchMax && !isLast)
            {
                _wake.Reset();
                _wake.Wait(_settings.Linger);
            }
        }
    }

    private void Send(Activity[] batch, int count)
    {
        for (int attempt = 0; ; attempt++)
        {
            if (exporter.Export(new Batch<Activity>(batch, count)) == ExportResult.Success)
            {
                Interlocked.Add(ref _sent, count);
                return;
            }

            if (attempt >= _settings.Retries.Count || _stop.Wait(_settings.Retries[attempt]))
            {
                _waiting.Drop(count);
                _onFailure("spans");
                return;
            }
        }
    }
}
