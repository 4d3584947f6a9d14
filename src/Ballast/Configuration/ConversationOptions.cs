namespace Ballast.Configuration;

/// <summary>Answers and conversations that are kept for callers who go on from them (OpenAI's Responses): where, how many, for how long.</summary>
public sealed record ConversationOptions
{
    /// <summary>False keeps nothing: a request that goes on from an earlier answer is refused.</summary>
    public bool IsStored { get; init; } = true;

    /// <summary>SQLite file; a relative path is taken from the directory of the configuration file.</summary>
    public string Path { get; init; } = "ballast-conversations.db";

    /// <summary>After so many days what is kept is erased.</summary>
    public int RetentionDays { get; init; } = 30;

    /// <summary>Answers and conversations kept for one API key; beyond it the oldest go.</summary>
    public int CountPerKeyMax { get; init; } = 10_000;

    /// <summary>Bytes kept for one API key; beyond it the oldest go.</summary>
    public int BytesPerKeyMax { get; init; } = 256 * 1024 * 1024;

    /// <summary>Bytes that may wait for the disk; answers beyond it are not kept, and say so.</summary>
    public int PendingBytesMax { get; init; } = 64 * 1024 * 1024;
}
