namespace Ballast.Cli.Conformance;

/// <summary>One thing that a server of a protocol must do, and how it is tried.</summary>
/// <param name="Surface">The name of the surface.</param>
/// <param name="Name">Stable word for programs, unique within its surface.</param>
/// <param name="Requirement">One sentence for people.</param>
/// <param name="TryAsync">Throws <see cref="NonconformanceException"/> where the server does otherwise.</param>
internal sealed record Check(string Surface, string Name, string Requirement, Func<Subject, CancellationToken, Task> TryAsync)
{
    /// <summary>Not every model can: a clear refusal (400) counts as <see cref="CheckOutcome.NotOffered"/>.</summary>
    public bool IsOptional { get; init; }
}

/// <summary>How a check ended.</summary>
internal enum CheckOutcome
{
    Passed,
    Failed,

    /// <summary>The server does not have the surface, or its model clearly refused an optional feature.</summary>
    NotOffered,
}

/// <summary>A check's end, with the reason where it did not pass.</summary>
internal sealed record CheckResult(Check Check, CheckOutcome Outcome, string? Detail, TimeSpan Duration);

/// <summary>The server does not do what the check demands; the message says what it did.</summary>
internal sealed class NonconformanceException(string message) : Exception(message);

/// <summary>The server has clearly refused what the check asked for.</summary>
internal sealed class RefusedException(string message) : Exception(message);
