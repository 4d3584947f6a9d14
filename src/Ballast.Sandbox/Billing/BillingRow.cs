namespace Ballast.Sandbox;

/// <summary>
/// What a platform charges for one request. The token classes are disjoint on every platform: <see cref="InputTokens"/> counts
/// neither what was read from a cache nor what was written to one; reasoning is contained in <see cref="OutputTokens"/>.
/// </summary>
public sealed record BillingRow
{
    public required DateTimeOffset Time { get; init; }
    public required string Platform { get; init; }

    /// <summary>The platform's own id, as returned in its header.</summary>
    public required string RequestId { get; init; }

    /// <summary>The request's <c>x-client-request-id</c>.</summary>
    public string? ClientRequestId { get; init; }

    /// <summary>As the request named it; null where it could not be read.</summary>
    public string? Model { get; init; }
    public required string Path { get; init; }
    public bool Stream { get; init; }

    /// <summary>0 where no answer was begun.</summary>
    public int Status { get; init; }

    /// <summary><c>completed</c>, <c>error</c>, <c>cut</c>, <c>cancelled</c>, or the name of the fault that befell the request.</summary>
    public required string Outcome { get; init; }
    public long InputTokens { get; init; }
    public long CacheReadTokens { get; init; }
    public long CacheWriteTokens { get; init; }

    /// <summary>What was produced, also where it was cut or the client hung up.</summary>
    public long OutputTokens { get; init; }

    /// <summary>The vendor's finish reason; null where the answer did not end.</summary>
    public string? Finish { get; init; }
}
