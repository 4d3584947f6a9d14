namespace Ballast.Protocols.Conversation;

/// <summary>How soon an answer is wanted, where a vendor prices that. The words are the vendors' own.</summary>
public enum ServiceTier
{
    Standard,
    Batch,
    Flex,
    Priority,
}
