using System.Diagnostics;

namespace Ballast.Telemetry;

/// <summary>Makes the spans of one gateway. A span is made only for a request that is traced; nothing of it is ambient, so that no other part of the process sees it.</summary>
public sealed class SpanSource : IDisposable
{
    /// <summary>Scope of all spans and measurements.</summary>
    public const string Scope = "ballast";

    [ThreadStatic]
    private static ActivityTraceId t_wanted;

    private readonly ActivitySource _source = new(Scope);

    static SpanSource() => Activity.TraceIdGenerator = static () => t_wanted == default ? ActivityTraceId.CreateRandom() : t_wanted;

    /// <summary>Begins a trace with this id; null where nobody listens.</summary>
    public Activity? StartRoot(string name, ActivityTraceId id, DateTimeOffset at)
    {
        t_wanted = id;
        try
        {
            return Start(name, ActivityKind.Server, default, at);
        }
        finally
        {
            t_wanted = default;
        }
    }

    /// <summary>Begins a span below another one; null where nobody listens.</summary>
    public Activity? Start(string name, ActivityKind kind, ActivityContext parent, DateTimeOffset at)
    {
        Activity? ambient = Activity.Current;
        if (parent == default && ambient is not null)
        {
            // Whatever it is, it is not this request's.
            Activity.Current = null;
        }

        Activity? span = _source.CreateActivity(name, kind, parent);
        span?.SetStartTime(at.UtcDateTime).Start();
        Activity.Current = ambient;
        return span;
    }

    public void Dispose() => _source.Dispose();
}
