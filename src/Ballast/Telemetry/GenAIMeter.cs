using System.Collections.Concurrent;

namespace Ballast.Telemetry;

/// <summary>
/// Measures attempts and requests as OpenTelemetry's conventions for generative AI name them. Recording takes no lock and makes no memory for what was seen before; the
/// number of series is bounded, and what lies beyond is counted under <see cref="Other"/>.
/// </summary>
public sealed class GenAIMeter
{
    /// <summary>Label values of all series beyond <see cref="SeriesMax"/>.</summary>
    public const string Other = "_OTHER";

    /// <summary>Places times operations times errors told apart.</summary>
    public const int SeriesMax = 1024;

    private readonly ConcurrentDictionary<(string Place, string Operation, string? Error), GenAISeries> _series = new();
    private readonly GenAISeries _other = new(new GenAIPlace(Other, Other, Other, Other, 0), Other, null);
    private int _count;

    /// <summary>Where measurements go beside these figures; null where nowhere.</summary>
    internal BoundedQueue<GenAIMeasurement>? Export { get; set; }

    /// <summary>All series so far.</summary>
    public IEnumerable<GenAISeries> Series => _series.Values.Where(static series => !series.IsOther).Append(_other);

    /// <param name="place">Where it was done.</param>
    /// <param name="operation">What was done.</param>
    /// <param name="error">Why it failed; null where it did not.</param>
    public GenAISeries Find(GenAIPlace place, string operation, string? error)
    {
        (string, string, string?) key = (place.Key, operation, error);
        if (_series.TryGetValue(key, out GenAISeries? known))
        {
            return known;
        }

        return Volatile.Read(ref _count) >= SeriesMax || Interlocked.Increment(ref _count) > SeriesMax ? _other : _series.GetOrAdd(key, new GenAISeries(place, operation, error));
    }

    /// <param name="series">See <see cref="Find"/>.</param>
    /// <param name="kind">What is measured.</param>
    /// <param name="value">Tokens or seconds.</param>
    public void Record(GenAISeries series, GenAIMetric kind, double value)
    {
        series[kind].Add(value);
        Export?.Add(new GenAIMeasurement(series, kind, value));
    }
}

/// <summary>One deployment as metrics name it.</summary>
/// <param name="Deployment"><c>provider/model</c>.</param>
/// <param name="Provider">OpenTelemetry's word for who is asked.</param>
/// <param name="Model">As the provider calls it.</param>
/// <param name="Address">Of the provider's server.</param>
/// <param name="Port">Likewise.</param>
public sealed record GenAIPlace(string Deployment, string Provider, string Model, string Address, int Port)
{
    internal string Key { get; } = $"{Deployment} {Provider} {Model} {Address} {Port}";
}

/// <summary>One measured value on its way out.</summary>
internal readonly record struct GenAIMeasurement(GenAISeries Series, GenAIMetric Kind, double Value);
