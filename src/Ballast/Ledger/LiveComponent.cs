namespace Ballast.Ledger;

/// <summary>What one vendor, platform or deployment did so far, and in the last ten seconds.</summary>
public sealed record LiveComponent
{
    public required string Name { get; init; }
    public required long Attempts { get; init; }

    /// <summary>Exchanges it answered, in full or in part.</summary>
    public required long Answered { get; init; }
    public required long Failed { get; init; }

    /// <summary>US dollars, as far as known.</summary>
    public required decimal CostUsd { get; init; }

    /// <summary>Of <see cref="Answered"/>, those recorded within the last ten seconds: a share that moves when traffic does.</summary>
    public required long AnsweredRecently { get; init; }
    public required TimeSpan? TtftP50 { get; init; }
    public required TimeSpan? TtftP95 { get; init; }
}
