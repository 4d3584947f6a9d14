namespace Ballast.Protocols;

/// <summary>What a request says of state that its vendor would keep (OpenAI's Responses): which earlier answer or conversation it goes on from, and whether to keep it.</summary>
/// <param name="PreviousResponseId">The answer it goes on from, or null.</param>
/// <param name="ConversationId">The conversation it belongs to, or null.</param>
/// <param name="Store">Whether the answer is to be kept; null where the caller did not say.</param>
/// <param name="Background">The caller does not wait for the answer.</param>
/// <param name="HasReferences">Items of earlier answers may be named by their id alone.</param>
public sealed record StateWish(string? PreviousResponseId, string? ConversationId, bool? Store, bool Background, bool HasReferences);

/// <summary>The state that Ballast itself keeps for one answer: what its caller is told of it, and the answer, when it has ended.</summary>
public sealed class AnswerState
{
    public string? PreviousResponseId { get; init; }
    public string? ConversationId { get; init; }

    /// <summary>The answer is kept.</summary>
    public bool IsStored { get; init; }

    /// <summary>The caller does not wait for the answer: its vendor works on it and keeps it.</summary>
    public bool IsBackground { get; init; }

    /// <summary>An answer in the background as it was when it had begun, JSON; null before that.</summary>
    public byte[]? Begun { get; set; }

    /// <summary>It is remembered where it is worked on.</summary>
    public bool IsPlaced { get; set; }

    /// <summary>The whole answer as its caller has it, JSON; null until it has ended, and where it failed.</summary>
    public byte[]? Answer { get; set; }

    /// <summary>Items of the answer that a stream told one by one, for servers whose last event holds none of them.</summary>
    internal List<byte[]> Items { get; } = [];
}

/// <summary>An item of a conversation that is kept: its id, its JSON as its caller sent or had it, and who issued what of it is encrypted (empty where nobody did).</summary>
public sealed record StoredItem(string Id, ReadOnlyMemory<byte> Json, string Issuer);
