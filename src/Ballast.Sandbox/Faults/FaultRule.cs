namespace Ballast.Sandbox;

/// <summary>One fault and the requests it befalls. Rules are tried in the order they were added; the first that fits is applied.</summary>
public sealed record FaultRule
{
    /// <summary>Length of the line that <see cref="FaultKind.HugeLine"/> sends.</summary>
    public const int HugeLineBytes = 16 * 1024 * 1024;

    /// <summary>Given by <see cref="FaultBook.Add"/> where empty.</summary>
    public string Id { get; init; } = "";

    /// <summary>A platform's name, or <c>*</c> for every platform.</summary>
    public required string Platform { get; init; }

    public required FaultKind Kind { get; init; }

    /// <summary>Only requests for this model; null means any, also requests that name none.</summary>
    public string? Model { get; init; }

    public string? PathContains { get; init; }

    /// <summary>Only requests whose body holds this text; null means any.</summary>
    public string? BodyContains { get; init; }

    /// <summary>0 to 1, drawn from the sandbox's seed.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>How often the rule applies before it is spent; null means for ever.</summary>
    public int? Count { get; init; }

    /// <summary>For <see cref="FaultKind.SlowFirstByte"/>. Not scaled by <see cref="SandboxOptions.LatencyScale"/>.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>For <see cref="FaultKind.Stall"/>, <see cref="FaultKind.Cut"/> and others that begin within a stream.</summary>
    public int AfterEvents { get; init; } = 3;

    /// <summary>For an error within a stream of a platform that has several: the name of the one wanted, as <c>throttlingException</c>. Null takes the usual one.</summary>
    public string? Error { get; init; }

    /// <summary>For <see cref="FaultKind.RateLimit"/>; null sends no retry-after header.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
