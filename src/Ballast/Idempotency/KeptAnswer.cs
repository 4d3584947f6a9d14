namespace Ballast.Idempotency;

/// <summary>What is known of a request with an <c>Idempotency-Key</c>.</summary>
public enum KeptState
{
    /// <summary>It was about to be sent upstream; how that ended was never written down.</summary>
    Begun = 0,

    Answered = 1,

    /// <summary>It was answered, and the answer was larger than what is kept.</summary>
    NotKept = 2,
}

/// <summary>An answer as its client got it, to be given again.</summary>
public sealed record KeptAnswer
{
    public required KeptState State { get; init; }

    /// <summary>SHA-256 of all that must be the same in a repetition.</summary>
    public required byte[] Fingerprint { get; init; }

    /// <summary>The request that was sent upstream; the ledger has its rows.</summary>
    public required string ExchangeId { get; init; }
    public int Status { get; init; }

    /// <summary>The connection was cut behind the body: its protocol has no other way to say that a stream broke off.</summary>
    public bool IsCut { get; init; }

    /// <summary>The head told the body's length.</summary>
    public bool IsWhole { get; init; }
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];
    public ReadOnlyMemory<byte> Body { get; init; }
}
