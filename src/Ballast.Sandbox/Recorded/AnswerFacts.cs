using System.Text;

namespace Ballast.Sandbox.Recorded;

/// <summary>A call of a tool in an answer.</summary>
internal sealed class CallFact(string pointer)
{
    public string Pointer { get; } = pointer;
    public string Id { get; set; } = "";
    public string Name { get; set; } = "";
    public StringBuilder Arguments { get; } = new();
}

/// <summary>A reference to a source.</summary>
internal sealed record CitationFact(string? Url, string? Title, string? Quoted, string Pointer);

/// <summary>Tokens in words that both protocols share: the input with all cached tokens, the output with all reasoning.</summary>
internal sealed record TokenFact(long Input, long CacheRead, long CacheWrite, long Output, long? Reasoning);

/// <summary>What an answer says, streamed or whole, in words that both protocols share. Streams are put together as the vendors' own clients do; pointers lead into that.</summary>
internal sealed class AnswerFacts
{
    public string? Model { get; set; }
    public StringBuilder Text { get; } = new();
    public string TextPointer { get; set; } = "";
    public StringBuilder Thinking { get; } = new();
    public string ThinkingPointer { get; set; } = "";
    public List<(string Value, string Pointer)> Signatures { get; } = [];
    public List<(string Value, string Pointer)> Redacted { get; } = [];
    public List<CallFact> Calls { get; } = [];
    public List<CitationFact> Citations { get; } = [];

    /// <summary>Why it ended, in Chat Completions' words; a word that neither protocol has stays as it is.</summary>
    public string? Finish { get; set; }
    public string FinishPointer { get; set; } = "";
    public string? StopSequence { get; set; }
    public TokenFact? Tokens { get; set; }

    /// <summary>Fields that have no word here and say something.</summary>
    public Dictionary<string, string> Others { get; } = new(StringComparer.Ordinal);

    /// <summary>It is an error, or ended with one.</summary>
    public bool IsError { get; set; }

    /// <summary>It came to its end.</summary>
    public bool IsComplete { get; set; }

    public static AnswerFacts Read(string api, bool isStream, ReadOnlyMemory<byte> body) => (api, isStream) switch
    {
        (WireApi.Messages, true) => MessagesAnswerFacts.ReadStream(body),
        (WireApi.Messages, false) => MessagesAnswerFacts.ReadWhole(body),
        (_, true) => ChatAnswerFacts.ReadStream(body),
        _ => ChatAnswerFacts.ReadWhole(body),
    };
}
