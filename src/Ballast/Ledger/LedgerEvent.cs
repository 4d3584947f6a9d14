namespace Ballast.Ledger;

/// <summary>Something that happened beside the attempts: a share rule was suspended, a vendor has shifted.</summary>
public sealed record LedgerEvent
{
    /// <summary>Longest <see cref="Body"/>, in characters.</summary>
    public const int BodyLengthMax = 16 * 1024;

    /// <summary>Of a share rule that was suspended, or holds again.</summary>
    public const string Suspension = "suspension";

    /// <summary>Of a figure that changed between two windows, a price or a date that was published.</summary>
    public const string Shift = "shift";

    /// <summary>Of what a vendor's headers said that a deployment may be asked for.</summary>
    public const string Quota = "quota";

    /// <summary>Unique together with <see cref="At"/>: an event that is there is left as it is.</summary>
    public required string Id { get; init; }
    public required DateTimeOffset At { get; init; }
    public required string Kind { get; init; }

    /// <summary>What it is about.</summary>
    public required string Subject { get; init; }

    /// <summary>A JSON object with the rest.</summary>
    public required string Body { get; init; }
}

/// <summary>Where events live: with the attempts, in every store.</summary>
public interface ILedgerEventStore
{
    /// <summary>Writes all events in one transaction; what is there is left as it is. Throws <see cref="ArgumentException"/> for a body that is too long.</summary>
    Task AppendEventsAsync(IReadOnlyList<LedgerEvent> events, CancellationToken cancellation);
}
