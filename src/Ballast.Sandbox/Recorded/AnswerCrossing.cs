using System.Text;
using System.Text.Json;
using Ballast.Sandbox.Recorded;

namespace Ballast.Sandbox;

/// <summary>How a recorded answer ends: what its translation must end like.</summary>
public enum RecordedEnd
{
    /// <summary>It came to its end.</summary>
    Complete,

    /// <summary>It is an error, or breaks off with one.</summary>
    Error,

    /// <summary>It breaks off without a word.</summary>
    Cut,
}

/// <summary>Compares an answer with what became of it in the other protocol.</summary>
public static class AnswerCrossing
{
    /// <summary>What arguments that are no JSON object are put under by a protocol that takes objects only.</summary>
    private const string RawArguments = "raw_arguments";

    public static RecordedEnd EndOf(string api, RecordedFraming framing, ReadOnlyMemory<byte> answer)
    {
        AnswerFacts facts = AnswerFacts.Read(api, framing, answer);
        return facts.IsError ? RecordedEnd.Error : facts.IsComplete ? RecordedEnd.Complete : RecordedEnd.Cut;
    }

    /// <param name="fromApi">How <paramref name="from"/> looks.</param>
    /// <param name="framing">How <paramref name="from"/> is cut into pieces; a stream became server-sent events.</param>
    /// <param name="from">The platform's answer: differences point into it.</param>
    /// <param name="to">The answer that the caller got, in the other protocol.</param>
    /// <param name="usageAsked">The caller gets to see the tokens.</param>
    public static IReadOnlyList<WireDifference> Compare(string fromApi, RecordedFraming framing, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte> to, bool usageAsked)
    {
        AnswerFacts before = AnswerFacts.Read(fromApi, framing, from);
        AnswerFacts after = AnswerFacts.Read(WireApi.Other(fromApi), framing == RecordedFraming.Whole ? RecordedFraming.Whole : RecordedFraming.Events, to);
        List<WireDifference> differences = [];
        void Differ(string pointer, string what) => differences.Add(new WireDifference(pointer, what));

        Check(before.Text, after.Text, before.TextPointer, "text", Differ);
        Check(before.Thinking, after.Thinking, before.ThinkingPointer, "thinking", Differ);
        CheckAll(before.Signatures, [.. after.Signatures, .. after.Redacted], "signature", Differ);
        CheckAll(before.Redacted, after.Redacted, "encrypted thinking", Differ);
        CheckCalls(before, after, isToChat: WireApi.Other(fromApi) == WireApi.Chat, Differ);
        CheckCitations(before, after, Differ);
        if (before.Finish != after.Finish && before.Finish is not null)
        {
            Differ(before.FinishPointer, $"finish reason {before.Finish} became {after.Finish}");
        }

        if (before.StopSequence is not null && after.StopSequence != before.StopSequence)
        {
            Differ("/stop_sequence", "stop sequence");
        }

        if (before.Model is not null && before.Model != after.Model)
        {
            Differ("/model", $"model {before.Model} became {after.Model}");
        }

        CheckTold(before.Tiers, after.Tiers, "service tier", Differ);
        CheckTold(before.Places, after.Places, "place", Differ);
        CheckTokens(before, after, usageAsked, Differ);
        foreach (string other in before.Others.Keys)
        {
            Differ(other, "not on the other side");
        }

        return differences;
    }

    private static void CheckTold(Dictionary<string, string> before, Dictionary<string, string> after, string what, Action<string, string> differ)
    {
        foreach ((string pointer, string word) in before)
        {
            if (!after.ContainsValue(word))
            {
                differ(pointer, $"{what} {word}");
            }
        }
    }

    private static void Check(StringBuilder before, StringBuilder after, string pointer, string what, Action<string, string> differ)
    {
        if (!before.Equals(after))
        {
            differ(pointer, $"{what}: {Shorten(before)} became {Shorten(after)}");
        }
    }

    private static string Shorten(StringBuilder text) => text.Length <= 60 ? $"'{text}'" : $"'{text.ToString(0, 40)}…' of {text.Length} characters";

    private static void CheckAll(List<(string Value, string Pointer)> before, List<(string Value, string Pointer)> after, string what, Action<string, string> differ)
    {
        foreach ((string value, string pointer) in before)
        {
            if (!after.Exists(other => other.Value == value || other.Value.EndsWith($":{value}", StringComparison.Ordinal)))
            {
                differ(pointer, what);
            }
        }
    }

    private static void CheckCalls(AnswerFacts before, AnswerFacts after, bool isToChat, Action<string, string> differ)
    {
        for (int i = 0; i < before.Calls.Count; i++)
        {
            CallFact call = before.Calls[i];
            CallFact? other = i < after.Calls.Count ? after.Calls[i] : null;
            if (other is null || other.Name != call.Name || other.IsFreeText != call.IsFreeText)
            {
                differ(call.Pointer, $"tool call {call.Name} became {other?.Name ?? "nothing"}");
                continue;
            }

            bool mayStay = call.Id.Length > 0 && (isToChat || call.Id.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'));
            if (mayStay ? other.Id != call.Id : other.Id.Length == 0)
            {
                differ($"{call.Pointer}/id", $"id {call.Id} became {other.Id}");
            }

            CheckArguments(call, other, differ);
        }

        if (after.Calls.Count > before.Calls.Count)
        {
            differ("", $"{after.Calls.Count - before.Calls.Count} tool calls came from nowhere");
        }
    }

    private static void CheckArguments(CallFact call, CallFact other, Action<string, string> differ)
    {
        if (call.IsFreeText)
        {
            Check(call.Arguments, other.Arguments, call.Pointer, "free text", differ);
            return;
        }

        string arguments = JsonWalk.CanonicalText(call.Arguments.ToString());
        string others = JsonWalk.CanonicalText(other.Arguments.ToString());
        if (arguments == others)
        {
            return;
        }

        using JsonDocument? wrapped = JsonWalk.TryParse(others);
        bool isWrapped = wrapped is not null && JsonWalk.Text(wrapped.RootElement, RawArguments) == call.Arguments.ToString();
        differ(call.Pointer, isWrapped ? "arguments that are no JSON object were wrapped" : "arguments");
    }

    private static void CheckCitations(AnswerFacts before, AnswerFacts after, Action<string, string> differ)
    {
        List<CitationFact> left = [.. after.Citations];
        foreach (CitationFact citation in before.Citations)
        {
            int at = left.FindIndex(other => other.Url == citation.Url && (other.Title ?? "") == (citation.Title ?? "") && (other.Quoted ?? "") == (citation.Quoted ?? ""));
            if (at < 0)
            {
                differ(citation.Pointer, $"citation of {citation.Url ?? citation.Title}");
            }
            else
            {
                left.RemoveAt(at);
            }
        }
    }

    private static void CheckTokens(AnswerFacts before, AnswerFacts after, bool usageAsked, Action<string, string> differ)
    {
        if (before.Tokens is null && usageAsked && after.Tokens is { Output: 0 } or { Input: 0 } && before.Text.Length + before.Thinking.Length > 0)
        {
            differ("/usage", "the platform told no tokens, and what the caller was told is less than there were");
        }

        if (before.Tokens is not { } tokens || !usageAsked)
        {
            return;
        }

        if (after.Tokens is not { } others)
        {
            differ("/usage", "tokens");
            return;
        }

        if (tokens with { Reasoning = null } != others with { Reasoning = null } || (tokens.Reasoning ?? 0) != (others.Reasoning ?? 0))
        {
            differ("/usage", $"{tokens} became {others}");
        }
    }
}
