namespace Ballast.Configuration;

/// <summary>How log lines are written to standard error.</summary>
public sealed record LogOptions
{
    /// <summary>One JSON object a line; else text for people.</summary>
    public bool IsJson { get; init; }

    /// <summary><c>debug</c>, <c>info</c>, <c>warning</c> or <c>error</c>: what is below is left out.</summary>
    public string Level { get; init; } = "info";
}
