using Ballast.Protocols;

namespace Ballast.Conversations;

/// <summary>An answer as it is kept, with the items that led to it.</summary>
public sealed record StoredAnswer
{
    /// <summary>Whose it is: the name of the API key. Nobody else ever finds it.</summary>
    public required string KeyId { get; init; }
    public required string Id { get; init; }
    public string? PreviousId { get; init; }

    /// <summary>The answer as its caller had it, JSON.</summary>
    public required ReadOnlyMemory<byte> Json { get; init; }

    /// <summary>The caller's own items of that request.</summary>
    public required IReadOnlyList<StoredItem> Input { get; init; }
    public required IReadOnlyList<StoredItem> Output { get; init; }

    /// <summary>The deployment that keeps it beside this gateway: answers in the background. Null for all others.</summary>
    public string? Place { get; init; }

    /// <summary>It is still worked on there.</summary>
    public bool IsAtWork { get; init; }

    public long Bytes => Json.Length + Input.Sum(static item => (long)item.Json.Length) + Output.Sum(static item => (long)item.Json.Length);
}

/// <summary>An answer as it is found again.</summary>
/// <param name="Id">The answer's.</param>
/// <param name="Json">As its caller had it when it was last seen.</param>
/// <param name="Place">The deployment that keeps it as well, and may still work on it; null where none does.</param>
/// <param name="IsAtWork">It was worked on when it was last seen.</param>
public sealed record KeptAnswer(string Id, byte[] Json, string? Place, bool IsAtWork);

/// <summary>A conversation as it is kept, without its items; <paramref name="Metadata"/> is JSON.</summary>
public sealed record StoredConversation(string Id, long CreatedUnixSeconds, ReadOnlyMemory<byte> Metadata);

/// <summary>A page of kept items, and whether there are more of them.</summary>
public sealed record ItemPage(IReadOnlyList<StoredItem> Items, bool HasMore);

/// <summary>What is known before a request: the items said so far, and those that the request names by their ids.</summary>
public sealed record EarlierItems(IReadOnlyList<StoredItem> Items, IReadOnlyDictionary<string, StoredItem> Named)
{
    /// <summary>The id of an answer or conversation that is not there; then nothing else counts.</summary>
    public string? Missing { get; init; }
}

/// <summary>The store cannot be opened or read; its message is for whoever runs the gateway.</summary>
public sealed class ConversationStoreException(string message, Exception? inner = null) : Exception(message, inner);
