namespace Ballast.Handles;

/// <summary>A file or batch that lies at a provider, as the gateway remembers it.</summary>
public sealed record Handle
{
    public required string Name { get; init; }
    public required HandleKind Kind { get; init; }

    /// <summary>Whose it is; to all others it does not exist.</summary>
    public required string App { get; init; }

    /// <summary>Where it lies, by its name in the configuration.</summary>
    public required string Provider { get; init; }

    /// <summary>The deployment that the ledger names for it.</summary>
    public required string Deployment { get; init; }

    /// <summary>What the provider calls it.</summary>
    public required string UpstreamId { get; init; }

    /// <summary>What a file is for; empty for batches, and for files that a batch made.</summary>
    public string Purpose { get; init; } = "";

    /// <summary>The public names of the models that a batch's input asks for.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>What budgets hold for it; null where nothing is held.</summary>
    public HandleHold? Held { get; init; }

    /// <summary>Nothing of it changes any more.</summary>
    public bool IsFinal { get; init; }

    /// <summary>The provider throws it away then; null where it says nothing.</summary>
    public DateTimeOffset? GoneAt { get; init; }

    /// <summary>How it looked when it was last asked for, as its owner sees it; empty where it never was.</summary>
    public ReadOnlyMemory<byte> Object { get; init; }
}
