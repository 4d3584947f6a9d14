namespace Ballast.Protocols.Conversation;

/// <summary>What went wrong, free of any vendor's words. Each protocol maps it to its own status and type.</summary>
public enum ChatErrorKind
{
    InvalidRequest,
    ContextLengthExceeded,
    ContentFiltered,
    Authentication,
    Permission,
    NotFound,
    MethodNotAllowed,
    Conflict,
    RequestTooLarge,
    Unprocessable,
    RateLimited,

    /// <summary>Money or quota is used up: trying again at the same place does not help.</summary>
    QuotaExceeded,
    ServerError,

    /// <summary>What was asked for does not exist at this endpoint (501).</summary>
    NotSupported,
    BadGateway,
    Unavailable,
    Overloaded,
    Timeout,

    /// <summary>The caller took too long over its request (408).</summary>
    RequestTimeout,
}

/// <summary>
/// An error as a value. <see cref="Message"/> may be shown to the caller; it must hold no secret and no upstream address.
/// </summary>
public sealed record ChatError(ChatErrorKind Kind, string Message)
{
    /// <summary>Machine-readable code: the vendor's (<c>context_length_exceeded</c>) or Ballast's (<c>ballast_…</c>).</summary>
    public string? Code { get; init; }

    /// <summary>The vendor's own <c>type</c> word, kept for callers of the same protocol.</summary>
    public string? Type { get; init; }

    /// <summary>The request's field at fault.</summary>
    public string? Param { get; init; }

    /// <summary>The status that the upstream answered with; null where the error is Ballast's own or came inside a stream.</summary>
    public int? UpstreamStatus { get; init; }
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Ballast's id of the exchange: what the caller quotes and the log finds.</summary>
    public string? RequestId { get; init; }

    /// <summary>What the caller can do about it.</summary>
    public string? Hint { get; init; }
}
