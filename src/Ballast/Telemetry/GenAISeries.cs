namespace Ballast.Telemetry;

/// <summary>What is measured.</summary>
public enum GenAIMetric
{
    InputTokens,
    OutputTokens,

    /// <summary>Of one attempt at a provider, in seconds.</summary>
    OperationDuration,

    /// <summary>Of one request of a client, all attempts together, in seconds.</summary>
    RequestDuration,
    TimeToFirstToken,
    TimePerOutputToken,
}

/// <summary>The figures of one deployment, operation and error.</summary>
public sealed class GenAISeries
{
    private readonly GenAIHistogram[] _histograms;

    internal GenAISeries(GenAIPlace place, string operation, string? error)
    {
        Place = place;
        Operation = operation;
        Error = error;
        _histograms = [.. Enum.GetValues<GenAIMetric>().Select(static kind => new GenAIHistogram(BoundsOf(kind)))];
        Tags = TagsOf(place, operation, error, null);
        InputTags = TagsOf(place, operation, error, "input");
        OutputTags = TagsOf(place, operation, error, "output");
    }

    public GenAIPlace Place { get; }

    /// <summary>OpenTelemetry's word, else the ledger's.</summary>
    public string Operation { get; }
    public string? Error { get; }

    internal bool IsOther => Operation == GenAIMeter.Other;

    internal KeyValuePair<string, object?>[] Tags { get; }
    internal KeyValuePair<string, object?>[] InputTags { get; }
    internal KeyValuePair<string, object?>[] OutputTags { get; }

    public GenAIHistogram this[GenAIMetric kind] => _histograms[(int)kind];

    /// <summary>Upper bounds of a metric's buckets, as the conventions have them.</summary>
    public static double[] BoundsOf(GenAIMetric kind) => kind switch
    {
        GenAIMetric.InputTokens or GenAIMetric.OutputTokens =>
            [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864],
        GenAIMetric.TimeToFirstToken => [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
        GenAIMetric.TimePerOutputToken => [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5],
        _ => [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
    };

    private static KeyValuePair<string, object?>[] TagsOf(GenAIPlace place, string operation, string? error, string? tokenType) =>
    [
        new("gen_ai.operation.name", operation), new("gen_ai.provider.name", place.Provider), new("gen_ai.request.model", place.Model),
        new("server.address", place.Address), new("server.port", place.Port), new("ballast.deployment", place.Deployment),
        .. error is null ? (KeyValuePair<string, object?>[])[] : [new("error.type", error)],
        .. tokenType is null ? (KeyValuePair<string, object?>[])[] : [new("gen_ai.token.type", tokenType)],
    ];
}

/// <summary>Counts values by bucket, without a lock: a reader may see a value's count before its sum.</summary>
public sealed class GenAIHistogram(double[] bounds)
{
    /// <summary>Sums are kept in millionths, so that they can be added up without a lock.</summary>
    private const double Grain = 1e6;

    private readonly long[] _counts = new long[bounds.Length + 1];
    private long _sum;

    public IReadOnlyList<double> Bounds => bounds;

    public double Sum => Interlocked.Read(ref _sum) / Grain;

    /// <summary>Values in the bucket that ends at this bound; the last one has no end.</summary>
    public long CountOf(int bucket) => Interlocked.Read(ref _counts[bucket]);

    internal void Add(double value)
    {
        int bucket = 0;
        while (bucket < bounds.Length && value > bounds[bucket])
        {
            bucket++;
        }

        Interlocked.Increment(ref _counts[bucket]);
        Interlocked.Add(ref _sum, (long)(value * Grain));
    }
}
