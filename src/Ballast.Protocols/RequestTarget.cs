using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ballast.Protocols;

/// <summary>What an endpoint understands of its protocol; servers that speak a vendor's protocol differ in these.</summary>
[Flags]
public enum TargetFeatures
{
    None = 0,

    /// <summary>Structured output by JSON schema is native; else it is emulated.</summary>
    JsonSchema = 1,

    /// <summary>Reports usage inside a stream when asked (OpenAI's <c>stream_options</c>).</summary>
    StreamUsage = 1 << 1,

    /// <summary>Wants <c>max_completion_tokens</c>; else <c>max_tokens</c>.</summary>
    MaxCompletionTokens = 1 << 2,

    /// <summary>Knows the role <c>developer</c>; else <c>system</c>.</summary>
    DeveloperRole = 1 << 3,

    /// <summary>Knows <c>reasoning_effort</c>.</summary>
    ReasoningEffort = 1 << 4,

    /// <summary>Takes earlier reasoning back as <c>reasoning_content</c>.</summary>
    ReasoningReplay = 1 << 5,

    /// <summary>Knows <c>parallel_tool_calls</c>.</summary>
    ParallelToolCalls = 1 << 6,

    /// <summary>Takes images.</summary>
    Images = 1 << 7,

    /// <summary>Takes files (PDF).</summary>
    Files = 1 << 8,

    /// <summary>Takes prompt caching marks (Anthropic's <c>cache_control</c>).</summary>
    CacheControl = 1 << 9,

    /// <summary>Takes Anthropic's adaptive thinking; else it becomes a budget.</summary>
    AdaptiveThinking = 1 << 10,

    /// <summary>Counts tokens natively.</summary>
    CountTokens = 1 << 11,

    /// <summary>Counts a whole request only where it is wrapped (Gemini's <c>generateContentRequest</c>); else it takes the request's own fields.</summary>
    WrappedCount = 1 << 12,

    /// <summary>Takes ids of tool calls of nine letters and digits only (Mistral): others give way to such, in calls and results alike.</summary>
    ShortToolIds = 1 << 13,

    /// <summary>Refuses or ignores <c>max_completion_tokens</c>, from callers of its own protocol too: the limit is sent as <c>max_tokens</c>.</summary>
    MaxTokensOnly = 1 << 14,

    /// <summary>Answers in the background and keeps the answer until it is asked for (OpenAI's Responses).</summary>
    Background = 1 << 15,

    /// <summary>Makes a conversation shorter (OpenAI's <c>/responses/compact</c>).</summary>
    Compaction = 1 << 16,

    /// <summary>Gives several answers to one request where its protocol has a field for it (Gemini's <c>candidateCount</c>, which many of its models refuse).</summary>
    Choices = 1 << 17,

    /// <summary>Knows tools of free text (OpenAI's <c>custom</c>) and a choice among some of the tools; else they become functions, and the others are not offered.</summary>
    CustomTools = 1 << 18,

    /// <summary>Reasoning is switched on and off by <c>thinking: {type}</c> (DeepSeek, Z.ai); else, where it can be, by the word <c>none</c>.</summary>
    ThinkingSwitch = 1 << 19,
}

/// <summary>The deployment that a request is written for, as far as a protocol must know it.</summary>
public sealed record RequestTarget
{
    /// <summary>The upstream's name of the model.</summary>
    public required string Model
    {
        get;
        init
        {
            field = value;
            ModelJson = Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"");
        }
    }

    /// <summary><see cref="Model"/> as a JSON string, made once: every request passed on has it put in.</summary>
    internal ReadOnlyMemory<byte> ModelJson { get; private init; }

    /// <summary>Who makes the model: thinking signatures go only to their issuer.</summary>
    public required string Vendor { get; init; }

    /// <summary>The account it is asked through: encrypted reasoning of some vendors can be read within one account only. Empty where it is not known.</summary>
    public string Account { get; init; } = "";

    /// <summary>False once it has said that it cannot decrypt what bears no mark: such reasoning is left out, and named.</summary>
    public bool ReadsBareReasoning { get; init; } = true;
    public required TargetFeatures Features { get; init; }

    /// <summary>Output limit in tokens for a protocol that requires one and a caller that gave none.</summary>
    public long DefaultMaxOutputTokens { get; init; } = 8192;

    /// <summary>
    /// The endpoint's address names the model, and the body says this version in its place (<c>anthropic_version</c>, Claude on other clouds); null where the body names
    /// the model.
    /// </summary>
    public string? VersionInBody { get; init; }

    /// <summary>Beta features of Anthropic's that the body shall name (<see cref="BetaField"/>); null where the caller's body is to say what it says.</summary>
    public IReadOnlyList<string>? Betas { get; init; }

    /// <summary>Fields of the body, by name, that the endpoint refuses of its own protocol: left out of every request, and declared.</summary>
    public IReadOnlyList<string> RefusedFields
    {
        get;
        init
        {
            field = value;
            _refusedNames = [.. value.Select(static name => Encoding.UTF8.GetBytes($"\"{name}\""))];
        }
    } = [];

    private readonly byte[][] _refusedNames = [];

    public bool Has(TargetFeatures feature) => (Features & feature) != 0;

    /// <summary>True where a body names one of <see cref="RefusedFields"/>, wherever in it; a value of such a text, as a role has, is none.</summary>
    public bool MayHoldRefused(ReadOnlySpan<byte> body)
    {
        foreach (byte[] name in _refusedNames)
        {
            for (ReadOnlySpan<byte> rest = body; rest.IndexOf(name) is >= 0 and int at;)
            {
                rest = rest[(at + name.Length)..].TrimStart(" \t\r\n"u8);
                if (rest.StartsWith(":"u8))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
